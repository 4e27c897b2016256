"""A service that follows parcels of all couriers: subscriptions, signed pushes to a callback, questions."""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web

from .delivery import is_loopback
from .state import BEIJING, Misuse, World, remember
from .wire import FORM, control_body, decoded_pairs, no_answer

QUESTION_GAP = timedelta(minutes=30)
DELIVERY_TIMEOUT_SECONDS = 10.0
ANSWER_MAX_BYTES = 4_096
DELIVERIES_KEPT = 50
TIMES_MAX = 20
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"

COMPANIES = {
    "shunfeng", "ems", "youzhengguonei", "jd", "zhongtong", "yuantong", "shentong", "yunda", "jtexpress",
    "debangkuaidi", "zhaijisong", "danniao",
}  # fmt: skip
# Couriers that tell nothing without the end of a telephone number.
WANT_PHONE = {"shunfeng", "zhongtong"}
STATES = {
    "0": "在途", "1": "揽收", "2": "疑难", "3": "签收", "4": "退签", "5": "派件", "6": "退回", "7": "转投",
    "10": "待清关", "11": "清关中", "12": "已清关", "13": "清关异常", "14": "拒签",
}  # fmt: skip
SUBSCRIPTION = {"company", "number", "from", "to", "key", "parameters"}
PARAMETERS = {"callbackurl", "salt", "resultv2", "autoCom", "phone"}
QUESTION = {"com", "num", "phone", "from", "to", "resultv2", "show", "order"}
PUSH = {"number", "state", "at", "wrong_sign", "times", "status", "another_number"}


class Refused(Exception):
    """An answer that is not success."""

    def __init__(self, code: str, message: str):
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass
class Parcel:
    """A parcel that was subscribed to."""

    company: str
    number: str
    callback_url: str
    salt: str
    phone: str
    # When, and in which state.
    events: list[tuple[datetime, str]] = field(default_factory=list)
    deliveries: list[dict] = field(default_factory=list)


class Kuaidi100:
    """`POST /kuaidi100/poll` and `POST /kuaidi100/poll/query.do`."""

    def __init__(self, world: World):
        self.world = world
        self.parcels: dict[str, Parcel] = {}
        self._asked: dict[str, datetime] = {}
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/kuaidi100/poll", self.subscribe),
            web.post("/kuaidi100/poll/query.do", self.query),
            web.post("/control/kuaidi100/push", self.control_push),
            web.get("/parcels.json", self.list_parcels),
        ]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def forget(self) -> None:
        self.parcels.clear()
        self._asked.clear()

    async def subscribe(self, request: web.Request) -> web.Response:
        try:
            form = await _form(request)
            if form.get("schema") != "json":
                raise Refused("700", "schema只支持json")
            self._subscribe(_param(form, SUBSCRIPTION))
        except Refused as refused:
            return _refusal(refused)
        if self.world.faults.take("kuaidi100", "timeout"):
            return await no_answer(self.world, request)
        return web.json_response({"result": True, "returnCode": "200", "message": "提交成功"})

    def _subscribe(self, param: dict) -> None:
        refuse = self.world.faults.on("kuaidi100", "refuse")
        if refuse is not None:
            raise Refused(refuse, "订阅失败")
        if not _same(param.get("key", ""), self.world.config.kuaidi100_key):
            raise Refused("600", "您不是合法的订阅者（即授权Key出错）")
        company, number, parameters = param.get("company", ""), param.get("number", ""), param.get("parameters")
        if company not in COMPANIES:
            raise Refused("702", "POLL:识别不到该单号对应的快递公司")
        if re.fullmatch(r"[0-9A-Za-z_-]{6,32}", number) is None or not isinstance(parameters, dict):
            raise Refused("700", "订阅方的订阅数据存在错误")
        unknown = set(parameters) - PARAMETERS
        if unknown or not all(isinstance(value, str) for value in parameters.values()):
            raise Refused("700", f"parameters存在错误：{sorted(unknown)}")
        phone, callback = parameters.get("phone", ""), parameters.get("callbackurl", "")
        if company in WANT_PHONE and re.fullmatch(r"[0-9]{4}|1[0-9]{10}", phone) is None:
            raise Refused("700", "该快递公司需要收件人或寄件人电话")
        if urlsplit(callback).scheme not in ("http", "https"):
            raise Refused("700", "callbackurl不正确")
        if number in self.parcels:
            raise Refused("501", "重复订阅")
        remember(self.parcels, number, Parcel(company, number, callback, parameters.get("salt", ""), phone))

    async def query(self, request: web.Request) -> web.Response:
        config = self.world.config
        try:
            form = await _form(request)
            text = form.get("param", "")
            due = md5(text + config.kuaidi100_key + config.kuaidi100_customer).upper()
            if form.get("customer") != config.kuaidi100_customer or not _same(form.get("sign", ""), due):
                raise Refused("503", "验证签名失败")
            answer = self._answer(_param(form, QUESTION))
        except Refused as refused:
            return _refusal(refused)
        if self.world.faults.take("kuaidi100", "timeout"):
            return await no_answer(self.world, request)
        return web.json_response(answer)

    def _answer(self, param: dict) -> dict:
        company, number, phone = (param.get(name, "") for name in ("com", "num", "phone"))
        if company not in COMPANIES or not number:
            raise Refused("400", "提交的数据不完整或者贵公司没授权")
        now = self.world.now()
        asked = self._asked.get(number)
        if asked is not None and now - asked < QUESTION_GAP:
            raise Refused("502", "查询过于频繁，该单号已被锁定")
        remember(self._asked, number, now)
        parcel = self.parcels.get(number)
        if company in WANT_PHONE and (not phone or parcel is not None and not parcel.phone.endswith(phone[-4:])):
            raise Refused("408", "快递公司需要验证收、寄件人电话")
        if parcel is None or not parcel.events:
            raise Refused("500", "查询无结果，请隔段时间再查")
        return result(parcel, parcel.events)

    async def control_push(self, request: web.Request) -> web.Response:
        """Something happens to a parcel, and the service tells of it."""
        wish = await control_body(request, PUSH)
        parcel = self.parcels.get(str(wish.get("number")))
        if parcel is None:
            raise Misuse("nobody subscribed to this number", 404)
        state, times, status = str(wish.get("state", "0")), wish.get("times", 1), wish.get("status", "polling")
        if re.fullmatch(r"[0-9]{1,4}", state) is None or status not in ("polling", "shutdown", "abort"):
            raise Misuse("state is a number of up to four digits, status polling, shutdown or abort")
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= TIMES_MAX:
            raise Misuse(f"times is a number from 1 to {TIMES_MAX}")
        at = _time(wish["at"]) if "at" in wish else self.world.beijing()
        parcel.events.append((at, state))
        parcel.events.sort(key=lambda event: event[0])
        # What was known when it happened: pushes are sent out of order too.
        until = [event for event in parcel.events if event[0] <= at]
        last = result(parcel, until) | {"state": state}
        if "another_number" in wish:
            last["nu"] = str(wish["another_number"])
        param = json.dumps({"status": status, "billstatus": "got", "message": "", "lastResult": last}, ensure_ascii=False)
        signature = md5(param + parcel.salt)
        if wish.get("wrong_sign") is True:
            signature = md5(param + "wrong")
        body = urlencode({"sign": signature.upper(), "param": param})
        answers = [await self._deliver(parcel.callback_url, body) for _ in range(times)]
        parcel.deliveries += answers
        del parcel.deliveries[:-DELIVERIES_KEPT]
        return web.json_response({"deliveries": answers})

    async def _deliver(self, url: str, body: str) -> dict:
        if not await is_loopback(urlsplit(url).hostname or ""):
            return {"status": None, "body": "", "error": "callbackurl is not on this machine"}
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DELIVERY_TIMEOUT_SECONDS))
        headers = {"Content-Type": f"{FORM}; charset=UTF-8"}
        try:
            async with self._session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer:
                raw = await answer.content.read(ANSWER_MAX_BYTES)
                return {"status": answer.status, "body": raw.decode("utf-8", errors="replace")}
        except (aiohttp.ClientError, TimeoutError) as reason:
            return {"status": None, "body": "", "error": type(reason).__name__}

    async def list_parcels(self, _request: web.Request) -> web.Response:
        parcels = [
            {
                "company": parcel.company,
                "number": parcel.number,
                "callback_url": parcel.callback_url,
                "phone": parcel.phone,
                "states": [state for _at, state in parcel.events],
                "deliveries": parcel.deliveries,
            }
            for parcel in self.parcels.values()
        ]
        return web.json_response({"parcels": parcels})


def result(parcel: Parcel, events: list[tuple[datetime, str]]) -> dict:
    """What is known of a parcel, newest first, with sentences that name people as couriers write them."""
    data = [
        {
            "time": at.strftime(TIME_FORMAT),
            "ftime": at.strftime(TIME_FORMAT),
            "context": f"【长沙市】{STATES.get(state, '其他')}，快递员：刘某某（13900000000）",
            "status": STATES.get(state, "其他"),
        }
        for at, state in reversed(events)
    ]
    state = events[-1][1]
    return {
        "message": "ok", "nu": parcel.number, "com": parcel.company, "ischeck": "1" if state == "3" else "0",
        "condition": "00", "status": "200", "state": state, "data": data,
    }  # fmt: skip


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


async def _form(request: web.Request) -> dict[str, str]:
    try:
        return dict(decoded_pairs((await request.read()).decode("ascii")))
    except ValueError:
        raise Refused("400", "表单格式错误") from None


def _param(form: dict[str, str], names: set[str]) -> dict:
    try:
        param = json.loads(form.get("param", ""))
    except ValueError:
        param = None
    if not isinstance(param, dict):
        raise Refused("400", "param不是JSON对象")
    unknown = set(param) - names
    if unknown or not all(isinstance(value, str) for name, value in param.items() if name != "parameters"):
        raise Refused("700", f"param存在错误：{sorted(unknown)}")
    return param


def _time(text) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(BEIJING)
    except (TypeError, ValueError):
        raise Misuse("at is an RFC 3339 time") from None


def _same(given: str, due: str) -> bool:
    return hmac.compare_digest(given.encode(), due.encode())


def _refusal(refused: Refused) -> web.Response:
    return web.json_response({"result": False, "returnCode": refused.code, "message": refused.message})
