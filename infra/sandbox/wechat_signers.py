"""Which of WeChat Pay's keys signs an answer or a notification."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography import x509

from . import sm2
from .rsa2 import load_private, load_public, new_key
from .state import BEIJING, World
from .wechat_keys import bare, serial_text, sm2_point
from .wechat_sign import RsaSigner, RsaVerifier, Signer, Sm2Signer, Sm2Verifier, Verifier


@dataclass(frozen=True)
class Certificate:
    """One of WeChat Pay's platform certificates."""

    pem: str
    serial: str
    start: datetime
    end: datetime

    @staticmethod
    def read(pem: str) -> "Certificate":
        found = x509.load_pem_x509_certificate(pem.encode("ascii"))
        start, end = (at.astimezone(BEIJING) for at in (found.not_valid_before_utc, found.not_valid_after_utc))
        return Certificate(pem, serial_text(found.serial_number), start, end)


class Keys:
    """The keys of one run. Which one signs depends on the mode, on the request and on the switch `key_switch`."""

    def __init__(self, world: World):
        self._faults = world.faults
        self._config = world.config.wechat
        self.mode: str = self._config["mode"]
        self._turns = {"answer": 0, "notification": 0}

    # Read when they are wanted first: checking RSA keys takes its time.

    @cached_property
    def certificates(self) -> dict[str, Certificate]:
        return {
            "RSA": Certificate.read(self._config["platform_certificate"]),
            "SM2": Certificate.read(self._config["sm2_certificate"]),
        }

    @cached_property
    def public_key(self) -> Signer:
        return RsaSigner(self._config["public_key_id"], load_private(self._config["public_key_private"]))

    @cached_property
    def certificate(self) -> Signer:
        return RsaSigner(self.certificates["RSA"].serial, load_private(self._config["platform_private_key"]))

    @cached_property
    def sm2_certificate(self) -> Signer:
        return Sm2Signer(self.certificates["SM2"].serial, sm2.Key.from_pkcs8(bare(self._config["sm2_private_key"])))

    @cached_property
    def merchant(self) -> Verifier:
        pem = self._config["merchant_public_key"]
        return Sm2Verifier(sm2_point(pem)) if self.mode == "sm" else RsaVerifier(load_public(pem))

    @cached_property
    def _stray(self) -> Signer:
        return Sm2Signer("", sm2.Key()) if self.mode == "sm" else RsaSigner("", new_key())

    def for_answer(self, asked_for: str | None) -> Signer | None:
        """The key that a request asks for by `Wechatpay-Serial`; None where there is no such key."""
        offered = (self.sm2_certificate,) if self.mode == "sm" else (self.certificate, self.public_key)
        if asked_for is not None and asked_for not in [signer.serial for signer in offered]:
            return None
        wanted = next((signer for signer in offered if signer.serial == asked_for), offered[0])
        return self._switched("answer", wanted)

    def for_notification(self) -> Signer:
        if self.mode == "sm":
            return self.sm2_certificate
        return self._switched("notification", self.certificate if self.mode == "certificate" else self.public_key)

    def stray(self) -> Signer:
        """Another key under the right name."""
        return self._stray.named(self.for_notification().serial)

    def _switched(self, use: str, otherwise: Signer) -> Signer:
        """Both kinds come while WeChat Pay moves a merchant; in SM mode there is only one key to sign with."""
        switch = self._faults.on("wechat", "key_switch")
        if self.mode == "sm" or switch is None:
            return otherwise
        if switch == "alternate":
            self._turns[use] += 1
            return self.certificate if self._turns[use] % 2 else self.public_key
        return self.public_key if switch == "public_key" else self.certificate
