"""Delivery receipts of SMS, pushed to the platform as each provider pushes them: unsigned, to an address with a secret end."""

from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from .delivery import is_loopback
from .state import Misuse, World
from .wire import control_body

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
TIMEOUT_SECONDS = 10.0
ANSWER_MAX_BYTES = 4_096
TIMES_MAX = 10
PATHS = {"aliyun": "/api/notify/sms/aliyun/", "tencent": "/api/notify/sms/tencent/"}
# What a provider wants to read; anything else, and it would push again.
REPLIES = {"aliyun": '{"code":0,"msg":"接收成功"}', "tencent": '{"result":0,"errmsg":"OK"}'}


class Receipts:
    """Pushes receipts; never to another machine."""

    def __init__(self, world: World):
        self.world = world
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/control/sms/receipt", self.control_receipt)]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def after_sending(self, number: str) -> None:
        """Pushes a receipt by itself where the switch names the platform."""
        base = self.world.faults.on("sms", "receipts_to")
        if base is not None:
            self.world.in_background(self._push(base, self._message(number), success=True))

    async def control_receipt(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"biz_id", "success", "code", "platform", "token", "times"})
        number, success = wish.get("biz_id"), wish.get("success", True)
        if not isinstance(number, str) or not isinstance(success, bool):
            raise Misuse("biz_id is the message's number, success true or false")
        base = wish.get("platform", self.world.faults.on("sms", "receipts_to"))
        if not isinstance(base, str):
            raise Misuse("platform is the platform's base URL, unless the switch sms.receipts_to names it")
        times = wish.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= TIMES_MAX:
            raise Misuse(f"times is 1 to {TIMES_MAX}")
        code, token = wish.get("code"), wish.get("token")
        if not all(text is None or isinstance(text, str) for text in (code, token)):
            raise Misuse("code and token are texts")
        message = self._message(number)
        pushes = [await self._push(base, message, success=success, code=code, token=token) for _ in range(times)]
        return web.json_response({"pushes": pushes})

    def _message(self, number: str) -> dict:
        found = next((sms for sms in self.world.sms if sms["biz_id"] == number), None)
        if found is None:
            raise Misuse("no message has this number", 404)
        return found

    async def _push(
        self, base: str, message: dict, *, success: bool, code: str | None = None, token: str | None = None
    ) -> dict:
        provider = message["provider"]
        url = base.rstrip("/") + PATHS[provider] + (token or self.world.config.receipt_token)
        if not await is_loopback(urlsplit(url).hostname or ""):
            return {"status": None, "body": "", "error": "the platform is not on this machine", "accepted": False}
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        body = self._aliyun(message, success, code) if provider == "aliyun" else self._tencent(message, success, code)
        try:
            async with self._session.post(url, json=body, allow_redirects=False) as answer:
                text = (await answer.content.read(ANSWER_MAX_BYTES)).decode("utf-8", errors="replace")
                accepted = answer.status == 200 and text == REPLIES[provider]
                return {"status": answer.status, "body": text, "accepted": accepted}
        except (aiohttp.ClientError, TimeoutError) as reason:
            return {"status": None, "body": "", "error": type(reason).__name__, "accepted": False}

    def _aliyun(self, message: dict, success: bool, code: str | None) -> list[dict]:
        at = self.world.beijing().strftime(TIME_FORMAT)
        return [
            {
                "phone_number": message["to"],
                "send_time": at,
                "report_time": at,
                "success": success,
                "err_code": code or ("DELIVERED" if success else "MOBILE_NOT_ON_SERVICE"),
                "err_msg": "用户接收成功" if success else "号码不在服务区",
                "sms_size": "1",
                "biz_id": message["biz_id"],
                "out_id": message["out_id"],
            }
        ]

    def _tencent(self, message: dict, success: bool, code: str | None) -> list[dict]:
        return [
            {
                "user_receive_time": self.world.beijing().strftime(TIME_FORMAT),
                "nationcode": "86",
                "mobile": message["to"],
                "report_status": "SUCCESS" if success else "FAIL",
                "errmsg": code or ("DELIVRD" if success else "UNDELIV"),
                "description": "用户短信送达成功" if success else "短信送达失败",
                "sid": message["biz_id"],
            }
        ]
