"""Daily bills of the payment provider: a ZIP with two CSV files, fetched from a URL that lives 30 seconds."""

import csv
import io
import re
import secrets
import zipfile
from datetime import date, datetime, timedelta

from aiohttp import web

from .state import World, remember
from .trades import BUYER_LOGON_ID, TIME_FORMAT, Refused, Trade, Trades, invalid, yuan

URL_LIFE = timedelta(seconds=30)
READY_HOUR = 9
COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
).split(",")
TOTALS = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）".split(",")


class Bills:
    """Bills by day; `token` stands for the signed address of the real file."""

    def __init__(self, world: World, trades: Trades):
        self.world = world
        self.trades = trades
        self._ordered: dict[str, tuple[date, datetime]] = {}

    def order(self, biz: dict) -> str:
        if biz.get("bill_type") != "trade":
            raise invalid("bill_type")
        text = biz.get("bill_date")
        try:
            day = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        except (TypeError, ValueError):
            day = None
        if day is None:
            raise invalid("bill_date")
        now = self.world.beijing()
        ready = datetime.combine(day + timedelta(days=1), datetime.min.time(), now.tzinfo) + timedelta(hours=READY_HOUR)
        if now < ready and not self.world.faults.on("alipay", "bill_of_today"):
            raise Refused("isp.bill_not_exist", "账单不存在")
        token = secrets.token_urlsafe(24)
        remember(self._ordered, token, (day, now + URL_LIFE))
        return token

    async def download(self, request: web.Request) -> web.Response:
        day, until = self._ordered.get(request.match_info["token"], (None, None))
        if day is None or self.world.beijing() >= until:
            return web.Response(status=403, text="expired")
        return web.Response(body=self.archive(day), content_type="application/zip")

    def archive(self, day: date) -> bytes:
        rows = [row for trade in self.trades.by_number.values() for row in _rows(trade, day)]
        name = f"{self.world.config.seller_id}0156_{day:%Y%m%d}"
        head = [["#支付宝业务明细查询"], [f"#账号：[{self.world.config.seller_id}0156]"]]
        details = [*head, ["#-----业务明细列表-----"], COLUMNS, *rows, ["#-----业务明细列表结束-----"]]
        paid = sum(row[2].strip() == "交易" for row in rows)
        money = sum(int(row[11].strip().replace(".", "")) for row in rows)
        amount = ("-" if money < 0 else "") + yuan(abs(money))
        sums = [
            *head,
            ["#-----业务汇总列表-----"],
            TOTALS,
            ["合计", "", str(paid), str(len(rows) - paid), amount, amount],
        ]
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}_业务明细.csv", _csv(details))
            archive.writestr(f"{name}_业务明细(汇总).csv", _csv(sums))
        return file.getvalue()


def _rows(trade: Trade, day: date) -> list[list[str]]:
    """Payment and refunds of that day; cells carry the trailing tab of the real files."""
    moves = []
    if trade.paid_at is not None:
        moves.append(("交易", trade.paid_at, trade.amount_fen, "", ""))
    moves += [
        ("退款", refund.at, refund.amount_fen, "-", refund.request_no)
        for refund in trade.refunds.values()
        if refund.status == "SUCCESS"
    ]
    rows = []
    for kind, at, fen, sign, request_no in moves:
        if at.date() != day:
            continue
        row = [""] * len(COLUMNS)
        row[0:6] = [
            trade.trade_no, trade.out_trade_no, kind, trade.content["subject"],
            trade.created_at.strftime(TIME_FORMAT), at.strftime(TIME_FORMAT),
        ]  # fmt: skip
        row[10:13] = [BUYER_LOGON_ID, sign + yuan(fen), sign + yuan(fen)]
        row[21] = request_no
        rows.append([cell + "\t" for cell in row])
    return rows


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("gb18030")
