"""Trades of the payment provider: what a merchant may ask of them and what a buyer may do to them."""

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .state import BEIJING, Misuse, World, remember

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,8})\.([0-9]{2})")
AMOUNT_MAX_FEN = 10_000_000_000
NUMBER = re.compile(r"[0-9A-Za-z_]{1,64}")
REQUEST_NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}")
DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")

DEFAULT_TIMEOUT = timedelta(hours=3)
TIMEOUT_MAX = timedelta(days=15)
# A code is valid for two hours at most, whatever the time-out says.
CODE_LIFE = timedelta(hours=2)

BUYER_ID = "2088000000000002"
BUYER_LOGON_ID = "abc***@example.com"

PRECREATE_FIELDS = {
    "out_trade_no", "total_amount", "subject", "product_code", "seller_id", "body", "goods_detail", "operator_id",
    "store_id", "terminal_id", "passback_params", "timeout_express", "time_expire", "qr_code_timeout_express",
    "extend_params", "discountable_amount", "undiscountable_amount", "business_params", "merchant_order_no",
}  # fmt: skip
# A repeated call may count its time-outs anew; everything else is the content of the trade.
TIMEOUT_FIELDS = {"timeout_express", "time_expire", "qr_code_timeout_express"}


class Refused(Exception):
    """A business refusal: code 40004 with this sub code."""

    def __init__(self, sub_code: str, sub_msg: str, **echo):
        super().__init__(sub_code)
        self.sub_code = sub_code
        self.sub_msg = sub_msg
        self.echo = echo


def invalid(what: str) -> Refused:
    return Refused("ACQ.INVALID_PARAMETER", f"参数无效：{what}")


@dataclass
class Refund:
    """One refund, known by the merchant's request number. `total_fen` is what went back up to and with it."""

    request_no: str
    amount_fen: int
    at: datetime
    total_fen: int = 0
    status: str = "PROCESSING"


@dataclass
class Trade:
    """A code that may be scanned and, once it was, the trade itself. `trade_no` is None before the scan."""

    out_trade_no: str
    content: dict
    amount_fen: int
    notify_url: str | None
    qr_code: str
    created_at: datetime
    scan_by: datetime
    pay_by: datetime
    trade_no: str | None = None
    status: str | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)
    notifications: list[dict] = field(default_factory=list)

    @property
    def refunded_fen(self) -> int:
        """What really went back."""
        return sum(refund.amount_fen for refund in self.refunds.values() if refund.status == "SUCCESS")

    @property
    def promised_fen(self) -> int:
        """What went back or still may."""
        return sum(refund.amount_fen for refund in self.refunds.values() if refund.status != "CLOSED")


class Trades:
    """All trades of the one merchant."""

    def __init__(self, world: World):
        self.world = world
        self.by_number: dict[str, Trade] = {}

    # What the merchant asks for.

    def precreate(self, biz: dict, notify_url: str | None) -> Trade:
        number, amount = self._check_precreate(biz)
        content = {name: value for name, value in biz.items() if name not in TIMEOUT_FIELDS}
        known = self.by_number.get(number)
        if known is not None:
            self._expire(known)
            if known.status == "TRADE_SUCCESS":
                raise Refused("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
            if known.status == "TRADE_FINISHED":
                raise Refused("ACQ.TRADE_HAS_FINISHED", "交易已完结")
            if known.status == "TRADE_CLOSED":
                raise Refused("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
            if known.content != content:
                raise Refused("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
            return known
        now = self.world.beijing()
        pay_by = _deadline(biz, now)
        scan_by = min(pay_by, now + min(CODE_LIFE, _duration(biz, "qr_code_timeout_express", now) or CODE_LIFE))
        trade = Trade(
            out_trade_no=number,
            content=content,
            amount_fen=amount,
            notify_url=notify_url,
            qr_code="https://qr.alipay.com/bax" + secrets.token_hex(11),
            created_at=now,
            scan_by=scan_by,
            pay_by=pay_by,
        )
        remember(self.by_number, number, trade)
        return trade

    def find(self, biz: dict) -> Trade:
        """The trade that a merchant means; there is none before a buyer scans."""
        trade_no, number = biz.get("trade_no"), biz.get("out_trade_no")
        for name, value in (("trade_no", trade_no), ("out_trade_no", number)):
            if value is not None and (not isinstance(value, str) or NUMBER.fullmatch(value) is None):
                raise invalid(name)
        if trade_no is None and number is None:
            raise invalid("out_trade_no和trade_no不能同时为空")
        if trade_no is not None:
            trade = next((trade for trade in self.by_number.values() if trade.trade_no == trade_no), None)
        else:
            trade = self.by_number.get(number)
        if trade is None or trade.trade_no is None:
            raise Refused("ACQ.TRADE_NOT_EXIST", "交易不存在", **({"out_trade_no": number} if number else {}))
        self._expire(trade)
        return trade

    def close(self, biz: dict) -> Trade:
        trade = self.find(biz)
        if trade.status == "TRADE_CLOSED":
            raise Refused("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if trade.status != "WAIT_BUYER_PAY":
            raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        self._close(trade, self.world.beijing())
        return trade

    def refund(self, biz: dict) -> tuple[Trade, Refund, bool]:
        """The trade, the refund, and whether money moved by this very call."""
        trade = self.find(biz)
        amount = parse_amount(biz.get("refund_amount"), "refund_amount")
        request_no = biz.get("out_request_no")
        if request_no is None:
            if amount != trade.amount_fen:
                raise invalid("部分退款时out_request_no必填")
            request_no = trade.out_trade_no
        if not isinstance(request_no, str) or REQUEST_NUMBER.fullmatch(request_no) is None:
            raise invalid("out_request_no")
        _check_text(biz, "refund_reason", 256)
        known = trade.refunds.get(request_no)
        if known is not None:
            if known.amount_fen != amount:
                raise Refused("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致")
            if known.status != "CLOSED":
                return trade, known, False
        if trade.status == "TRADE_FINISHED":
            raise Refused("ACQ.TRADE_HAS_FINISHED", "交易已完结")
        if trade.status == "TRADE_CLOSED":
            raise Refused("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if trade.status != "TRADE_SUCCESS":
            raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        if trade.promised_fen + amount > trade.amount_fen:
            raise Refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
        faults = self.world.faults
        if faults.take("alipay", "not_enough"):
            raise Refused("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
        refund = Refund(request_no, amount, self.world.beijing())
        trade.refunds[request_no] = refund
        if faults.take("alipay", "refund_closed"):
            refund.status = "CLOSED"
        elif not faults.take("alipay", "refund_pending"):
            self._move_back(trade, refund)
        return trade, refund, refund.status == "SUCCESS"

    def refund_asked(self, biz: dict) -> tuple[Trade, Refund | None]:
        trade = self.find(biz)
        request_no = biz.get("out_request_no")
        if not isinstance(request_no, str) or REQUEST_NUMBER.fullmatch(request_no) is None:
            raise invalid("out_request_no")
        return trade, trade.refunds.get(request_no)

    # What a buyer or time does.

    def scan(self, number) -> Trade:
        trade = self._known(number)
        now = self.world.beijing()
        if trade.trade_no is None:
            if now >= trade.scan_by:
                raise Misuse("the code has expired", 409)
            trade.trade_no = self._trade_no(now)
            trade.status = "WAIT_BUYER_PAY"
        self._expire(trade)
        return trade

    def pay(self, number, amount_fen: int | None = None) -> Trade:
        trade = self.scan(number)
        if trade.status != "WAIT_BUYER_PAY":
            raise Misuse(f"the trade is {trade.status}", 409)
        if amount_fen is not None:
            trade.amount_fen = amount_fen
        trade.status = "TRADE_SUCCESS"
        trade.paid_at = self.world.beijing()
        return trade

    def as_if_paid(self, number, amount_fen: int | None = None) -> Trade:
        """A copy that looks paid, for a notification that nothing stands behind."""
        trade = self._known(number)
        now = self.world.beijing()
        return replace(
            trade,
            amount_fen=trade.amount_fen if amount_fen is None else amount_fen,
            trade_no=trade.trade_no or self._trade_no(now),
            status="TRADE_SUCCESS",
            paid_at=trade.paid_at or now,
        )

    def expire(self, number) -> Trade:
        """Lets the time-out pass: the code is dead, a trade that waits is closed."""
        trade = self._known(number)
        now = self.world.beijing()
        trade.scan_by = min(trade.scan_by, now)
        trade.pay_by = min(trade.pay_by, now)
        self._expire(trade)
        return trade

    def finish(self, number) -> Trade:
        """Lets the time for refunds pass."""
        trade = self._known(number)
        if trade.status != "TRADE_SUCCESS":
            raise Misuse(f"the trade is {trade.status or 'not scanned'}", 409)
        trade.status = "TRADE_FINISHED"
        return trade

    def settle_refund(self, number, request_no, status: str) -> tuple[Trade, Refund]:
        """Lets a refund that is under way end; a second word on one that has ended must be the same."""
        trade = self._known(number)
        refund = trade.refunds.get(request_no) if isinstance(request_no, str) else None
        if refund is None:
            raise Misuse("no such out_request_no", 404)
        if refund.status not in ("PROCESSING", status):
            raise Misuse(f"the refund is {refund.status}", 409)
        if refund.status == "PROCESSING" and status == "SUCCESS":
            self._move_back(trade, refund)
        refund.status = status
        return trade, refund

    def known_paid(self, number) -> Trade:
        trade = self._known(number)
        if trade.paid_at is None:
            raise Misuse("the trade was never paid", 409)
        return trade

    def _known(self, number) -> Trade:
        trade = self.by_number.get(number) if isinstance(number, str) else None
        if trade is None:
            raise Misuse("no such out_trade_no", 404)
        return trade

    def _trade_no(self, now: datetime) -> str:
        return now.strftime("%Y%m%d") + "22001400" + f"{self.world.next_id():012d}"

    def _expire(self, trade: Trade) -> None:
        if trade.status == "WAIT_BUYER_PAY" and self.world.beijing() >= trade.pay_by:
            self._close(trade, trade.pay_by)

    def _move_back(self, trade: Trade, refund: Refund) -> None:
        refund.at = self.world.beijing()
        refund.status = "SUCCESS"
        refund.total_fen = trade.refunded_fen
        if trade.refunded_fen == trade.amount_fen:
            self._close(trade, refund.at)

    @staticmethod
    def _close(trade: Trade, at: datetime) -> None:
        trade.status = "TRADE_CLOSED"
        trade.closed_at = at

    def _check_precreate(self, biz: dict) -> tuple[str, int]:
        # The real gateway passes over names it does not know; here a misspelt option is worth a refusal.
        unknown = sorted(set(biz) - PRECREATE_FIELDS)
        if unknown:
            raise invalid("未知字段" + "、".join(unknown))
        number = biz.get("out_trade_no")
        if not isinstance(number, str) or NUMBER.fullmatch(number) is None:
            raise invalid("out_trade_no")
        amount = parse_amount(biz.get("total_amount"), "total_amount")
        subject = biz.get("subject")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 256 or any(sign in subject for sign in "/=&"):
            raise invalid("subject")
        _check_text(biz, "body", 128)
        _check_text(biz, "passback_params", 512)
        if biz.get("product_code", "FACE_TO_FACE_PAYMENT") not in ("FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"):
            raise invalid("product_code")
        if biz.get("seller_id", self.world.config.seller_id) != self.world.config.seller_id:
            raise invalid("seller_id")
        return number, amount


def parse_amount(value, name: str) -> int:
    """Yuan with two decimals as fen, 0.01 to 100000000.00."""
    match = AMOUNT.fullmatch(value) if isinstance(value, str) else None
    fen = int(match[1]) * 100 + int(match[2]) if match else 0
    if not 1 <= fen <= AMOUNT_MAX_FEN:
        raise invalid(name)
    return fen


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _check_text(biz: dict, name: str, most: int) -> None:
    value = biz.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise invalid(name)


def _deadline(biz: dict, now: datetime) -> datetime:
    relative = _duration(biz, "timeout_express", now)
    absolute = biz.get("time_expire")
    if absolute is None:
        return now + (relative or DEFAULT_TIMEOUT)
    try:
        deadline = datetime.strptime(absolute, TIME_FORMAT).replace(tzinfo=BEIJING)
    except (TypeError, ValueError):
        raise invalid("time_expire") from None
    if not now < deadline <= now + TIMEOUT_MAX:
        raise invalid("time_expire")
    return deadline


def _duration(biz: dict, name: str, now: datetime) -> timedelta | None:
    text = biz.get(name)
    if text is None:
        return None
    if text == "1c":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return midnight - now
    match = DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise invalid(name)
    unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
    span = timedelta(**{unit: int(match[1])})
    if span > TIMEOUT_MAX:
        raise invalid(name)
    return span
