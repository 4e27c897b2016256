"""What the payment providers have in common for the page and for control calls."""

from aiohttp import web

from . import alipay, wechat_control
from .alipay import Gateway
from .wechat import WechatPay


class Payments:
    """`GET /trades.json`: the trades of all providers, oldest first."""

    def __init__(self, gateway: Gateway, wechat: WechatPay):
        self._gateway = gateway
        self._wechat = wechat
        self._deliveries = (gateway.notifier.delivery, wechat.notifier.delivery)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/trades.json", self._list)]

    def forget(self) -> None:
        """Forgets trades and what is held back of their notifications."""
        self._gateway.trades.by_number.clear()
        self._wechat.orders.forget()
        for delivery in self._deliveries:
            delivery.forget()

    async def release(self) -> None:
        for delivery in self._deliveries:
            await delivery.release()

    async def close(self) -> None:
        for delivery in self._deliveries:
            await delivery.close()

    async def _list(self, _request: web.Request) -> web.Response:
        trades = [alipay.describe(trade) for trade in self._gateway.trades.by_number.values()]
        orders = [wechat_control.describe(order) for order in self._wechat.orders.by_number.values()]
        return web.json_response({"trades": sorted(trades + orders, key=lambda one: one["created_at"])})
