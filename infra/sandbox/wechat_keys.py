"""WeChat Pay's keys in its four modes, as `init` makes them."""

import base64
import secrets
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from . import sm2
from .est import SIGNING, Issuer, name, spki
from .rsa2 import digits, new_key, private_pem, public_pem
from .sm2 import SEQUENCE, elements, whole

MODES = ("public-key", "certificate", "both", "sm")
DEFAULT_MODE = "both"
CERTIFICATE_LIFE = timedelta(days=5 * 365)
API_V3_KEY_LENGTH = 32
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"


def fresh(mode: str) -> tuple[dict, dict]:
    """The platform's secret and what the outside world keeps."""
    mchid = "1900" + digits(6)
    public_key = new_key()
    if mode == "sm":
        merchant = sm2.Key()
        private, public = _armor("PRIVATE KEY", merchant.pkcs8()), _armor("PUBLIC KEY", spki(merchant.point))
    else:
        merchant = new_key()
        private, public = private_pem(merchant), public_pem(merchant.public_key())
    secret = {
        "mchid": mchid,
        "appid": "wx" + secrets.token_hex(8),
        "certificate_serial": serial_text(_serial()),
        "private_key": private,
        "api_v3_key": "".join(secrets.choice(ALPHANUMERIC) for _ in range(API_V3_KEY_LENGTH)),
        "signature": "sm2" if mode == "sm" else "rsa",
    }
    public_key_id = f"{PUBLIC_KEY_PREFIX}01{mchid}{datetime.now(UTC):%Y%m%d}00{digits(12)}"
    if mode in ("public-key", "both"):
        secret |= {"public_key_id": public_key_id, "public_key": public_pem(public_key.public_key())}
    if mode != "public-key":
        secret["platform_certificates"] = "download"
    platform_key, sm2_key = new_key(), sm2.Key()
    return secret, {
        "mode": mode,
        "mchid": mchid,
        "appid": secret["appid"],
        "certificate_serial": secret["certificate_serial"],
        "merchant_public_key": public,
        "api_v3_key": secret["api_v3_key"],
        "public_key_id": public_key_id,
        "public_key_private": private_pem(public_key),
        "platform_certificate": _rsa_certificate(platform_key),
        "platform_private_key": private_pem(platform_key),
        "sm2_certificate": _sm2_certificate(sm2_key.point),
        "sm2_private_key": _armor("PRIVATE KEY", sm2_key.pkcs8()),
    }


def _serial() -> int:
    """Twenty bytes that need all their forty digits and stay positive."""
    return secrets.randbits(156) | 1 << 156


def serial_text(serial: int) -> str:
    return f"{serial:040X}"


def _rsa_certificate(key) -> str:
    now = datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST ONLY Tenpay.com Root CA")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST ONLY Tenpay.com sign")]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(_serial())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .sign(new_key(), hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _sm2_certificate(point) -> str:
    subject = name(("2.5.4.6", "CN"), ("2.5.4.3", "TEST ONLY Tenpay.com sign"))
    start = datetime.now(UTC) - timedelta(days=1)
    issuer = Issuer("TEST Tenpay.com Root CA")
    return ssl.DER_cert_to_PEM_cert(issuer.issue(subject, point, SIGNING, start, CERTIFICATE_LIFE, _serial()))


def _armor(label: str, der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def bare(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-")))


def sm2_point(pem: str):
    _, (_, key, _) = elements(whole(SEQUENCE, bare(pem)))
    return sm2.decode_point(key[1:])
