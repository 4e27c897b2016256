"""A vendor's CA that speaks EST (RFC 7030) over mutual TLS, and can be told to go wrong.

It issues SM2 certificates: a signing one for the key of the request, an encryption one for a key of its own making.
The same request is answered with the same certificate. Everything is made on start and is for tests only.
"""

import asyncio
import base64
import ipaddress
import secrets
import signal
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import sm2
from .sm2 import OCTET_STRING, SEQUENCE, SET, NotDer, bits, elements, integer, oid, sequence, tlv, whole

HOST = "127.0.0.1"
BODY_MAX_BYTES = 64 * 1024
SM2_WITH_SM3 = sequence(oid("1.2.156.10197.1.501"))
SIGNED_DATA, DATA = "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.1"
GM_SIGNED_DATA, GM_DATA = "1.2.156.10197.6.1.4.2.2", "1.2.156.10197.6.1.4.2.1"
SIGNING, ENCRYPTION, CA = 0xC0, 0x38, 0x06
HOLD_SECONDS = 30.0

# What can go wrong. `NAME` always does, `NAME=COUNT` as many times as that.
FAULTS = {
    "pending": "202 with Retry-After",
    "slow": "no answer",
    "drop": "the connection breaks after everything was done",
    "down": "503",
    "unauthorized": "403",
    "another": "the same request is answered with another certificate",
    "refuse_repeat": "the same request is refused the second time",
    "wrong_chain": "issued by another CA",
    "wrong_subject": "issued to somebody else",
    "clock_ahead": "valid from tomorrow on",
    "too_long": "valid for thirty years",
    "wrong_usage": "every key usage",
    "wrong_signing_key": "a signing certificate of another key",
    "wrong_key": "a private key of another certificate",
    "bad_multipart": "a multipart answer without an end",
    "bad_base64": "certificates that are not base64",
    "huge": "an answer without a measure",
    "accept_bad_proof": "the request's signature is not looked at",
    "accept_anyone": "no client certificate is asked for",
    "gm_oids": "content types of GM/T 0010; no fault",
}


class Faults:
    def __init__(self, wanted: list[str]):
        self._left: dict[str, int | None] = {}
        for text in wanted:
            name, _, count = text.partition("=")
            if name not in FAULTS:
                raise ValueError(f"unknown fault {name!r}; known: {', '.join(FAULTS)}")
            self._left[name] = int(count) if count else None

    def take(self, name: str) -> bool:
        left = self._left.get(name, 0)
        if left is None:
            return True
        self._left[name] = left - 1
        return left > 0


def name(*attributes: tuple[str, str]) -> bytes:
    printable = "2.5.4.6"
    return sequence(
        *(
            tlv(SET, sequence(oid(kind), tlv(0x13 if kind == printable else 0x0C, text.encode())))
            for kind, text in attributes
        )
    )


def spki(point) -> bytes:
    algorithm = sequence(oid("1.2.840.10045.2.1"), oid("1.2.156.10197.1.301"))
    return sequence(algorithm, bits(sm2.encode_point(point)))


def key_identifier(point) -> bytes:
    return sm2.sm3(sm2.encode_point(point))[:20]


class Issuer:
    """A CA's name and key with the certificates above, nearest first."""

    def __init__(self, common_name: str, above: "Issuer | None" = None):
        self.key = sm2.Key()
        self.name = name(("2.5.4.6", "CN"), ("2.5.4.10", "TEST ONLY 厂商样例认证"), ("2.5.4.3", common_name))
        now = datetime.now(UTC)
        signer = above or self
        certificate = signer.issue(self.name, self.key.point, CA, now - timedelta(days=1), timedelta(days=3650))
        self.chain = [certificate, *(above.chain if above else [])]

    def issue(
        self, subject: bytes, point, usage: int, start: datetime, length: timedelta, serial: int | None = None
    ) -> bytes:
        unused = next(count for count in range(8) if usage >> count & 1)
        extensions = [
            (("2.5.29.35"), False, sequence(tlv(0x80, key_identifier(self.key.point)))),
            (("2.5.29.14"), False, tlv(OCTET_STRING, key_identifier(point))),
            (("2.5.29.15"), True, bits(bytes([usage]), unused)),
        ]
        if usage == CA:
            extensions.append(("2.5.29.19", True, sequence(tlv(0x01, b"\xff"))))
        written = sequence(
            *(
                sequence(oid(kind), tlv(0x01, b"\xff") if critical else b"", tlv(OCTET_STRING, value))
                for kind, critical, value in extensions
            )
        )
        serial = serial or secrets.randbits(126) | 1 << 126
        validity = sequence(moment(start), moment(start + length))
        parts = (SM2_WITH_SM3, self.name, validity, subject, spki(point), tlv(0xA3, written))
        tbs = sequence(tlv(0xA0, integer(2)), integer(serial), *parts)
        return sequence(tbs, SM2_WITH_SM3, bits(self.key.sign(tbs)))


def moment(at: datetime) -> bytes:
    if at.year < 2050:
        return tlv(sm2.UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


class Refused(Exception):
    """The request is not granted."""


class Vendor:
    """The CA with what it issued."""

    def __init__(self, faults: Faults, years: int):
        self.faults = faults
        self.length = timedelta(days=366 * years)
        self.issuing = Issuer("TEST Issuing CA", Issuer("TEST Root CA"))
        self.foreign = Issuer("TEST Issuing CA", Issuer("TEST Root CA"))
        self.issued: dict[tuple[str, bytes], tuple[bytes, sm2.Key | None]] = {}

    def answer(self, operation: str, request: bytes) -> tuple[bytes, sm2.Key | None]:
        """The certificate, and the private key where it was made here."""
        subject, point = self.read(request)
        known = self.issued.get((operation, request))
        if known and self.faults.take("refuse_repeat"):
            raise Refused("this request was answered before")
        if known and not self.faults.take("another"):
            return known
        made = sm2.Key() if operation == "serverkeygen" else None
        certificate = self.issue(subject, made.point if made else point, ENCRYPTION if made else SIGNING)
        if made and self.faults.take("wrong_key"):
            made = sm2.Key()
        self.issued[(operation, request)] = (certificate, made)
        return certificate, made

    def issue(self, subject: bytes, point, usage: int) -> bytes:
        issuer = self.foreign if self.faults.take("wrong_chain") else self.issuing
        if self.faults.take("wrong_subject"):
            subject = name(("2.5.4.6", "CN"), ("2.5.4.3", "另一家有限公司"))
        start = datetime.now(UTC)
        if self.faults.take("clock_ahead"):
            start += timedelta(days=1)
        length = timedelta(days=30 * 365) if self.faults.take("too_long") else self.length
        if self.faults.take("wrong_usage"):
            usage = SIGNING | ENCRYPTION
        if usage == SIGNING and self.faults.take("wrong_signing_key"):
            point = sm2.Key().point
        return issuer.issue(subject, point, usage, start, length)

    def read(self, request: bytes) -> tuple[bytes, tuple[int, int]]:
        """Subject and key of a PKCS#10 request whose proof of possession holds."""
        try:
            (_, info, signed), _, (_, signature, _) = elements(whole(SEQUENCE, request))
            _, (_, _, subject), (_, key, _), *_ = elements(info)
            _, (_, point, _) = elements(key)
            point = sm2.decode_point(point[1:])
        except (NotDer, ValueError):
            raise Refused("the request cannot be read") from None
        if not sm2.verifies(point, signed, signature[1:]) and not self.faults.take("accept_bad_proof"):
            raise Refused("the request does not prove possession of its key")
        return subject, point

    def certs_only(self, *certificates: bytes) -> bytes:
        gm = self.faults.take("gm_oids")
        signed_data, data = (GM_SIGNED_DATA, GM_DATA) if gm else (SIGNED_DATA, DATA)
        content = sequence(
            integer(1), tlv(SET), sequence(oid(data)), tlv(0xA0, *certificates), tlv(SET)
        )
        return sequence(oid(signed_data), tlv(0xA0, content))


def base64_lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


class Endpoint:
    """The paths of RFC 7030, with and without a label."""

    def __init__(self, vendor: Vendor):
        self.vendor = vendor
        self.faults = vendor.faults

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_MAX_BYTES)
        for base in ("/.well-known/est", "/.well-known/est/{label}"):
            app.router.add_get(f"{base}/cacerts", self.cacerts)
            for operation in ("simpleenroll", "simplereenroll", "serverkeygen"):
                app.router.add_post(f"{base}/{operation}", self.enroll)
        return app

    async def cacerts(self, _request: web.Request) -> web.Response:
        return self.certificates(*self.vendor.issuing.chain)

    async def enroll(self, request: web.Request) -> web.StreamResponse:
        faults, operation = self.faults, request.path.rsplit("/", 1)[1]
        if request.content_type != "application/pkcs10":
            return web.Response(status=415, text="application/pkcs10 is expected")
        if faults.take("down"):
            return web.Response(status=503)
        if faults.take("unauthorized"):
            return web.Response(status=403)
        if faults.take("slow"):
            await asyncio.sleep(HOLD_SECONDS)
        if faults.take("pending"):
            return web.Response(status=202, headers={"Retry-After": "1"})
        try:
            body = base64.b64decode(await request.read())
            certificate, key = self.vendor.answer(operation, body)
        except (Refused, ValueError) as reason:
            return web.Response(status=400, text=str(reason))
        if faults.take("drop"):
            request.transport.abort()
            return web.Response(status=504)
        if key is None:
            return self.certificates(certificate)
        return self.key_and_certificate(key, certificate)

    def certificates(self, *certificates: bytes) -> web.Response:
        body = base64_lines(self.vendor.certs_only(*certificates))
        if self.faults.take("huge"):
            body = b"\r\n" * (2 * 1024 * 1024) + body
        if self.faults.take("bad_base64"):
            body = b"?" + body
        headers = {"Content-Type": "application/pkcs7-mime; smime-type=certs-only", "Content-Transfer-Encoding": "base64"}
        return web.Response(body=body, headers=headers)

    def key_and_certificate(self, key: sm2.Key, certificate: bytes) -> web.Response:
        boundary = secrets.token_hex(12)
        parts = (
            ("application/pkcs8", key.pkcs8()),
            ("application/pkcs7-mime; smime-type=certs-only", self.vendor.certs_only(certificate)),
        )
        body = b"".join(
            f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
            + base64_lines(content)
            for kind, content in parts
        )
        if not self.faults.take("bad_multipart"):
            body += f"--{boundary}--\r\n".encode()
        return web.Response(body=body, headers={"Content-Type": f'multipart/mixed; boundary="{boundary}"'})


def make_tls(folder: Path, vendor: Vendor) -> ssl.SSLContext:
    """Writes what a client needs and what the server needs: keys of ECDSA P-256, for tests only."""
    ca_key, ca = _certificate("TEST ONLY TLS CA", None, None)
    for role in ("server", "client", "foreign-client"):
        signer = _certificate("TEST ONLY foreign CA", None, None) if role == "foreign-client" else (ca_key, ca)
        key, certificate = _certificate(f"TEST ONLY {role}", *signer)
        (folder / f"{role}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{role}-key.pem").write_bytes(private)
    (folder / "server-ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    root = base64.encodebytes(vendor.issuing.chain[-1]).decode()
    (folder / "vendor-root.pem").write_text(
        f"-----BEGIN CERTIFICATE-----\n{_lines(root)}\n-----END CERTIFICATE-----\n", encoding="ascii"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    if not vendor.faults.take("accept_anyone"):
        context.load_verify_locations(folder / "server-ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _lines(text: str) -> str:
    whole_text = text.replace("\n", "")
    return "\n".join(whole_text[at : at + 64] for at in range(0, len(whole_text), 64))


def _certificate(common_name: str, signer_key, signer):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    )
    if signer is not None:
        names = [x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return key, builder.sign(signer_key or key, hashes.SHA256())


async def serve(folder: Path, port: int, wanted: list[str], years: int) -> None:
    """Runs until SIGTERM or SIGINT."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    vendor = Vendor(Faults(wanted), years)
    runner = web.AppRunner(Endpoint(vendor).application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    await web.TCPSite(runner, HOST, port, ssl_context=make_tls(folder, vendor)).start()
    print(f"est ready on https://{HOST}:{runner.addresses[0][1]}", flush=True)
    await done.wait()
    await runner.cleanup()
