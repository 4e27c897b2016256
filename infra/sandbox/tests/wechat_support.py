"""A merchant of WeChat Pay that signs, verifies and decrypts on its own, and a receiver of its notifications."""

import base64
import json
import secrets

from aiohttp import web
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support import OutsideTest, private_key, rsa_check, rsa_sign
from yarl import URL

from sandbox import sm2

NUMBER = "20230422A0007_01"
NATIVE = "/v3/pay/transactions/native"


def decrypted(resource: dict, key: str) -> bytes:
    """AES by a library, SM4 with GHASH by hand; raises where the tag is not right."""
    nonce, sealed = resource["nonce"].encode(), base64.b64decode(resource["ciphertext"])
    associated = resource["associated_data"].encode()
    if resource["algorithm"] == "AEAD_AES_256_GCM":
        return AESGCM(key.encode()).decrypt(nonce, sealed, associated)
    assert resource["algorithm"] == "AEAD_SM4_GCM", resource["algorithm"]
    cipher = algorithms.SM4(sm2.sm3(key.encode())[:16])

    def encrypt(block: bytes) -> bytes:
        return Cipher(cipher, modes.ECB()).encryptor().update(block)

    def ghash(data: bytes) -> int:
        h, y = int.from_bytes(encrypt(bytes(16)), "big"), 0
        for at in range(0, len(data), 16):
            x, y, z = y ^ int.from_bytes(data[at : at + 16], "big"), 0, h
            for bit in range(127, -1, -1):
                y ^= z if x >> bit & 1 else 0
                z = z >> 1 ^ (0xE1 << 120 if z & 1 else 0)
        return y

    body, tag = sealed[:-16], sealed[-16:]
    padded = b"".join(part + bytes(-len(part) % 16) for part in (associated, body))
    lengths = (len(associated) * 8).to_bytes(8, "big") + (len(body) * 8).to_bytes(8, "big")
    mask = int.from_bytes(encrypt(nonce + b"\0\0\0\1"), "big")
    assert ghash(padded + lengths) ^ mask == int.from_bytes(tag, "big"), "the tag is not right"
    blocks = range(2, 2 + (len(body) + 15) // 16)
    stream = b"".join(encrypt(nonce + count.to_bytes(4, "big")) for count in blocks)
    return bytes(left ^ right for left, right in zip(body, stream, strict=False))


class WechatTest(OutsideTest):
    """Mode `both`, unless a subclass brings other keys."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.secret = self.SECRETS["wechat"]
        self.outside.wechat.notifier.gaps = (0.01,) * 15
        self.outside.wechat.refund_seconds = 0.02
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[web.Response] = []
        # Serial -> public key in PEM: what the merchant believes in.
        self.trusted = {}
        if "public_key_id" in self.secret:
            self.trusted[self.secret["public_key_id"]] = self.secret["public_key"]
        app = web.Application()
        app.add_routes([web.post("/api/notify/wechat", self._notified)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self.addAsyncCleanup(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.notify_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/notify/wechat"

    async def _notified(self, request: web.Request) -> web.Response:
        self.received.append((dict(request.headers), await request.read()))
        return self.answers.pop(0) if self.answers else web.Response(status=204)

    # Calls.

    def authorization(self, method: str, target: str, body: bytes, **changes: str) -> str:
        values = {
            "mchid": self.secret["mchid"],
            "nonce_str": secrets.token_hex(16).upper(),
            "timestamp": str(int(self.clock().timestamp())),
            "serial_no": self.secret["certificate_serial"],
        } | changes
        message = f"{method}\n{target}\n{values['timestamp']}\n{values['nonce_str']}\n{body.decode()}\n"
        if self.secret["signature"] == "sm2":
            der = base64.b64decode("".join(self.secret["private_key"].splitlines()[1:-1]))
            key = sm2.Key.from_pkcs8(der)
            scheme, signature = "WECHATPAY2-SM2-WITH-SM3", base64.b64encode(key.sign(message.encode())).decode()
        else:
            scheme = "WECHATPAY2-SHA256-RSA2048"
            signature = rsa_sign(private_key(self.secret["private_key"]), message)
        values = {"signature": signature} | values | changes
        return scheme + " " + ",".join(f'{name}="{value}"' for name, value in values.items())

    async def raw(self, method: str, target: str, body: bytes = b"", **headers: str | None) -> tuple[int, dict, bytes]:
        """Status, headers and body; None leaves a header out."""
        wanted = {
            "Accept": "application/json",
            "User-Agent": "test",
            "Authorization": self.authorization(method, target, body),
        }
        if body:
            wanted["Content-Type"] = "application/json"
        if "public_key_id" in self.secret:
            wanted["Wechatpay-Serial"] = self.secret["public_key_id"]
        wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(
            method,
            URL(f"{self.base}/wechat{target}", encoded=True),
            data=body or None,
            headers={name: value for name, value in wanted.items() if value is not None},
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
        ) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def api(self, method: str, target: str, body: dict | None = None, **headers) -> tuple[int, dict | None]:
        """Status and body of an answer; a success must be signed, a refusal must not."""
        sent = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        status, found, raw = await self.raw(method, target, sent, **headers)
        if status < 300:
            self.verify(found, raw)
        else:
            self.assertNotIn("Wechatpay-Signature", found)
        self.assertRegex(found["Request-ID"], r"^[0-9A-F]{32}-[0-9]+$")
        return status, json.loads(raw) if raw else None

    async def refused(self, status: int, code: str, method: str, target: str, body: dict | None = None) -> dict:
        found, answer = await self.api(method, target, body)
        self.assertEqual((found, answer["code"]), (status, code), answer)
        return answer

    def order(self, number: str = NUMBER, **changes) -> dict:
        return {
            "appid": self.secret["appid"],
            "mchid": self.secret["mchid"],
            "description": "CA数字证书 企业版",
            "out_trade_no": number,
            "notify_url": self.notify_url,
            "amount": {"total": 22000, "currency": "CNY"},
        } | changes

    async def native(self, number: str = NUMBER, **changes) -> str:
        status, answer = await self.api("POST", NATIVE, self.order(number, **changes))
        self.assertEqual((status, list(answer)), (200, ["code_url"]))
        return answer["code_url"]

    async def query(self, number: str = NUMBER) -> dict:
        target = f"/v3/pay/transactions/out-trade-no/{number}?mchid={self.secret['mchid']}"
        status, answer = await self.api("GET", target)
        self.assertEqual(status, 200, answer)
        return answer

    async def close(self, number: str = NUMBER) -> tuple[int, dict | None]:
        target = f"/v3/pay/transactions/out-trade-no/{number}/close"
        return await self.api("POST", target, {"mchid": self.secret["mchid"]})

    async def refund(self, refund: int, number: str = "R1", **changes) -> tuple[int, dict]:
        amount = {"refund": refund, "total": 22000, "currency": "CNY"}
        body = {"out_trade_no": NUMBER, "out_refund_no": number, "notify_url": self.notify_url, "amount": amount}
        return await self.api("POST", "/v3/refund/domestic/refunds", body | changes)

    async def refund_status(self, number: str = "R1") -> str:
        status, answer = await self.api("GET", f"/v3/refund/domestic/refunds/{number}")
        self.assertEqual(status, 200, answer)
        return answer["status"]

    async def pay(self, number: str = NUMBER, **options) -> list[dict]:
        return (await self.control("wechat/pay", {"out_trade_no": number} | options))["notifications"]

    async def trade(self, number: str = NUMBER) -> dict:
        trades = (await self.read("/trades.json"))["trades"]
        return next(trade for trade in trades if trade["out_trade_no"] == number)

    # What comes back.

    def verify(self, headers: dict[str, str], body: bytes) -> None:
        """Raises where nobody whom the merchant trusts signed."""
        self.assertLess(abs(int(headers["Wechatpay-Timestamp"]) - self.clock().timestamp()), 300)
        message = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n{body.decode()}\n"
        key = self.trusted[headers["Wechatpay-Serial"]]
        if isinstance(key, tuple):
            self.assertEqual(headers["Wechatpay-Signature-Type"], "WECHATPAY2-SM2-WITH-SM3")
            if not sm2.verifies(key, message.encode(), base64.b64decode(headers["Wechatpay-Signature"])):
                raise InvalidSignature
            return
        self.assertEqual(headers["Wechatpay-Signature-Type"], "WECHATPAY2-SHA256-RSA2048")
        rsa_check(key, message, headers["Wechatpay-Signature"])

    def opened(self, place: int = -1) -> tuple[dict, dict]:
        """Envelope and plain text of a notification that verifies."""
        headers, body = self.received[place]
        self.verify(headers, body)
        envelope = json.loads(body)
        return envelope, json.loads(decrypted(envelope["resource"], self.secret["api_v3_key"]))

    async def download_certificates(self, kind: str = "") -> list[x509.Certificate]:
        """Loads the platform certificates, then verifies the answer that brought them."""
        target = "/v3/certificates" + (f"?algorithm_type={kind}" if kind else "")
        status, headers, raw = await self.raw("GET", target, **{"Wechatpay_Serial": None})
        self.assertEqual(status, 200, raw)
        certificates = []
        for entry in json.loads(raw)["data"]:
            certificate = x509.load_pem_x509_certificate(
                decrypted(entry["encrypt_certificate"], self.secret["api_v3_key"])
            )
            self.assertEqual(entry["serial_no"], f"{certificate.serial_number:040X}")
            self.trusted[entry["serial_no"]] = public_key_of(certificate)
            certificates.append(certificate)
        self.verify(headers, raw)
        return certificates


def public_key_of(certificate: x509.Certificate):
    """PEM for RSA, the point for SM2."""
    if certificate.signature_algorithm_oid.dotted_string == "1.2.156.10197.1.501":
        point = certificate.tbs_certificate_bytes
        at = point.index(b"\x03\x42\x00\x04")
        return sm2.decode_point(point[at + 3 : at + 68])
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
