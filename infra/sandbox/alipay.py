"""The payment gateway: one URL, the method in a parameter, RSA2 both ways."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from aiohttp import web

from .bill import Bills
from .keys import load_public, rsa2_verifies
from .notify import Notifier
from .state import BEIJING, Misuse, World
from .trades import BUYER_ID, BUYER_LOGON_ID, TIME_FORMAT, Refused, Trade, Trades, invalid, parse_amount, yuan
from .wire import FORM, control_body, decoded_pairs, no_answer

# The real window is not published. An hour finds what matters: UTC sent for GMT+8.
TIMESTAMP_WINDOW = timedelta(hours=1)


class GatewayError(Exception):
    """A refusal by the gateway itself, before any business: unsigned, under `error_response`."""

    def __init__(self, code: str, sub_code: str, sub_msg: str):
        super().__init__(sub_code)
        self.node = {
            "code": code,
            "msg": "Missing Required Arguments" if code == "40001" else "Invalid Arguments",
            "sub_code": sub_code,
            "sub_msg": sub_msg,
        }


class Gateway:
    """`POST /alipay/gateway.do` and the control calls that play the buyer."""

    def __init__(self, world: World):
        self.world = world
        self.trades = Trades(world)
        self.notifier = Notifier(world)
        self.bills = Bills(world, self.trades)
        self._merchant = load_public(world.config.merchant_public_key)
        self._methods: dict[str, Callable[[dict, dict, web.Request], dict]] = {
            "alipay.trade.precreate": self._precreate,
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/alipay/gateway.do", self.call),
            web.get("/alipay/bill/{token}", self.bills.download),
            web.post("/control/alipay/pay", self.control_pay),
            web.post("/control/alipay/notify", self.control_notify),
            web.post("/control/alipay/scan", self._control(self.trades.scan)),
            web.post("/control/alipay/expire", self._control(self.trades.expire)),
            web.post("/control/alipay/finish", self._control(self.trades.finish)),
            web.get("/trades.json", self.list_trades),
        ]

    async def call(self, request: web.Request) -> web.Response:
        try:
            params = merged(request.raw_path.partition("?")[2], request.content_type, await request.read())
            method, biz = self._admit(params)
        except GatewayError as error:
            return _answer("error_response", error.node, None)
        try:
            if self.world.faults.take("alipay", "system_error"):
                raise Refused("ACQ.SYSTEM_ERROR", "系统错误")
            node = {"code": "10000", "msg": "Success"} | self._methods[method](biz, params, request)
        except Refused as refusal:
            node = {"code": "40004", "msg": "Business Failed", "sub_code": refusal.sub_code, "sub_msg": refusal.sub_msg}
            node |= refusal.echo
        if self.world.faults.take("alipay", "timeout_after_processing"):
            return await no_answer(self.world, request)
        return _answer(method.replace(".", "_") + "_response", node, self.notifier)

    def _admit(self, params: dict[str, str]) -> tuple[str, dict]:
        """The checks of the gateway, in its order: present, ours, signed, then the rest."""
        for name in ("method", "app_id", "sign", "sign_type", "timestamp", "charset", "version", "biz_content"):
            if not params.get(name):
                short = {"sign": "signature", "sign_type": "signature-type"}.get(name, name.replace("_", "-"))
                raise GatewayError("40001", f"isv.missing-{short}", f"缺少{name}参数")
        if params["app_id"] != self.world.config.app_id:
            raise GatewayError("40002", "isv.invalid-app-id", "无效的AppID参数")
        if params["sign_type"] != "RSA2":
            raise GatewayError("40002", "isv.invalid-signature-type", "无效的签名类型")
        text = request_string(params)
        if not rsa2_verifies(self._merchant, text, params["sign"]):
            raise GatewayError("40002", "isv.invalid-signature", f"验签出错，网关生成的验签字符串为：{text}")
        if params["charset"].lower() != "utf-8":
            raise GatewayError("40002", "isv.invalid-charset", "字符集错误")
        if params.get("format", "JSON").upper() != "JSON":
            raise GatewayError("40002", "isv.invalid-format", "无效的数据格式")
        if params["version"] != "1.0":
            raise GatewayError("40002", "isv.invalid-version", "无效的版本")
        self._check_timestamp(params["timestamp"])
        if params["method"] not in self._methods:
            raise GatewayError("40002", "isv.invalid-method", "不存在的方法名")
        try:
            biz = json.loads(params["biz_content"])
        except ValueError:
            biz = None
        if not isinstance(biz, dict):
            raise GatewayError("40002", "isv.invalid-parameter", "biz_content不是JSON对象")
        return params["method"], biz

    def _check_timestamp(self, text: str) -> None:
        try:
            at = datetime.strptime(text, TIME_FORMAT).replace(tzinfo=BEIJING)
        except ValueError:
            at = None
        # strptime also takes months and hours of one digit.
        if at is None or at.strftime(TIME_FORMAT) != text:
            raise GatewayError("40002", "isv.invalid-timestamp", "非法的时间戳参数")
        if abs(at - self.world.beijing()) > TIMESTAMP_WINDOW:
            raise GatewayError("40002", "isv.invalid-timestamp", "时间戳与北京时间相差过大")

    # The methods: parameters in, the inside of the answer out.

    def _precreate(self, biz: dict, params: dict, _request: web.Request) -> dict:
        notify_url = params.get("notify_url") or None
        if notify_url is not None:
            parts = urlsplit(notify_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise invalid("notify_url")
        trade = self.trades.precreate(biz, notify_url)
        return {"out_trade_no": trade.out_trade_no, "qr_code": trade.qr_code}

    def _query(self, biz: dict, _params: dict, _request: web.Request) -> dict:
        trade = self.trades.find(biz)
        paid = yuan(trade.amount_fen) if trade.paid_at else "0.00"
        node = {
            "buyer_logon_id": BUYER_LOGON_ID,
            "buyer_pay_amount": paid,
            "buyer_user_id": BUYER_ID,
            "invoice_amount": paid,
            "out_trade_no": trade.out_trade_no,
            "point_amount": "0.00",
            "receipt_amount": paid,
            "total_amount": yuan(trade.amount_fen),
            "trade_no": trade.trade_no,
            "trade_status": trade.status,
        }
        if trade.paid_at is not None:
            node["fund_bill_list"] = [{"amount": paid, "fund_channel": "ALIPAYACCOUNT"}]
            node["send_pay_date"] = trade.paid_at.strftime(TIME_FORMAT)
        return node

    def _close(self, biz: dict, _params: dict, _request: web.Request) -> dict:
        trade = self.trades.close(biz)
        return {"out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no}

    def _refund(self, biz: dict, _params: dict, _request: web.Request) -> dict:
        trade, refund, moved = self.trades.refund(biz)
        if moved and not self.world.faults.on("alipay", "drop_notify"):
            values = self.notifier.signed(self.notifier.parameters(trade, refund=refund))
            self.world.in_background(self._send_alone(trade, values))
        node = {
            "buyer_logon_id": BUYER_LOGON_ID,
            "buyer_user_id": BUYER_ID,
            "fund_change": "Y" if moved else "N",
            "gmt_refund_pay": refund.at.strftime(TIME_FORMAT),
            "out_trade_no": trade.out_trade_no,
            "refund_fee": yuan(trade.refunded_fen),
            "trade_no": trade.trade_no,
        }
        options = biz.get("query_options")
        if isinstance(options, list) and "refund_detail_item_list" in options:
            node["refund_detail_item_list"] = [{"amount": yuan(refund.amount_fen), "fund_channel": "ALIPAYACCOUNT"}]
            node["send_back_fee"] = yuan(refund.amount_fen)
        return node

    def _refund_query(self, biz: dict, _params: dict, _request: web.Request) -> dict:
        trade, refund = self.trades.refund_asked(biz)
        if refund is None:
            # As the real gateway does: a success that says nothing of a refund.
            return {}
        return {
            "out_request_no": refund.request_no,
            "out_trade_no": trade.out_trade_no,
            "refund_amount": yuan(refund.amount_fen),
            "refund_status": "REFUND_SUCCESS",
            "total_amount": yuan(trade.amount_fen),
            "trade_no": trade.trade_no,
        }

    def _bill(self, biz: dict, _params: dict, request: web.Request) -> dict:
        token = self.bills.order(biz)
        return {"bill_download_url": f"http://{request.host}/alipay/bill/{token}"}

    async def _send_alone(self, trade: Trade, values: dict[str, str]) -> None:
        await self.notifier.send(trade, values, retry=True)

    # The control calls.

    async def control_pay(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_trade_no", "retry", "paid", *NOTIFY_OPTIONS})
        amount = wish.get("amount", self.world.faults.on("alipay", "wrong_amount"))
        try:
            amount_fen = None if amount is None else parse_amount(amount, "amount")
        except Refused:
            raise Misuse("amount is yuan with two decimals") from None
        times = _times(wish, self.world.faults.on("alipay", "duplicate"))
        if wish.get("paid", True):
            trade = self.trades.pay(wish.get("out_trade_no"), amount_fen)
        else:
            trade = self.trades.as_if_paid(wish.get("out_trade_no"), amount_fen)
        return await self._notify(trade, wish, times)

    async def control_notify(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_trade_no", "retry", *NOTIFY_OPTIONS} - {"amount"})
        times = _times(wish, self.world.faults.on("alipay", "duplicate"))
        return await self._notify(self.trades.known_paid(wish.get("out_trade_no")), wish, times)

    async def _notify(self, trade: Trade, wish: dict, times: int) -> web.Response:
        faults = self.world.faults
        if faults.on("alipay", "drop_notify") or wish.get("notify") is False:
            return web.json_response({"notifications": []})
        values = self.notifier.parameters(trade, app_id=wish.get("app_id") or faults.on("alipay", "wrong_app_id"))
        stray = bool(wish.get("bad_signature")) or faults.on("alipay", "wrong_key")
        signed = self.notifier.signed(values, stray_key=stray)
        answers = await self.notifier.send(trade, signed, times=times, retry=wish.get("retry") is True)
        return web.json_response({"notifications": answers})

    def _control(self, act: Callable[[object], Trade]):
        async def handle(request: web.Request) -> web.Response:
            wish = await control_body(request, {"out_trade_no"})
            return web.json_response(describe(act(wish.get("out_trade_no"))))

        return handle

    async def list_trades(self, _request: web.Request) -> web.Response:
        return web.json_response({"trades": [describe(trade) for trade in self.trades.by_number.values()]})


NOTIFY_OPTIONS = ("times", "amount", "app_id", "bad_signature", "notify")
TIMES_MAX = 20


def _times(wish: dict, otherwise: int) -> int:
    times = wish.get("times", max(otherwise, 1))
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= TIMES_MAX:
        raise Misuse(f"times is 1 to {TIMES_MAX}")
    return times


def merged(query: str, content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of query and form together, each decoded once. A name may come once only."""
    if body and content_type != FORM:
        raise GatewayError("40002", "isv.invalid-parameter", f"请求体不是{FORM}")
    try:
        pairs = decoded_pairs(query) + decoded_pairs(body.decode("ascii"))
    except ValueError:
        raise GatewayError("40002", "isv.invalid-parameter", "参数编码错误") from None
    params = dict(pairs)
    if len(params) != len(pairs):
        raise GatewayError("40002", "isv.invalid-parameter", "参数重复")
    return params


def request_string(params: dict[str, str]) -> str:
    """What a request's signature covers: all but `sign` and empty values, decoded, in order of names."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "sign" and params[name] != "")


def node_text(node: dict) -> str:
    """The node as the real gateway writes it: no spaces, Chinese as it is, `/` as `\\/`."""
    return json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def _answer(name: str, node: dict, signer: Notifier | None) -> web.Response:
    text = node_text(node)
    body = f'{{"{name}":{text}' + (f',"sign":"{signer.sign_raw(text)}"}}' if signer else "}")
    return web.Response(text=body, content_type="text/html", charset="utf-8")


def describe(trade: Trade) -> dict:
    """A trade for the page and for control calls."""
    return {
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "subject": trade.content["subject"],
        "amount": yuan(trade.amount_fen),
        "status": trade.status,
        "refunded": yuan(trade.refunded_fen),
        "qr_code": trade.qr_code,
        "created_at": trade.created_at.isoformat(timespec="seconds"),
        "scan_by": trade.scan_by.isoformat(timespec="seconds"),
        "notifications": trade.notifications,
    }
