"""Alipay's keys: plain ones, or in certificate mode with a test PKI and the names of its certificates."""

import hashlib
import secrets
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from . import sm2
from .est import moment, name, spki
from .rsa2 import digits, new_key, private_pem, public_pem
from .sm2 import SEQUENCE, bits, elements, integer, oid, sequence, tlv, whole

MODES = ("key", "certificate")
DEFAULT_MODE = "key"
# rsaEncryption and everything below it: the signatures that count for `alipay_root_cert_sn` under RSA2.
RSA_SIGNATURES = oid("1.2.840.113549.1.1")[2:]
LIFE = timedelta(days=3650)
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
CA_USAGES = ("key_cert_sign", "crl_sign")
LEAF_USAGES = ("digital_signature", "content_commitment")


def fresh(mode: str) -> tuple[dict, dict]:
    """The platform's secret and the matching fields of the configuration."""
    merchant, provider = new_key(), new_key()
    secret = {
        "app_id": "2021" + digits(12),
        "app_private_key": private_pem(merchant),
        "alipay_public_key": public_pem(provider.public_key()),
        "seller_id": "2088" + digits(12),
    }
    certificates = None
    if mode == "certificate":
        del secret["alipay_public_key"]
        secret |= _certificates(merchant, provider, secret["app_id"])
        certificates = {
            "app_cert_sn": certificate_sn(secret["app_certificate"]),
            "alipay_cert_sn": certificate_sn(secret["alipay_certificate"]),
            "alipay_root_cert_sn": root_sn(secret["alipay_root_certificates"]),
        }
    return secret, {
        "app_id": secret["app_id"],
        "seller_id": secret["seller_id"],
        "merchant_public_key": public_pem(merchant.public_key()),
        "provider_private_key": private_pem(provider),
        "alipay_certificates": certificates,
    }


def sn(issuer: str, serial: int) -> str:
    """How Alipay names a certificate: MD5 over issuer (RFC 2253, last RDN first) and decimal serial number."""
    return hashlib.md5(f"{issuer}{serial}".encode(), usedforsecurity=False).hexdigest()


def certificate_sn(pem: str) -> str:
    certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
    return sn(certificate.issuer.rfc4514_string(), certificate.serial_number)


def root_sn(bundle: str) -> str:
    """The roots that are signed with RSA, in the order of the file."""
    end = "-----END CERTIFICATE-----"
    blocks = [part.strip() + "\n" + end + "\n" for part in bundle.split(end) if part.strip()]
    return "_".join(certificate_sn(block) for block in blocks if _is_rsa(ssl.PEM_cert_to_DER_cert(block)))


def _is_rsa(der: bytes) -> bool:
    """Read by hand: the bundle holds certificates that a strict parser refuses."""
    _, (_, algorithm, _), _ = elements(whole(SEQUENCE, der))
    return elements(algorithm)[0][1].startswith(RSA_SIGNATURES)


def _certificates(merchant: rsa.RSAPrivateKey, provider: rsa.RSAPrivateKey, app_id: str) -> dict[str, str]:
    """Four roots of four kinds, as in the real bundle, an issuing CA and its two certificates."""
    root_name, root_key = _name("TEST ONLY Certification Authority R1"), new_key()
    root = _certificate(root_name, root_key.public_key(), root_name, root_key, ca=True)
    elliptic_name, elliptic_key = _name("TEST ONLY Certification Authority E1"), ec.generate_private_key(ec.SECP384R1())
    elliptic = _certificate(elliptic_name, elliptic_key.public_key(), elliptic_name, elliptic_key, ca=True)
    other_name, other_key = _name("TEST ONLY Class 2 Root CA - G3"), new_key()
    # More than 128 bits, and a name that begins with a zero, as in the real bundle.
    serial = secrets.randbits(156) | 1 << 156
    while sn(other_name.rfc4514_string(), serial)[0] != "0":
        serial += 1
    other = _certificate(other_name, other_key.public_key(), other_name, other_key, ca=True, serial=serial)
    issuing_name, issuing_key = _name("TEST ONLY Certification Authority Class 2 R1"), new_key()
    issuing = _certificate(issuing_name, issuing_key.public_key(), root_name, root_key, ca=True)
    alipay = _certificate(_name("TEST ONLY Alipay"), provider.public_key(), issuing_name, issuing_key)
    return {
        "app_certificate": _pem(_certificate(_name(app_id), merchant.public_key(), issuing_name, issuing_key)),
        # As in the real download, its issuer follows: without it no way leads to a root.
        "alipay_certificate": _pem(alipay) + _pem(issuing),
        "alipay_root_certificates": _sm2_root() + _pem(root) + _pem(elliptic) + _pem(other),
    }


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Financial"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _certificate(subject, key, issuer, issuer_key, *, ca: bool = False, serial: int | None = None) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = dict.fromkeys(USAGES, False) | dict.fromkeys(CA_USAGES if ca else LEAF_USAGES, True)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _sm2_root() -> str:
    """A root under SM2 whose algorithm carries the NULL that should not be there, as in the real bundle."""
    key = sm2.Key()
    algorithm = sequence(oid("1.2.156.10197.1.501"), tlv(0x05))
    itself = name(("2.5.4.6", "CN"), ("2.5.4.10", "TEST ONLY"), ("2.5.4.3", "ROOTCA"))
    now = datetime.now(UTC)
    validity = sequence(moment(now - timedelta(days=1)), moment(now + LIFE))
    tbs = sequence(
        tlv(0xA0, integer(2)), integer(secrets.randbits(63)), algorithm, itself, validity, itself, spki(key.point)
    )
    return ssl.DER_cert_to_PEM_cert(sequence(tbs, algorithm, bits(key.sign(tbs))))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
