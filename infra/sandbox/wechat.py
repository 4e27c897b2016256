"""WeChat Pay v3 under `/wechat`: the calls of a merchant with native payment."""

import json
import re
import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from . import wechat_fields as fields
from .options import options
from .state import World
from .wechat_auth import Merchant
from .wechat_bill import Bills
from .wechat_control import Controls
from .wechat_error import ApiError, invalid
from .wechat_notify import RECEIVED_BY, Notifier, compact, transaction
from .wechat_orders import Orders, Refund
from .wechat_sign import AES, SM4, Signer, sealed, signed_headers
from .wechat_signers import Keys
from .wire import no_answer

PREFIX = "/wechat"
# A refund is under way for this long unless a control call or a fault decides.
REFUND_SECONDS = 2.0
FILE_PATH = "/v3/billdownload/file"
# Faults of calls leave these two alone: their number depends on caches of the caller.
WITHOUT_FAULTS = ("/v3/certificates", FILE_PATH)

Answer = tuple[int, dict | None]


class WechatPay:
    """One merchant's WeChat Pay."""

    def __init__(self, world: World):
        self.world = world
        self.config = world.config.wechat
        self.keys = Keys(world)
        self.orders = Orders(world)
        self.notifier = Notifier(world, self.keys)
        self.bills = Bills(world, self.orders)
        self.controls = Controls(world, self.orders, self.notifier)
        self.refund_seconds = REFUND_SECONDS
        self._merchant = Merchant(self.config["mchid"], self.config["certificate_serial"], self.keys.merchant)
        self._calls: list[tuple[str, re.Pattern, Callable[..., Answer]]] = [
            (method, re.compile(pattern), handle)
            for method, pattern, handle in (
                ("POST", r"/v3/pay/transactions/native", self._native),
                ("GET", r"/v3/pay/transactions/out-trade-no/([^/]+)", self._query),
                ("GET", r"/v3/pay/transactions/id/([^/]+)", self._query_by_id),
                ("POST", r"/v3/pay/transactions/out-trade-no/([^/]+)/close", self._close),
                ("POST", r"/v3/refund/domestic/refunds", self._refund),
                ("GET", r"/v3/refund/domestic/refunds/([^/]+)", self._refund_query),
                ("POST", r"/v3/refund/domestic/refunds/([^/]+)/apply-abnormal-refund", self._abnormal_refund),
                ("GET", r"/v3/bill/tradebill", self._trade_bill),
                ("GET", r"/v3/bill/fundflowbill", self._fund_bill),
                ("GET", r"/v3/certificates", self._certificates),
            )
        ]

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", PREFIX + "/{tail:.*}", self.call), *self.controls.routes()]

    async def call(self, request: web.Request) -> web.Response:
        """Signs what succeeds with the key that the request asks for, and nothing else."""
        raw = request.raw_path
        path = request.raw_path.removeprefix(PREFIX).partition("?")[0]
        faults = self.world.faults
        try:
            body = await request.read()
            self._admit(request, body)
            signer = self.keys.for_answer(request.headers.get("Wechatpay-Serial"))
            if signer is None:
                raise ApiError(400, "PARAM_ERROR", "HTTP头Wechatpay-Serial不是有效的微信支付公钥ID或平台证书序列号")
            query = self._query_of(raw)
            if request.method == "GET" and path == FILE_PATH:
                return self.bills.download(query)
            fails = path not in WITHOUT_FAULTS
            if fails and faults.take("wechat", "timeout_before_processing"):
                return await no_answer(self.world, request)
            if fails and faults.take("wechat", "rate_limited"):
                raise ApiError(429, "RATELIMIT_EXCEEDED", "请求频率超限")
            if fails and faults.take("wechat", "system_error"):
                raise ApiError(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
            if fails and faults.take("wechat", "accepted_not_done"):
                status, node = 202, None
            else:
                status, node = self._answer(request, path, query, body)
        except ApiError as error:
            headers = {"Request-ID": f"{secrets.token_hex(16).upper()}-{error.number}"}
            return web.json_response(error.body, status=error.status, headers=headers, dumps=_text)
        if fails and faults.take("wechat", "timeout_after_processing"):
            return await no_answer(self.world, request)
        return self._signed(status, node, signer)

    def _admit(self, request: web.Request, body: bytes) -> None:
        accept = request.headers.get("Accept", "")
        if not request.headers.get("User-Agent") or not any(kind in accept for kind in ("application/json", "*/*")):
            raise ApiError(400, "PARAM_ERROR", "Http头缺少Accept或User-Agent")
        targets = (request.raw_path.removeprefix(PREFIX), request.raw_path)
        authorization = request.headers.get("Authorization", "")
        self._merchant.verify(request.method, targets, authorization, body, self.world.now())
        if body and request.content_type != "application/json":
            raise ApiError(400, "PARAM_ERROR", "Http头Content-Type不是application/json")

    def _answer(self, request: web.Request, path: str, query: dict[str, str], body: bytes) -> Answer:
        for method, pattern, handle in self._calls:
            match = pattern.fullmatch(path)
            if match is not None and method == request.method:
                names = [unquote(part) for part in match.groups()]
                return handle(*names, query=query, body=body, request=request)
        raise ApiError(404, "RESOURCE_NOT_EXISTS", "接口不存在")

    @staticmethod
    def _query_of(raw: str) -> dict[str, str]:
        text = raw.partition("?")[2]
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict") if text else []
        except ValueError:
            pairs = [("", ""), ("", "")]
        if len(dict(pairs)) != len(pairs):
            raise ApiError(400, "PARAM_ERROR", "查询参数格式不正确")
        return dict(pairs)

    def _signed(self, status: int, node: dict | None, signer: Signer) -> web.Response:
        body = b"" if node is None else compact(node)
        headers = {"Request-ID": f"{secrets.token_hex(16).upper()}-0", **signed_headers(signer, body, self.world.now())}
        if node is None:
            return web.Response(status=status, headers=headers)
        return web.Response(body=body, status=status, content_type="application/json", charset="utf-8", headers=headers)

    # The calls: parameters in, status and inside of the answer out.

    def _native(self, *, body: bytes, **_rest) -> Answer:
        content = fields.native(body)
        self._check_mchid(content["mchid"])
        if content["appid"] != self.config["appid"]:
            raise ApiError(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        order = self.orders.create(content, fields.moment(content.get("time_expire")))
        return 200, {"code_url": order.code_url}

    def _query(self, number: str, *, query: dict[str, str], **_rest) -> Answer:
        self._check_mchid(query.get("mchid"))
        return self._shown(number=number)

    def _query_by_id(self, transaction_id: str, *, query: dict[str, str], **_rest) -> Answer:
        self._check_mchid(query.get("mchid"))
        return self._shown(transaction_id=transaction_id)

    def _close(self, number: str, *, body: bytes, **_rest) -> Answer:
        self._check_mchid(fields.check(fields.parsed(body), fields.CLOSE)["mchid"])
        self.orders.close(number)
        return 204, None

    def _refund(self, *, body: bytes, **_rest) -> Answer:
        refund, made = self.orders.refund(fields.refund(body))
        if made:
            self._under_way(refund)
        return 200, self._described(refund)

    def _refund_query(self, number: str, **_rest) -> Answer:
        return 200, self._described(self.orders.refund_asked(number))

    def _abnormal_refund(self, refund_id: str, *, body: bytes, **_rest) -> Answer:
        refund = self.orders.retry_refund(refund_id, fields.abnormal_refund(body)["out_refund_no"])
        self._under_way(refund)
        return 200, self._described(refund)

    def _trade_bill(self, *, query: dict[str, str], request: web.Request, **_rest) -> Answer:
        return 200, self._bill(self.bills.order_trades(query), request)

    def _fund_bill(self, *, query: dict[str, str], request: web.Request, **_rest) -> Answer:
        return 200, self._bill(self.bills.order_funds(query), request)

    def _certificates(self, *, query: dict[str, str], **_rest) -> Answer:
        """Merchants that only ever had the public key have no certificates."""
        if self.keys.mode == "public-key":
            message = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。"
            raise ApiError(404, "RESOURCE_NOT_EXISTS", message)
        kind = query.get("algorithm_type", "RSA")
        if set(query) - {"algorithm_type"} or kind not in ("RSA", "SM2", "ALL"):
            raise invalid("algorithm_type", "格式不正确")
        kinds = ("RSA", "SM2") if kind == "ALL" else (kind,)
        return 200, {"data": [self._certificate(kind) for kind in kinds]}

    def _certificate(self, kind: str) -> dict:
        found = self.keys.certificates[kind]
        plain = found.pem.encode("ascii")
        return {
            "serial_no": found.serial,
            "effective_time": found.start.isoformat(timespec="seconds"),
            "expire_time": found.end.isoformat(timespec="seconds"),
            "encrypt_certificate": sealed(
                SM4 if kind == "SM2" else AES, self.config["api_v3_key"], plain, "certificate"
            ),
        }

    def _check_mchid(self, mchid: str | None) -> None:
        if mchid is None:
            raise invalid("mchid", "缺少必填参数")
        if mchid != self.config["mchid"]:
            raise ApiError(400, "MCH_NOT_EXISTS", "商户号不存在")

    def _shown(self, **which: str) -> Answer:
        return 200, transaction(self.orders.find(**which), self.config["mchid"], self.config["appid"])

    def _bill(self, ordered: tuple[str, str], request: web.Request) -> dict:
        token, digest = ordered
        url = f"http://{request.host}{PREFIX}{FILE_PATH}?token={token}"
        return {"hash_type": "SHA1", "hash_value": digest, "download_url": url}

    @staticmethod
    def _described(refund: Refund) -> dict:
        total = refund.order.total_fen
        found = {
            "refund_id": refund.refund_id,
            "out_refund_no": refund.out_refund_no,
            "transaction_id": refund.order.transaction_id,
            "out_trade_no": refund.order.out_trade_no,
            "channel": "ORIGINAL",
            "user_received_account": RECEIVED_BY,
            "create_time": refund.created_at.isoformat(timespec="seconds"),
            "status": refund.status,
            "funds_account": "AVAILABLE",
            "amount": {
                "total": total,
                "refund": refund.fen,
                "payer_total": total,
                "payer_refund": refund.fen,
                "settlement_refund": refund.fen,
                "settlement_total": total,
                "discount_refund": 0,
                "currency": "CNY",
            },
        }
        if refund.success_at is not None:
            found["success_time"] = refund.success_at.isoformat(timespec="seconds")
        return found

    def _under_way(self, refund: Refund) -> None:
        if refund.ends_as != "PROCESSING":
            self.world.in_background(self._end(refund))

    async def _end(self, refund: Refund) -> None:
        """The bank decides, unless a control call did meanwhile."""
        if not await self.world.pause(self.refund_seconds) or refund.status != "PROCESSING":
            return
        self.orders.settle(refund, refund.ends_as)
        await self.notifier.tell_of_refund(refund, options({"retry": True}, self.world.faults, "wechat"))


def _text(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False)
