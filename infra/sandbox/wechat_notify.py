"""Notifications of WeChat Pay: encrypted once, signed anew at each delivery, repeated until they are taken."""

import json
import secrets

from .delivery import Delivery
from .options import Options
from .state import World
from .wechat_orders import OPENID, Order, Refund
from .wechat_sign import AES, PROBE_PREFIX, SM4, Signer, sealed, signed_headers
from .wechat_signers import Keys

ACCEPTED = (200, 204)
# The real gaps are 15 s, 15 s, 30 s, 3 min, 10 min, 20 min, thrice 30 min, 1 h, thrice 3 h, twice 6 h.
RETRY_GAPS_SECONDS = (1, 1, 2, 3, 5, 8, 10, 10, 10, 15, 20, 20, 20, 30, 30)
NOTIFICATIONS_KEPT_PER_ORDER = 50
STATE_TEXTS = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}
REFUND_TEXTS = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}
RECEIVED_BY = "支付用户零钱"


class Notifier:
    """Tells the merchant of payments and refunds."""

    def __init__(self, world: World, keys: Keys):
        self.world = world
        self.gaps = RETRY_GAPS_SECONDS
        self.delivery = Delivery(world, "wechat")
        self._keys = keys

    async def tell_of_payment(self, order: Order, options: Options) -> list[dict]:
        config = self.world.config.wechat
        plain = transaction(order, config["mchid"], options.app_id or config["appid"], options.amount_fen)
        # A payment's notification says SUCCESS, also one that is sent again after a refund.
        plain |= {"trade_state": "SUCCESS", "trade_state_desc": STATE_TEXTS["SUCCESS"]}
        return await self._send(order, order.notify_url, "TRANSACTION.SUCCESS", "支付成功", plain, options)

    async def tell_of_refund(self, refund: Refund, options: Options) -> list[dict]:
        if refund.notify_url is None:
            return []
        plain = refund_notice(refund, self.world.config.wechat["mchid"])
        kind, summary = f"REFUND.{refund.status}", REFUND_TEXTS[refund.status]
        return await self._send(refund.order, refund.notify_url, kind, summary, plain, options)

    async def _send(
        self, order: Order, url: str, kind: str, summary: str, plain: dict, options: Options
    ) -> list[dict]:
        if not options.send:
            return []
        now = self.world.beijing()
        event_id = f"EV-{now:%Y%m%d%H%M%S}{secrets.randbelow(10**12):012d}"
        algorithm = SM4 if self._keys.mode == "sm" else AES
        key = self.world.config.wechat["api_v3_key"]
        resource = sealed(algorithm, key, compact(plain), kind.partition(".")[0].lower())
        body = event(event_id, now.isoformat(timespec="seconds"), kind, summary, resource)
        record = {"notify_id": event_id, "trade_status": kind, "at": self.world.stamp(), "deliveries": []}
        order.notifications.append(record)
        del order.notifications[:-NOTIFICATIONS_KEPT_PER_ORDER]

        async def deliver() -> list[dict]:
            if self.world.faults.take("wechat", "probe") and await self._probe(url, body, record):
                return list(record["deliveries"])
            for _ in range(options.times):
                record["deliveries"].append(await self._deliver(url, body, options.stray_key))
            answers = list(record["deliveries"])
            if options.retry and not accepted(answers):
                self.world.in_background(self._repeat(url, body, options.stray_key, record["deliveries"]))
            return answers

        return await self.delivery.in_order(deliver)

    async def _probe(self, url: str, body: bytes, record: dict) -> bool:
        """Comes with a signature that is none; answers whether it was taken all the same."""
        headers = self._headers(self._keys.for_notification(), body)
        headers["Wechatpay-Signature"] = PROBE_PREFIX + headers["Wechatpay-Signature"]
        answer = await self.delivery.post(url, body, headers) | {"probe": True}
        record["deliveries"].append(answer)
        if answer["status"] is not None and 200 <= answer["status"] < 300:
            record["probe_accepted"] = True
        return "probe_accepted" in record

    async def _repeat(self, url: str, body: bytes, stray_key: bool, deliveries: list[dict]) -> None:
        for gap in self.gaps:
            if not await self.world.pause(gap):
                return
            deliveries.append(await self._deliver(url, body, stray_key))
            if accepted(deliveries):
                return

    async def _deliver(self, url: str, body: bytes, stray_key: bool) -> dict:
        signer = self._keys.stray() if stray_key else self._keys.for_notification()
        return await self.delivery.post(url, body, self._headers(signer, body))

    def _headers(self, signer: Signer, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Accept": "*/*",
            "User-Agent": "Mozilla/4.0",
            "Request-ID": secrets.token_hex(16).upper(),
            **signed_headers(signer, body, self.world.now()),
        }


def event(event_id: str, at: str, kind: str, summary: str, resource: dict[str, str]) -> bytes:
    """The body of a notification around an encrypted resource."""
    return compact(
        {
            "id": event_id,
            "create_time": at,
            "resource_type": "encrypt-resource",
            "event_type": kind,
            "summary": summary,
            "resource": {"original_type": kind.partition(".")[0].lower(), **resource},
        }
    )


def transaction(order: Order, mchid: str, appid: str, total_fen: int | None = None) -> dict:
    """An order as queries and notifications show it."""
    total = order.total_fen if total_fen is None else total_fen
    found = {"mchid": mchid, "appid": appid, "out_trade_no": order.out_trade_no}
    if order.paid_at is not None:
        found |= {"transaction_id": order.transaction_id, "trade_type": "NATIVE"}
    found |= {"trade_state": order.state, "trade_state_desc": STATE_TEXTS[order.state]}
    if order.paid_at is None:
        return found | {"attach": order.content.get("attach", ""), "amount": {"total": total, "currency": "CNY"}}
    return found | {
        "bank_type": "CMB_DEBIT",
        "attach": order.content.get("attach", ""),
        "success_time": order.paid_at.isoformat(timespec="seconds"),
        "payer": {"openid": OPENID},
        "amount": {"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
    }


def refund_notice(refund: Refund, mchid: str) -> dict:
    found = {
        "mchid": mchid,
        "out_trade_no": refund.order.out_trade_no,
        "transaction_id": refund.order.transaction_id,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": refund.status,
    }
    if refund.success_at is not None:
        found["success_time"] = refund.success_at.isoformat(timespec="seconds")
    total = refund.order.total_fen
    amount = {"total": total, "refund": refund.fen, "payer_total": total, "payer_refund": refund.fen}
    return found | {"amount": amount, "user_received_account": RECEIVED_BY}


def compact(value: dict) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def accepted(deliveries: list[dict]) -> bool:
    return any(delivery["status"] in ACCEPTED for delivery in deliveries)
