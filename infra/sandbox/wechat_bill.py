"""Daily bills of WeChat Pay: text files with a back-tick before each cell, fetched from a URL of five minutes."""

import gzip
import hashlib
import re
import secrets
from datetime import date, datetime, timedelta

from aiohttp import web

from .state import World, remember
from .trades import TIME_FORMAT, yuan
from .wechat_error import ApiError, invalid
from .wechat_orders import OPENID, Order, Orders, Refund

URL_LIFE = timedelta(minutes=5)
READY_HOUR = 10
KEPT = timedelta(days=92)
BOM = "\ufeff"
FEE_PER_TEN_THOUSAND, FEE_RATE = 60, "0.60%"

ORDER_COLUMNS = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额".split(",")
REFUND_COLUMNS = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态".split(",")
TEXT_COLUMNS = "商品名称,商户数据包,手续费,费率,订单金额".split(",")
COLUMNS = {
    "ALL": [*ORDER_COLUMNS, *REFUND_COLUMNS, *TEXT_COLUMNS, "申请退款金额", "费率备注"],
    "SUCCESS": [*ORDER_COLUMNS, *TEXT_COLUMNS, "费率备注"],
    "REFUND": [*ORDER_COLUMNS, "退款申请时间", "退款成功时间", *REFUND_COLUMNS, *TEXT_COLUMNS, "申请退款金额", "费率备注"],
}  # fmt: skip
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额".split(",")
FUND_COLUMNS = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号".split(",")
FUND_TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额".split(",")


class Bills:
    """Bills by day; a token stands for the signed address of the real file."""

    def __init__(self, world: World, orders: Orders):
        self.world = world
        self.orders = orders
        self._ordered: dict[str, tuple[bytes, datetime]] = {}

    def order_trades(self, query: dict[str, str]) -> tuple[str, str]:
        """Token and SHA-1 of the text."""
        day = self._day(query, {"bill_date", "bill_type", "tar_type"})
        kind = query.get("bill_type", "ALL")
        if kind not in COLUMNS:
            raise invalid("bill_type", "格式不正确")
        config, rows = self.world.config.wechat, []
        moves = [move for move in self._moves(day) if kind == "ALL" or (kind == "REFUND") == (move[2] is not None)]
        for at, order, refund in moves:
            row = _trade_row(at, order, refund, config)
            rows.append([row[name] for name in COLUMNS[kind]])
        return self._ready(query, COLUMNS[kind], rows, TOTALS, _totals(moves))

    def order_funds(self, query: dict[str, str]) -> tuple[str, str]:
        day = self._day(query, {"bill_date", "account_type", "tar_type"})
        kind = query.get("account_type", "BASIC")
        if kind not in ("BASIC", "OPERATION", "FEES"):
            raise invalid("account_type", "格式不正确")
        rows, balance = [], 0
        for at, order, refund in self._moves(day) if kind == "BASIC" else []:
            fen = -refund.fen if refund else order.total_fen
            balance += fen
            number = refund.refund_id if refund else order.transaction_id
            rows.append(
                [
                    at.strftime(TIME_FORMAT), number, number, "退款" if refund else "交易", "退款" if refund else "交易",
                    "支出" if refund else "收入", yuan(abs(fen)), _signed(balance), "system", "",
                    refund.out_refund_no if refund else order.out_trade_no,
                ]
            )  # fmt: skip
        came = [row for row in rows if row[5] == "收入"]
        went = [row for row in rows if row[5] == "支出"]
        sums = [str(len(rows)), str(len(came)), _sum(came, 6), str(len(went)), _sum(went, 6)]
        return self._ready(query, FUND_COLUMNS, rows, FUND_TOTALS, sums)

    def download(self, query: dict[str, str]) -> web.Response:
        """The file itself is not signed."""
        data, until = self._ordered.get(query.get("token", ""), (None, None))
        if data is None or self.world.beijing() >= until:
            raise ApiError(400, "INVALID_REQUEST", "下载地址已失效")
        return web.Response(body=data, content_type="application/octet-stream")

    def _day(self, query: dict[str, str], names: set[str]) -> date:
        for name in sorted(set(query) - names):
            raise invalid(name, "未知参数")
        if query.get("tar_type", "GZIP") != "GZIP":
            raise invalid("tar_type", "格式不正确")
        text = query.get("bill_date", "")
        try:
            day = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        except ValueError:
            day = None
        if day is None:
            raise invalid("bill_date", "格式不正确")
        now = self.world.beijing()
        if now.date() - day > KEPT:
            raise invalid("bill_date", "超过三个月")
        ready = datetime.combine(day + timedelta(days=1), datetime.min.time(), now.tzinfo) + timedelta(hours=READY_HOUR)
        if now < ready and not self.world.faults.on("wechat", "bill_of_today"):
            raise ApiError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        return day

    def _moves(self, day: date) -> list[tuple[datetime, Order, Refund | None]]:
        """Payments and refunds that arrived on that day, in the order of time."""
        moves = []
        for order in self.orders.by_number.values():
            if order.paid_at is not None:
                moves.append((order.paid_at, order, None))
            moves += [(refund.success_at, order, refund) for refund in order.refunds.values() if refund.success_at]
        return sorted((move for move in moves if move[0].date() == day), key=lambda move: move[0])

    def _ready(
        self, query: dict[str, str], columns: list[str], rows: list[list[str]], totals: list[str], sums: list[str]
    ) -> tuple[str, str]:
        if not rows:
            raise ApiError(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        lines = [",".join(columns), *map(_line, rows), ",".join(totals), _line(sums)]
        data = (BOM + "\r\n".join(lines) + "\r\n").encode("utf-8")
        token = secrets.token_urlsafe(24)
        file = gzip.compress(data) if "tar_type" in query else data
        remember(self._ordered, token, (file, self.world.beijing() + URL_LIFE))
        return token, hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _trade_row(at: datetime, order: Order, refund: Refund | None, config: dict) -> dict[str, str]:
    total = "0.00" if refund else yuan(order.total_fen)
    return {
        "交易时间": at.strftime(TIME_FORMAT),
        "公众账号ID": config["appid"],
        "商户号": config["mchid"],
        "特约商户号": "0",
        "设备号": "",
        "微信订单号": order.transaction_id,
        "商户订单号": order.out_trade_no,
        "用户标识": OPENID,
        "交易类型": "NATIVE",
        "交易状态": "REFUND" if refund else "SUCCESS",
        "付款银行": "CMB_DEBIT",
        "货币种类": "CNY",
        "应结订单金额": total,
        "代金券金额": "0.00",
        "退款申请时间": refund.created_at.strftime(TIME_FORMAT) if refund else "",
        "退款成功时间": refund.success_at.strftime(TIME_FORMAT) if refund else "",
        "微信退款单号": refund.refund_id if refund else "0",
        "商户退款单号": refund.out_refund_no if refund else "0",
        "退款金额": yuan(refund.fen) if refund else "0.00",
        "充值券退款金额": "0.00",
        "退款类型": "ORIGINAL" if refund else "",
        "退款状态": refund.status if refund else "",
        "商品名称": order.content["description"],
        "商户数据包": order.content.get("attach", ""),
        "手续费": ("-" if refund else "") + yuan(_fee(refund.fen if refund else order.total_fen)) + "000",
        "费率": FEE_RATE,
        "订单金额": total,
        "申请退款金额": yuan(refund.fen) if refund else "0.00",
        "费率备注": "",
    }


def _totals(moves: list[tuple[datetime, Order, Refund | None]]) -> list[str]:
    paid = sum(order.total_fen for _, order, refund in moves if refund is None)
    back = sum(refund.fen for _, _, refund in moves if refund is not None)
    fee = sum(_fee(refund.fen) * -1 if refund else _fee(order.total_fen) for _, order, refund in moves)
    return [str(len(moves)), yuan(paid), yuan(back), "0.00", _signed(fee) + "000", yuan(paid), yuan(back)]


def _line(cells: list[str]) -> str:
    """Nothing is quoted: a comma in a text is told from the one between cells by the back-tick after it."""
    return ",".join("`" + cell for cell in cells)


def _fee(fen: int) -> int:
    return (fen * FEE_PER_TEN_THOUSAND + 5_000) // 10_000


def _signed(fen: int) -> str:
    return ("-" if fen < 0 else "") + yuan(abs(fen))


def _sum(rows: list[list[str]], place: int) -> str:
    return yuan(sum(int(row[place].replace(".", "")) for row in rows))
