"""The control calls that play WeChat Pay's buyer, bank and clock, and what the page shows of its orders."""

from collections.abc import Callable

from aiohttp import web

from .options import NOTIFY_OPTIONS, options
from .state import Misuse, World
from .trades import yuan
from .wechat_notify import Notifier
from .wechat_orders import Order, Orders
from .wire import control_body

REFUND_ENDS = ("SUCCESS", "ABNORMAL", "CLOSED")


class Controls:
    """`POST /control/wechat/…`."""

    def __init__(self, world: World, orders: Orders, notifier: Notifier):
        self.world = world
        self._orders = orders
        self._notifier = notifier

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/control/wechat/pay", self._pay),
            web.post("/control/wechat/notify", self._notify),
            web.post("/control/wechat/refund", self._refund),
            web.post("/control/wechat/scan", self._plain(self._orders.scan)),
            web.post("/control/wechat/expire", self._plain(self._orders.expire)),
        ]

    async def _pay(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_trade_no", "paid", "amount", *NOTIFY_OPTIONS})
        wanted = options(wish, self.world.faults, "wechat")
        act = self._orders.pay if wish.get("paid", True) else self._orders.as_if_paid
        order = act(wish.get("out_trade_no"), wanted.amount_fen)
        return _told(await self._notifier.tell_of_payment(order, wanted))

    async def _notify(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_trade_no", "amount", *NOTIFY_OPTIONS})
        order = self._orders.known_paid(wish.get("out_trade_no"))
        return _told(await self._notifier.tell_of_payment(order, options(wish, self.world.faults, "wechat")))

    async def _refund(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"out_refund_no", "status", *NOTIFY_OPTIONS})
        status = wish.get("status", "SUCCESS")
        if status not in REFUND_ENDS:
            raise Misuse(f"status is one of {', '.join(REFUND_ENDS)}")
        wanted = options(wish, self.world.faults, "wechat")
        refund = self._orders.settled_by_hand(wish.get("out_refund_no"), status)
        return _told(await self._notifier.tell_of_refund(refund, wanted))

    @staticmethod
    def _plain(act: Callable[[object], Order]):
        async def handle(request: web.Request) -> web.Response:
            wish = await control_body(request, {"out_trade_no"})
            return web.json_response(describe(act(wish.get("out_trade_no"))))

        return handle


def _told(answers: list[dict]) -> web.Response:
    return web.json_response({"notifications": answers})


def describe(order: Order) -> dict:
    """An order in the shape of the other provider's trades."""
    return {
        "provider": "wechat",
        "out_trade_no": order.out_trade_no,
        "trade_no": order.transaction_id,
        "subject": order.content["description"],
        "amount": yuan(order.total_fen),
        "status": order.state,
        "scanned": order.scanned,
        "paid_fen": order.total_fen if order.paid_at is not None else 0,
        "refunded": yuan(order.refunded_fen),
        "refunded_fen": order.refunded_fen,
        "refunds": [
            {"request_no": refund.out_refund_no, "fen": refund.fen, "status": refund.status}
            for refund in order.refunds.values()
        ],
        "qr_code": order.code_url,
        "created_at": order.created_at.isoformat(timespec="seconds"),
        "scan_by": order.scan_by.isoformat(timespec="seconds"),
        "notifications": order.notifications,
        "probe_accepted": any(record.get("probe_accepted") for record in order.notifications),
    }
