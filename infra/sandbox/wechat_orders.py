"""Orders of WeChat Pay: what a merchant may ask of them and what a buyer may do to them."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .state import Misuse, World, remember
from .wechat_error import ApiError, invalid

# A code is valid for two hours, an order for seven days unless it names its end.
CODE_LIFE = timedelta(hours=2)
ORDER_LIFE = timedelta(days=7)
REFUND_LIFE = timedelta(days=365)
REFUNDS_MAX = 50
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


@dataclass
class Refund:
    """One refund, known by the merchant's number. `ends_as` is what the bank makes of it."""

    out_refund_no: str
    refund_id: str
    content: dict
    order: "Order"
    fen: int
    created_at: datetime
    ends_as: str
    status: str = "PROCESSING"
    success_at: datetime | None = None

    @property
    def notify_url(self) -> str | None:
        return self.content.get("notify_url")


@dataclass
class Order:
    """An order with its latest code. `transaction_id` is None until it is paid."""

    out_trade_no: str
    content: dict
    total_fen: int
    code_url: str
    created_at: datetime
    scan_by: datetime
    pay_by: datetime
    transaction_id: str | None = None
    scanned: bool = False
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)
    notifications: list[dict] = field(default_factory=list)

    @property
    def notify_url(self) -> str:
        return self.content["notify_url"]

    @property
    def state(self) -> str:
        if self.closed_at is not None:
            return "CLOSED"
        if self.paid_at is None:
            return "NOTPAY"
        return "REFUND" if any(refund.status != "CLOSED" for refund in self.refunds.values()) else "SUCCESS"

    @property
    def refunded_fen(self) -> int:
        """What really went back."""
        return sum(refund.fen for refund in self.refunds.values() if refund.status == "SUCCESS")

    @property
    def promised_fen(self) -> int:
        """What went back or still may."""
        return sum(refund.fen for refund in self.refunds.values() if refund.status != "CLOSED")


class Orders:
    """All orders of the one merchant."""

    def __init__(self, world: World):
        self.world = world
        self.by_number: dict[str, Order] = {}
        self.refunds: dict[str, Refund] = {}

    def forget(self) -> None:
        self.by_number.clear()
        self.refunds.clear()

    # What the merchant asks for.

    def create(self, content: dict, pay_by: datetime | None) -> Order:
        number, now = content["out_trade_no"], self.world.beijing()
        pay_by = pay_by or now + ORDER_LIFE
        order = self.by_number.get(number)
        if order is None:
            if not now < pay_by <= now + ORDER_LIFE:
                raise invalid("time_expire", "不在允许的时间范围内")
            total = content["amount"]["total"]
            order = Order(number, content, total, code_url="", created_at=now, scan_by=now, pay_by=pay_by)
            remember(self.by_number, number, order)
        else:
            self._expire(order)
            if order.paid_at is not None:
                raise ApiError(400, "ORDERPAID", "该订单已支付")
            if order.closed_at is not None:
                raise ApiError(400, "ORDER_CLOSED", "该订单已关闭")
            if order.content != content:
                raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        order.code_url = "weixin://wxpay/bizpayurl?pr=" + secrets.token_urlsafe(7)[:9]
        order.scan_by = min(order.pay_by, now + CODE_LIFE)
        return order

    def find(self, *, number: str | None = None, transaction_id: str | None = None) -> Order:
        if transaction_id is not None:
            order = next((order for order in self.by_number.values() if order.transaction_id == transaction_id), None)
        else:
            order = self.by_number.get(number)
        if order is None or (number is not None and order.out_trade_no != number):
            raise ApiError(404, "ORDER_NOT_EXIST", "订单不存在")
        self._expire(order)
        return order

    def close(self, number: str) -> None:
        order = self.find(number=number)
        if order.paid_at is not None:
            raise ApiError(400, "ORDERPAID", "该订单已支付")
        if order.closed_at is not None:
            raise ApiError(400, "ORDER_CLOSED", "该订单已关闭")
        order.closed_at = self.world.beijing()

    def refund(self, content: dict) -> tuple[Refund, bool]:
        """The refund, and whether this very call made it."""
        try:
            order = self.find(number=content.get("out_trade_no"), transaction_id=content.get("transaction_id"))
        except ApiError:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "订单不存在") from None
        number, amount, now = content["out_refund_no"], content["amount"], self.world.beijing()
        known = self.refunds.get(number)
        if known is not None:
            if known.content != content:
                raise ApiError(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            return known, False
        if order.paid_at is None:
            raise ApiError(403, "TRADE_ERROR", "订单未支付")
        if amount["total"] != order.total_fen:
            raise invalid("/amount/total", "与原订单金额不一致")
        if order.promised_fen + amount["refund"] > order.total_fen:
            raise ApiError(400, "INVALID_REQUEST", "申请退款金额超过订单可退金额")
        if now > order.paid_at + REFUND_LIFE or len(order.refunds) >= REFUNDS_MAX:
            raise ApiError(403, "RULE_LIMIT", "超过退款期限或次数")
        faults = self.world.faults
        if faults.take("wechat", "not_enough"):
            raise ApiError(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
        ends_as = "SUCCESS"
        for name, status in (
            ("refund_abnormal", "ABNORMAL"), ("refund_closed", "CLOSED"), ("refund_pending", "PROCESSING")
        ):  # fmt: skip
            if ends_as == "SUCCESS" and faults.take("wechat", name):
                ends_as = status
        refund_id = "50" + now.strftime("%Y%m%d") + f"{self.world.next_id():019d}"
        refund = Refund(number, refund_id, content, order, amount["refund"], now, ends_as)
        order.refunds[number] = refund
        remember(self.refunds, number, refund)
        return refund, True

    def refund_asked(self, number: str) -> Refund:
        refund = self.refunds.get(number)
        if refund is None:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return refund

    def retry_refund(self, refund_id: str, number: str) -> Refund:
        """An abnormal refund gets another account and is under way again."""
        refund = self.refund_asked(number)
        if refund.refund_id != refund_id:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        if refund.status != "ABNORMAL":
            raise ApiError(400, "INVALID_REQUEST", "退款单状态不是退款异常")
        refund.status, refund.ends_as = "PROCESSING", "SUCCESS"
        return refund

    # What a buyer, a bank or time does.

    def scan(self, number) -> Order:
        order = self._payable(number)
        order.scanned = True
        return order

    def pay(self, number, total_fen: int | None = None) -> Order:
        order = self._payable(number)
        if total_fen is not None:
            order.total_fen = total_fen
        order.paid_at = self.world.beijing()
        order.transaction_id = self._transaction_id(order.paid_at)
        return order

    def as_if_paid(self, number, total_fen: int | None = None) -> Order:
        """A copy that looks paid, for a notification that nothing stands behind."""
        order = self.known(number)
        at = order.paid_at or self.world.beijing()
        return replace(
            order,
            total_fen=order.total_fen if total_fen is None else total_fen,
            transaction_id=order.transaction_id or self._transaction_id(at),
            paid_at=at,
            closed_at=None,
        )

    def expire(self, number) -> Order:
        """Lets the time of the order pass."""
        order = self.known(number)
        now = self.world.beijing()
        order.scan_by, order.pay_by = min(order.scan_by, now), min(order.pay_by, now)
        self._expire(order)
        return order

    def settle(self, refund: Refund, status: str) -> None:
        refund.status = status
        refund.success_at = self.world.beijing() if status == "SUCCESS" else None

    def settled_by_hand(self, number, status: str) -> Refund:
        """What the bank decides; a second word on a refund that has ended must be the same."""
        refund = self.refunds.get(number) if isinstance(number, str) else None
        if refund is None:
            raise Misuse("no such out_refund_no", 404)
        if refund.status in ("SUCCESS", "CLOSED") and refund.status != status:
            raise Misuse(f"the refund is {refund.status}", 409)
        if refund.status != status:
            self.settle(refund, status)
        return refund

    def known_paid(self, number) -> Order:
        order = self.known(number)
        if order.paid_at is None:
            raise Misuse("the order was never paid", 409)
        return order

    def known(self, number) -> Order:
        order = self.by_number.get(number) if isinstance(number, str) else None
        if order is None:
            raise Misuse("no such out_trade_no", 404)
        return order

    def _payable(self, number) -> Order:
        order = self.known(number)
        self._expire(order)
        if order.state != "NOTPAY":
            raise Misuse(f"the order is {order.state}", 409)
        if self.world.beijing() >= order.scan_by:
            raise Misuse("the code has expired", 409)
        return order

    def _transaction_id(self, at: datetime) -> str:
        return "4200000000" + at.strftime("%Y%m%d") + f"{self.world.next_id():010d}"

    def _expire(self, order: Order) -> None:
        if order.state == "NOTPAY" and self.world.beijing() >= order.pay_by:
            order.closed_at = order.pay_by
