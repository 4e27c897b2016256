"""The payment gateway: one URL, the method in a parameter, RSA2 both ways."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from aiohttp import web

from .bill import Bills
from .notify import Notifier
from .options import NOTIFY_OPTIONS, Options, options
from .rsa2 import load_public, rsa2_verifies
from .state import BEIJING, Misuse, World
from .trades import BUYER_ID, BUYER_LOGON_ID, TIME_FORMAT, Refund, Refused, Trade, Trades, invalid, yuan
from .wire import FORM, control_body, decoded_pairs, no_answer

# The real window is not published. An hour finds what matters: UTC sent for GMT+8.
TIMESTAMP_WINDOW = timedelta(hours=1)


class GatewayError(Exception):
    """A refusal by the gateway itself, before any business: unsigned, under `error_response`."""

    MESSAGES = {"40001": "Missing Required Arguments", "40002": "Invalid Arguments", "40005": "Call Limited"}

    def __init__(self, code: str, sub_code: str, sub_msg: str, status: int = 200):
        super().__init__(sub_code)
        self.status = status
        self.node = {
            "code": code,
            "msg": self.MESSAGES[code],
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
        self._certificates = world.config.alipay_certificates
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
            web.post("/control/alipay/refund", self.control_refund),
            web.post("/control/alipay/scan", self._control(self.trades.scan)),
            web.post("/control/alipay/expire", self._control(self.trades.expire)),
            web.post("/control/alipay/finish", self._control(self.trades.finish)),
        ]

    async def call(self, request: web.Request) -> web.Response:
        faults = self.world.faults
        try:
            params = merged(request.raw_path.partition("?")[2], request.content_type, await request.read())
            method, biz = self._admit(params)
            if faults.take("alipay", "timeout_before_processing"):
                return await no_answer(self.world, request)
            if faults.take("alipay", "rate_limited"):
                raise GatewayError("40005", "isv.app-call-limited", "应用调用次数超限", status=429)
        except GatewayError as error:
            return _refusal(error)
        try:
            if faults.take("alipay", "system_error"):
                raise Refused("ACQ.SYSTEM_ERROR", "系统错误")
            node = {"code": "10000", "msg": "Success"} | self._methods[method](biz, params, request)
        except Refused as refusal:
            node = {"code": "40004", "msg": "Business Failed", "sub_code": refusal.sub_code, "sub_msg": refusal.sub_msg}
            node |= refusal.echo
        if faults.take("alipay", "timeout_after_processing"):
            return await no_answer(self.world, request)
        return self._signed(method.replace(".", "_") + "_response", node)

    def _signed(self, name: str, node: dict) -> web.Response:
        text = node_text(node)
        body = f'{{"{name}":{text}'
        if self._certificates is not None:
            sn = self._certificates["alipay_cert_sn"]
            if self.world.faults.on("alipay", "wrong_cert_sn"):
                sn = sn[::-1]
            body += f',"alipay_cert_sn":"{sn}"'
        body += f',"sign":"{self.notifier.sign_raw(text)}"}}'
        return web.Response(text=body, content_type="text/html", charset="utf-8")

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
        self._check_certificates(params)
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

    def _check_certificates(self, params: dict[str, str]) -> None:
        """In certificate mode a request names the certificates that it goes by."""
        if self._certificates is None:
            return
        for name, wrong in (
            ("app_cert_sn", "app-cert-not-exist"),
            ("alipay_root_cert_sn", "invalid-alipay-root-cert-sn"),
        ):
            if not params.get(name):
                raise GatewayError("40002", f"isv.missing-{name.replace('_', '-')}", f"缺少{name}参数")
            if params[name] != self._certificates[name]:
                raise GatewayError("40002", f"isv.{wrong}", f"{name}不正确")

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
        if moved:
            wanted = options({"retry": True}, self.world.faults, "alipay")
            self.world.in_background(self._notify(trade, wanted, refund))
        node = {
            "buyer_logon_id": BUYER_LOGON_ID,
            "buyer_user_id": BUYER_ID,
            "fund_change": "Y" if moved else "N",
            "gmt_refund_pay": refund.at.strftime(TIME_FORMAT),
            "out_trade_no": trade.out_trade_no,
            "refund_fee": yuan(trade.refunded_fen),
            "trade_no": trade.trade_no,
        }
        if _asks_for(biz, "refund_detail_item_list"):
            node["refund_detail_item_list"] = [{"amount": yuan(refund.amount_fen), "fund_channel": "ALIPAYACCOUNT"}]
            node["send_back_fee"] = yuan(refund.amount_fen)
        return node

    def _refund_query(self, biz: dict, _params: dict, _request: web.Request) -> dict:
        trade, refund = self.trades.refund_asked(biz)
        if refund is None:
            # As the real gateway does: a success that says nothing of a refund.
            return {}
        node = {
            "out_request_no": refund.request_no,
            "out_trade_no": trade.out_trade_no,
            "refund_amount": yuan(refund.amount_fen),
            "refund_status": "REFUND_SUCCESS",
            "total_amount": yuan(trade.amount_fen),
            "trade_no": trade.trade_no,
        }
        if refund.status != "SUCCESS":
            del node["refund_status"]
        elif _asks_for(biz, "gmt_refund_pay"):
            node["gmt_refund_pay"] = refund.at.strftime(TIME_FORMAT)
        return node

    def _bill(self, biz: dict, _params: dict, request: web.Request) -> dict:
        token = self.bills.order(biz)
        return {"bill_download_url": f"http://{request.host}/alipay/bill/{token}"}

    # The control calls.

    async def control_pay(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_trade_no", "paid", "amount", *NOTIFY_OPTIONS})
        wanted = options(wish, self.world.faults, "alipay")
        act = self.trades.pay if wish.get("paid", True) else self.trades.as_if_paid
        return await self._told(act(wish.get("out_trade_no"), wanted.amount_fen), wanted)

    async def control_notify(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_trade_no", "amount", *NOTIFY_OPTIONS})
        trade = self.trades.known_paid(wish.get("out_trade_no"))
        return await self._told(trade, options(wish, self.world.faults, "alipay"))

    async def control_refund(self, request: web.Request) -> web.Response:
        """A refund that did not move money ends one way or the other; money that moved is told of."""
        wish = await control_body(request, {"out_trade_no", "out_request_no", "status", *NOTIFY_OPTIONS})
        status = wish.get("status", "SUCCESS")
        if status not in ("SUCCESS", "CLOSED"):
            raise Misuse("status is SUCCESS or CLOSED")
        wanted = options(wish, self.world.faults, "alipay")
        trade, refund = self.trades.settle_refund(wish.get("out_trade_no"), wish.get("out_request_no"), status)
        if status == "CLOSED":
            return web.json_response({"notifications": []})
        return await self._told(trade, wanted, refund)

    async def _told(self, trade: Trade, wanted: Options, refund: Refund | None = None) -> web.Response:
        return web.json_response({"notifications": await self._notify(trade, wanted, refund)})

    async def _notify(self, trade: Trade, wanted: Options, refund: Refund | None = None) -> list[dict]:
        if not wanted.send:
            return []
        if wanted.amount_fen is not None and refund is None:
            trade = replace(trade, amount_fen=wanted.amount_fen)
        values = self.notifier.parameters(trade, app_id=wanted.app_id, refund=refund)
        signed = self.notifier.signed(values, stray_key=wanted.stray_key)
        return await self.notifier.send(trade, signed, times=wanted.times, retry=wanted.retry)

    def _control(self, act: Callable[[object], Trade]):
        async def handle(request: web.Request) -> web.Response:
            wish = await control_body(request, {"out_trade_no"})
            return web.json_response(describe(act(wish.get("out_trade_no"))))

        return handle


def _asks_for(biz: dict, name: str) -> bool:
    """Some parts of an answer only come to those who ask for them."""
    options_asked = biz.get("query_options")
    return isinstance(options_asked, list) and name in options_asked


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


def _refusal(error: GatewayError) -> web.Response:
    return web.Response(
        text=f'{{"error_response":{node_text(error.node)}}}',
        status=error.status,
        content_type="text/html",
        charset="utf-8",
    )


def describe(trade: Trade) -> dict:
    """A trade for the page and for control calls."""
    return {
        "provider": "alipay",
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "subject": trade.content["subject"],
        "amount": yuan(trade.amount_fen),
        "status": trade.status,
        "paid_fen": trade.amount_fen if trade.paid_at is not None else 0,
        "refunded": yuan(trade.refunded_fen),
        "refunded_fen": trade.refunded_fen,
        "refunds": [
            {"request_no": refund.request_no, "fen": refund.amount_fen, "status": refund.status}
            for refund in trade.refunds.values()
        ],
        "qr_code": trade.qr_code,
        "created_at": trade.created_at.isoformat(timespec="seconds"),
        "scan_by": trade.scan_by.isoformat(timespec="seconds"),
        "notifications": trade.notifications,
    }
