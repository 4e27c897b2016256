"""WeChat Pay v3: what is signed, how (RSA or SM2), and how resources are encrypted (AES or SM4)."""

import base64
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import sm2

RSA_SCHEME = "WECHATPAY2-SHA256-RSA2048"
SM2_SCHEME = "WECHATPAY2-SM2-WITH-SM3"
# What a probe's signature begins with: it never verifies, and must be refused.
PROBE_PREFIX = "WECHATPAY/SIGNTEST/"
AES, SM4 = "AEAD_AES_256_GCM", "AEAD_SM4_GCM"


def request_message(method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """Answers and notifications; an empty body leaves its line empty."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


class Signer(Protocol):
    """A key under the name that others know it by."""

    serial: str
    scheme: str

    def sign(self, message: bytes) -> str: ...

    def named(self, serial: str) -> "Signer": ...


class Verifier(Protocol):
    """The merchant's public key."""

    scheme: str

    def verifies(self, message: bytes, signature: str) -> bool: ...


@dataclass(frozen=True)
class RsaSigner:
    """SHA256withRSA, PKCS#1 v1.5."""

    serial: str
    key: rsa.RSAPrivateKey
    scheme: str = RSA_SCHEME

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")

    def named(self, serial: str) -> "RsaSigner":
        return replace(self, serial=serial)


@dataclass(frozen=True)
class Sm2Signer:
    """SM2 with SM3, r and s in DER."""

    serial: str
    key: sm2.Key
    scheme: str = SM2_SCHEME

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self.key.sign(message)).decode("ascii")

    def named(self, serial: str) -> "Sm2Signer":
        return replace(self, serial=serial)


@dataclass(frozen=True)
class RsaVerifier:
    key: rsa.RSAPublicKey
    scheme: str = RSA_SCHEME

    def verifies(self, message: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            self.key.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True


@dataclass(frozen=True)
class Sm2Verifier:
    point: tuple[int, int]
    scheme: str = SM2_SCHEME

    def verifies(self, message: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
        except ValueError:
            return False
        return sm2.verifies(self.point, message, raw)


def signed_headers(signer: Signer, body: bytes, now: datetime, nonce: str | None = None) -> dict[str, str]:
    """The headers of an answer or a notification."""
    timestamp, nonce = str(int(now.timestamp())), nonce or secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signer.sign(answer_message(timestamp, nonce, body)),
        "Wechatpay-Signature-Type": signer.scheme,
        "Wechatpay-Serial": signer.serial,
    }


def seal(algorithm: str, api_v3_key: str, plain: bytes, associated: str, nonce: str) -> str:
    """Ciphertext and tag (16 bytes) in base64. SM4's key is the first half of the APIv3 key's SM3."""
    key = api_v3_key.encode("ascii")
    cipher = algorithms.AES256(key) if algorithm == AES else algorithms.SM4(sm2.sm3(key)[:16])
    encryptor = Cipher(cipher, modes.GCM(nonce.encode("ascii"))).encryptor()
    encryptor.authenticate_additional_data(associated.encode("utf-8"))
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize() + encryptor.tag).decode("ascii")


def sealed(algorithm: str, api_v3_key: str, plain: bytes, associated: str, nonce: str | None = None) -> dict[str, str]:
    """An encrypted resource as it stands in certificates; notifications add `original_type`."""
    nonce = nonce or secrets.token_hex(6)
    return {
        "algorithm": algorithm,
        "ciphertext": seal(algorithm, api_v3_key, plain, associated, nonce),
        "associated_data": associated,
        "nonce": nonce,
    }
