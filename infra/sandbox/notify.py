"""Asynchronous notifications of the payment provider: built, signed, delivered, repeated."""

import json
import secrets
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from .delivery import Delivery
from .rsa2 import load_private, new_key, rsa2_sign
from .state import World
from .trades import BUYER_ID, BUYER_LOGON_ID, TIME_FORMAT, Refund, Trade, yuan

ACCEPTED = "success"
DELIVERIES_MAX = 8
# The real gaps are 4 min, 10 min, 10 min, 1 h, 2 h, 6 h, 15 h.
RETRY_GAPS_SECONDS = (1, 2, 3, 5, 8, 13, 21)
CONTENT_TYPE = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
NOTIFICATIONS_KEPT_PER_TRADE = 50


class Notifier:
    """Posts notifications; never to another machine."""

    def __init__(self, world: World):
        self.world = world
        self.gaps = RETRY_GAPS_SECONDS
        self._key = load_private(world.config.provider_private_key)
        self._stray_key: rsa.RSAPrivateKey | None = None
        self.delivery = Delivery(world, "alipay")

    def parameters(self, trade: Trade, *, refund: Refund | None = None, app_id: str | None = None) -> dict[str, str]:
        """The unsigned parameters of a notification about the trade as it is."""
        config, now = self.world.config, self.world.beijing()
        amount = yuan(trade.amount_fen)
        values = {
            "gmt_create": trade.created_at.strftime(TIME_FORMAT),
            "charset": "utf-8",
            "subject": trade.content["subject"],
            "buyer_id": BUYER_ID,
            "buyer_logon_id": BUYER_LOGON_ID,
            "invoice_amount": amount,
            "notify_id": now.strftime("%Y%m%d") + f"{secrets.randbelow(10**26):026d}",
            "fund_bill_list": json.dumps([{"amount": amount, "fundChannel": "ALIPAYACCOUNT"}], separators=(",", ":")),
            "notify_type": "trade_status_sync",
            "trade_status": trade.status,
            "receipt_amount": amount,
            "buyer_pay_amount": amount,
            "point_amount": "0.00",
            "total_amount": amount,
            "app_id": app_id or config.app_id,
            "auth_app_id": app_id or config.app_id,
            "seller_id": config.seller_id,
            "gmt_payment": trade.paid_at.strftime(TIME_FORMAT),
            "notify_time": now.strftime(TIME_FORMAT),
            "version": "1.0",
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "sign_type": "RSA2",
        }
        for name in ("body", "passback_params"):
            if trade.content.get(name):
                values[name] = trade.content[name]
        if refund is not None:
            values["refund_fee"] = yuan(refund.total_fen)
            values["gmt_refund"] = refund.at.strftime(TIME_FORMAT) + f".{refund.at.microsecond // 1000:03d}"
            values["out_biz_no"] = refund.request_no
        if trade.status == "TRADE_CLOSED" and trade.closed_at is not None:
            values["gmt_close"] = trade.closed_at.strftime(TIME_FORMAT)
        return values

    def signed(self, values: dict[str, str], *, stray_key: bool = False) -> dict[str, str]:
        return values | {"sign": rsa2_sign(self._stray() if stray_key else self._key, verify_string(values))}

    def sign_raw(self, text: str) -> str:
        """The provider's signature over the text of an answer."""
        return rsa2_sign(self._key, text)

    async def send(self, trade: Trade, values: dict[str, str], *, times: int = 1, retry: bool = False) -> list[dict]:
        """Delivers a signed notification `times` times and answers what came back; repeats in the background."""
        if trade.notify_url is None:
            return []
        record = {
            "notify_id": values["notify_id"],
            "trade_status": values["trade_status"],
            "at": self.world.stamp(),
            "deliveries": [],
        }
        trade.notifications.append(record)
        del trade.notifications[:-NOTIFICATIONS_KEPT_PER_TRADE]
        url, body = trade.notify_url, urlencode(values).encode("ascii")

        async def deliver() -> list[dict]:
            for _ in range(times):
                record["deliveries"].append(await self.delivery.post(url, body, CONTENT_TYPE))
            answers = list(record["deliveries"])
            if retry and not _accepted(answers):
                self.world.in_background(self._repeat(url, body, record["deliveries"]))
            return answers

        return await self.delivery.in_order(deliver)

    async def _repeat(self, url: str, body: bytes, deliveries: list[dict]) -> None:
        for gap in self.gaps[: DELIVERIES_MAX - len(deliveries)]:
            if not await self.world.pause(gap):
                return
            deliveries.append(await self.delivery.post(url, body, CONTENT_TYPE))
            if _accepted(deliveries):
                return

    def _stray(self) -> rsa.RSAPrivateKey:
        if self._stray_key is None:
            self._stray_key = new_key()
        return self._stray_key


def verify_string(values: dict[str, str]) -> str:
    """What a notification's signature covers: everything but `sign` and `sign_type`, decoded, in order of names."""
    return "&".join(f"{name}={values[name]}" for name in sorted(values) if name not in ("sign", "sign_type"))


def _accepted(deliveries: list[dict]) -> bool:
    return any(delivery["status"] == 200 and delivery["body"] == ACCEPTED for delivery in deliveries)
