"""What the tests share: a running outside world, a clock that stands still, and clients that sign on their own."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import sys
import unittest
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, quote

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from yarl import URL

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from sandbox.app import Outside  # noqa: E402
from sandbox.keys import fresh  # noqa: E402
from sandbox.state import World  # noqa: E402

# Test cases run the loop in debug mode, which tells of each slow step.
logging.getLogger("asyncio").setLevel(logging.ERROR)

FIXTURES = HERE / "fixtures"
VECTORS = json.loads((FIXTURES / "vectors.json").read_text(encoding="utf-8"))
START = datetime(2024, 5, 20, 2, 11, 12, tzinfo=UTC)

# Synthetic numbers with right check characters.
ID_NUMBER = "430102199003070012"
CREDIT_CODE = "91430100MA4L00003Q"
BANK_CARD = "6217000010001234569"
MOBILE = "13800138000"


def pem(name: str) -> str:
    return (FIXTURES / f"{name}.test-key.pem").read_text(encoding="ascii")


@cache
def private_key(text: str):
    return serialization.load_pem_private_key(text.encode(), None)


def rsa_sign(key, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def rsa_check(public_pem: str, text: str, signature: str) -> None:
    """Raises InvalidSignature when the signature is not the key's."""
    key = serialization.load_pem_public_key(public_pem.encode())
    key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), hashes.SHA256())


class Clock:
    """Time for the world; moves only by hand."""

    def __init__(self):
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span) -> None:
        self.at += timedelta(**span)


class Platform:
    """A receiver of notifications: answers what the test put down, then `success`."""

    def __init__(self):
        self.received: list[dict[str, str]] = []
        self.answers: list[web.Response] = []
        # Pushes of SMS receipts: path and body.
        self.receipts: list[tuple[str, list]] = []
        self.url = ""
        self.base = ""
        self._runner = None

    async def start(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/notify/alipay", self._notify),
                web.post("/api/notify/sms/{provider}/{token}", self._receipts),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = f"{self.base}/api/notify/alipay"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _notify(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
        pairs = parse_qsl((await request.read()).decode("ascii"), strict_parsing=True, keep_blank_values=True)
        self.received.append(dict(pairs))
        return self.answers.pop(0) if self.answers else web.Response(text="success")


    async def _receipts(self, request: web.Request) -> web.Response:
        self.receipts.append((request.path, await request.json()))
        reply = {"aliyun": '{"code":0,"msg":"接收成功"}', "tencent": '{"result":0,"errmsg":"OK"}'}
        text = reply[request.match_info["provider"]]
        return self.answers.pop(0) if self.answers else web.Response(text=text, content_type="application/json")


class OutsideTest(unittest.IsolatedAsyncioTestCase):
    """Each test has a world of its own on free ports."""

    SECRETS, CONFIG = fresh(0)

    async def asyncSetUp(self):
        self.clock = Clock()
        self.world = World(self.CONFIG, self.clock)
        self.world.hold_seconds = 0.5
        self.outside = Outside(self.world)
        self.outside.gateway.notifier.gaps = (0.01,) * 7
        await self.outside.start(0, 0)
        self.addAsyncCleanup(self.outside.stop)
        self.base = f"http://127.0.0.1:{self.outside.port}"
        self.http = aiohttp.ClientSession()
        self.addAsyncCleanup(self.http.close)
        self.platform = Platform()
        await self.platform.start()
        self.addAsyncCleanup(self.platform.stop)

    async def until(self, reached) -> None:
        for _ in range(300):
            if reached():
                return
            await asyncio.sleep(0.01)
        self.fail("did not happen in three seconds")

    # Control and page.

    async def control(self, path: str, wish: dict, status: int = 200) -> dict:
        async with self.http.post(f"{self.base}/control/{path}", json=wish) as answer:
            body = await answer.json()
            self.assertEqual(answer.status, status, body)
            return body

    async def read(self, path: str) -> dict:
        async with self.http.get(self.base + path) as answer:
            self.assertEqual(answer.status, 200)
            return await answer.json()

    # The payment gateway.

    def alipay_params(self, method: str, biz: dict, **changes: str) -> dict[str, str]:
        beijing = self.clock() + timedelta(hours=8)
        params = {
            "app_id": self.SECRETS["alipay"]["app_id"],
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing.strftime("%Y-%m-%d %H:%M:%S"),
            "version": "1.0",
            "notify_url": self.platform.url,
            "biz_content": json.dumps(biz, ensure_ascii=False),
        } | changes
        text = "&".join(f"{name}={params[name]}" for name in sorted(params) if params[name] != "")
        return params | {"sign": rsa_sign(private_key(self.SECRETS["alipay"]["app_private_key"]), text)}

    async def alipay_raw(self, params: dict[str, str]) -> str:
        """Public parameters in the query, biz_content in the form, as the official clients do."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in params.items() if name != "biz_content")
        body = "biz_content=" + quote(params["biz_content"], safe="")
        async with self.http.post(
            URL(f"{self.base}/alipay/gateway.do?{query}", encoded=True),
            data=body,
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
        ) as answer:
            self.assertEqual(answer.status, 200)
            return await answer.text()

    async def alipay(self, method: str, **biz) -> dict:
        """The node of a signed answer; its signature is checked over the raw text."""
        text = await self.alipay_raw(self.alipay_params(method, biz))
        head = '{"' + method.replace(".", "_") + '_response":'
        self.assertTrue(text.startswith(head), text)
        node, _, tail = text[len(head) :].rpartition(',"sign":"')
        self.assertTrue(tail.endswith('"}'), text)
        rsa_check(self.SECRETS["alipay"]["alipay_public_key"], node, tail[:-2])
        return json.loads(node)

    async def precreate(self, number: str = "20230422A0007_01", **changes) -> dict:
        biz = {"out_trade_no": number, "total_amount": "220.00", "subject": "CA数字证书 企业版"} | changes
        return await self.alipay("alipay.trade.precreate", **biz)

    # The cloud APIs.

    def acs3_headers(self, action, version, keys, query, body=b"", **changes) -> dict[str, str]:
        headers = {
            "host": f"127.0.0.1:{self.outside.port}",
            "x-acs-action": action,
            "x-acs-version": version,
            "x-acs-date": self.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        }
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        headers |= changes
        names = sorted(headers)
        rfc3986 = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items()))
        canonical = "\n".join(
            [
                "POST",
                "/",
                rfc3986,
                "".join(f"{name}:{headers[name]}\n" for name in names),
                ";".join(names),
                hashlib.sha256(body).hexdigest(),
            ]
        )
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new(keys["access_key_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (
            f"ACS3-HMAC-SHA256 Credential={keys['access_key_id']},SignedHeaders={';'.join(names)},Signature={signature}"
        )
        return headers

    async def post_cloud(self, query: dict, body: bytes, headers: dict) -> tuple[int, dict]:
        async with self.http.post(f"{self.base}/aliyun/", params=query, data=body or None, headers=headers) as answer:
            return answer.status, await answer.json()

    async def cloud(self, action, version, keys, *, query=None, form=None) -> tuple[int, dict]:
        query = query or {}
        body = "&".join(f"{k}={quote(v, safe='-_.~')}" for k, v in sorted((form or {}).items())).encode()
        return await self.post_cloud(query, body, self.acs3_headers(action, version, keys, query, body))

    async def send_sms(self, **changes) -> tuple[int, dict]:
        secret = self.SECRETS["sms"]
        query = {
            "PhoneNumbers": MOBILE,
            "SignName": secret["sign_name"],
            "TemplateCode": secret["template_code"],
            "TemplateParam": '{"code":"123456"}',
        } | changes
        query = {name: value for name, value in query.items() if value is not None}
        return await self.cloud("SendSms", "2017-05-25", secret, query=query)

    # Tencent's API.

    def tc3_headers(self, service: str, action: str, version: str, key: tuple[str, str], body: bytes, **changes) -> dict:
        stamp = int(self.clock().timestamp())
        headers = {
            "content-type": "application/json; charset=utf-8",
            "host": f"127.0.0.1:{self.outside.port}",
            "x-tc-action": action,
            "x-tc-version": version,
            "x-tc-timestamp": str(stamp),
            "x-tc-region": "ap-guangzhou",
        } | changes
        date = datetime.fromtimestamp(int(headers["x-tc-timestamp"]), UTC).date().isoformat()
        canonical = (
            f"POST\n/\n\ncontent-type:{headers['content-type'].lower()}\nhost:{headers['host']}\n"
            f"x-tc-action:{action.lower()}\n\ncontent-type;host;x-tc-action\n{hashlib.sha256(body).hexdigest()}"
        )
        scope = f"{date}/{service}/tc3_request"
        text = f"TC3-HMAC-SHA256\n{headers['x-tc-timestamp']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signing = b"TC3" + key[1].encode()
        for part in scope.split("/"):
            signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (
            f"TC3-HMAC-SHA256 Credential={key[0]}/{scope}, "
            f"SignedHeaders=content-type;host;x-tc-action, Signature={signature}"
        )
        return headers

    async def post_tencent(self, body: bytes, headers: dict) -> dict:
        async with self.http.post(f"{self.base}/tencent/", data=body, headers=headers) as answer:
            self.assertEqual(answer.status, 200)
            response = (await answer.json())["Response"]
            self.assertTrue(response["RequestId"])
            return response

    async def tencent(self, service: str, action: str, version: str, params: dict, key=None, **changes) -> dict:
        account = self.CONFIG.tencent
        own = "sms" if service == "sms" else "identity"
        key = key or (account[f"{own}_secret_id"], account[f"{own}_secret_key"])
        body = json.dumps(params, ensure_ascii=False).encode()
        return await self.post_tencent(body, self.tc3_headers(service, action, version, key, body, **changes))

    async def send_tencent(self, **changes) -> dict:
        params = {
            "PhoneNumberSet": ["+86" + MOBILE],
            "SmsSdkAppId": self.CONFIG.tencent["sdk_app_id"],
            "SignName": self.CONFIG.sign_name,
            "TemplateId": "1400001",
            "TemplateParamSet": ["123456"],
            "SessionContext": "o-1",
        } | changes
        return await self.tencent("sms", "SendSms", "2021-01-11", params)

    # The bank.

    async def bank(self, method: str, path: str, order: dict | None = None, **changes) -> tuple[int, dict]:
        body = b"" if order is None else json.dumps(order, ensure_ascii=False).encode()
        secret = self.SECRETS["bank"]
        stamp = changes.get("stamp", str(int(self.clock().timestamp())))
        text = f"{method}\n{path}\n{stamp}\n{hashlib.sha256(body).hexdigest()}"
        headers = {
            "X-Client-Id": secret["client_id"],
            "X-Timestamp": stamp,
            "X-Signature": hmac.new(secret["client_secret"].encode(), text.encode(), hashlib.sha256).hexdigest(),
        } | changes.get("headers", {})
        async with self.http.request(method, self.base + path, data=body or None, headers=headers) as answer:
            return answer.status, await answer.json()
