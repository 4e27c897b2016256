"""Electronic invoices (数电发票): access tokens that few are given out of, one signed address, files to download."""

import base64
import hashlib
import hmac
import io
import json
import re
import secrets
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from aiohttp import web

from .state import BEIJING, World, remember
from .wire import FORM, control_body, decoded_pairs, no_answer

TOKEN_LIFETIME = timedelta(hours=24)
TOKENS_PER_PERIOD = 50
TOKEN_PERIOD = timedelta(days=30)
# The real window is not published. It finds milliseconds sent for seconds, and a clock that stands still.
TIMESTAMP_WINDOW = timedelta(minutes=10)
SENIDS_KEPT = 10_000
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"

METHODS = {
    "nuonuo.OpeMplatform.requestBillingNew": "_request",
    "nuonuo.OpeMplatform.reInvoice": "_retry",
    "nuonuo.OpeMplatform.queryInvoiceResult": "_query",
}
FILE_TYPES = {"pdf": "application/pdf", "ofd": "application/ofd", "xml": "application/xml"}

REQUIRED = {
    "buyerName", "salerTaxNum", "salerTel", "salerAddress", "orderNo", "invoiceDate", "clerk", "pushMode",
    "invoiceType", "invoiceLine", "invoiceDetail",
}  # fmt: skip
OPTIONAL = {
    "buyerTaxNum", "buyerTel", "buyerAddress", "buyerAccount", "salerAccount", "remark", "buyerPhone", "email",
    "callBackUrl",
}  # fmt: skip
LINE_REQUIRED = {"goodsName", "goodsCode", "withTaxFlag", "price", "num", "taxRate"}
LINE_OPTIONAL = {
    "unit", "specType", "tax", "taxExcludedAmount", "taxIncludedAmount", "invoiceLineProperty", "favouredPolicyFlag",
}  # fmt: skip
CENT = Decimal("0.01")


class Refused(Exception):
    """An answer with another code than success."""

    def __init__(self, code: str, describe: str):
        super().__init__(code)
        self.code = code
        self.describe = describe


@dataclass
class Invoice:
    """An invoice that was asked for, and what became of it."""

    serial: str
    order: dict
    # Questions that are still answered with `issuing`.
    questions_left: int
    status: str = "20"
    fails_with: str | None = None
    number: str | None = None
    issued_at: datetime | None = None
    asked: int = 0
    fail_cause: str = ""


@dataclass
class Tokens:
    """The access tokens that were given out."""

    ends: dict[str, datetime] = field(default_factory=dict)
    asked: list[datetime] = field(default_factory=list)


class Nuonuo:
    """`POST /nuonuo/accessToken` and `POST /nuonuo/open/v1/services`."""

    def __init__(self, world: World):
        self.world = world
        self.invoices: dict[str, Invoice] = {}
        self.tokens = Tokens()
        self._senids: dict[str, bool] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/nuonuo/accessToken", self.give_token),
            web.post("/nuonuo/open/v1/services", self.call),
            web.get("/nuonuo/files/{name}", self.download),
            web.get("/invoices.json", self.list_invoices),
            web.post("/control/nuonuo/expire-tokens", self.expire_tokens),
        ]

    async def give_token(self, request: web.Request) -> web.Response:
        config = self.world.config
        try:
            form = dict(decoded_pairs((await request.read()).decode("ascii")))
        except ValueError:
            form = {}
        if request.content_type != FORM or form.get("grant_type") != "client_credentials":
            return _no_token("unsupported_grant_type", "grant_type必须为client_credentials")
        now = self.world.now()
        self.tokens.asked = [at for at in self.tokens.asked if now - at < TOKEN_PERIOD] + [now]
        if len(self.tokens.asked) > TOKENS_PER_PERIOD:
            return _no_token("access_limit", "30天内获取令牌次数超过50次")
        ours = (form.get("client_id", ""), form.get("client_secret", ""))
        theirs = (config.nuonuo_app_key, config.nuonuo_app_secret)
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(ours, theirs, strict=True)):
            return _no_token("invalid_client", "appKey或appSecret错误")
        token = secrets.token_hex(16)
        # A new token does not end the old ones.
        remember(self.tokens.ends, token, now + TOKEN_LIFETIME)
        return web.json_response({"access_token": token, "expires_in": int(TOKEN_LIFETIME.total_seconds())})

    async def call(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            method, content = self._admit(request, body)
            result = getattr(self, METHODS[method])(content, request)
        except Refused as refused:
            return web.json_response({"code": refused.code, "describe": refused.describe, "result": None})
        if self.world.faults.take("nuonuo", "timeout"):
            return await no_answer(self.world, request)
        return web.json_response({"code": "E0000", "describe": "同步成功", "result": result})

    def _admit(self, request: web.Request, body: bytes) -> tuple[str, dict]:
        """The checks of the gateway, in its order: token, stamp, signature, then the method."""
        config, query, headers = self.world.config, request.query, request.headers
        ends = self.tokens.ends.get(headers.get("accessToken", ""))
        if ends is None:
            raise Refused("070101", "accessToken不存在或错误")
        if ends <= self.world.now():
            raise Refused("070301", "accessToken已过期")
        senid, nonce, stamp = (query.get(name, "") for name in ("senid", "nonce", "timestamp"))
        if query.get("appkey") != config.nuonuo_app_key:
            raise Refused("070201", "appKey错误")
        if re.fullmatch(r"[0-9a-zA-Z]{32}", senid) is None or re.fullmatch(r"[0-9]{8}", nonce) is None:
            raise Refused("070202", "senid或nonce格式错误")
        if re.fullmatch(r"[0-9]{10}", stamp) is None:
            raise Refused("070203", "timestamp格式错误")
        if abs(int(stamp) - self.world.now().timestamp()) > TIMESTAMP_WINDOW.total_seconds():
            raise Refused("070204", "timestamp超出有效范围")
        if request.content_type != "application/json":
            raise Refused("070205", "Content-type必须为application/json")
        due = sign(config.nuonuo_app_secret, config.nuonuo_app_key, senid, nonce, stamp, body)
        if not hmac.compare_digest(due.encode(), headers.get("X-Nuonuo-Sign", "").encode()):
            raise Refused("070206", "签名错误")
        if senid in self._senids:
            raise Refused("070207", "senid重复")
        if len(self._senids) >= SENIDS_KEPT:
            del self._senids[next(iter(self._senids))]
        self._senids[senid] = True
        method = headers.get("method", "")
        if method not in METHODS:
            raise Refused("070208", "method不存在")
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Refused("E9501", "请求内容不是JSON对象")
        return method, content

    def _request(self, content: dict, _request: web.Request) -> dict:
        order = content.get("order")
        if set(content) != {"order"} or not isinstance(order, dict):
            raise Refused("E9502", "缺少order")
        check_order(order, self.world.config.nuonuo_tax_number)
        known = self.invoices.get(order["orderNo"])
        if known is None:
            refuse = self.world.faults.on("nuonuo", "refuse")
            if refuse is not None:
                raise Refused(refuse, f"购方【{order['buyerName']}】税号错误")
            serial = self.world.beijing().strftime("%y%m%d%H%M%S") + f"{self.world.next_id():08d}"
            known = Invoice(serial, order, 0)
            self._begin(known)
            remember(self.invoices, order["orderNo"], known)
        elif _undated(known.order) != _undated(order):
            raise Refused("E9503", "订单号已用于其他发票")
        known.asked += 1
        return {"invoiceSerialNum": known.serial}

    def _begin(self, invoice: Invoice) -> None:
        faults = self.world.faults
        invoice.status, invoice.questions_left = "20", faults.on("nuonuo", "issue_after")
        invoice.fails_with = faults.on("nuonuo", "fail")

    def _retry(self, content: dict, _request: web.Request) -> None:
        if set(content) not in ({"orderno"}, {"fpqqlsh"}):
            raise Refused("E9502", "fpqqlsh和orderno必填其一")
        for invoice in self.invoices.values():
            if content in ({"orderno": invoice.order["orderNo"]}, {"fpqqlsh": invoice.serial}):
                if invoice.status not in ("22", "24"):
                    raise Refused("E9504", "该发票不是开票失败状态")
                self._begin(invoice)
                return
        raise Refused("E9500", "未查询到发票信息")

    def _query(self, content: dict, request: web.Request) -> list[dict]:
        wanted = [name for name in ("orderNos", "serialNos") if content.get(name)]
        if len(wanted) != 1 or not isinstance(content[wanted[0]], list) or content.get("isOfferInvoiceDetail") not in ("0", "1"):
            raise Refused("E9502", "serialNos和orderNos必填其一")
        found = [
            invoice
            for invoice in self.invoices.values()
            if (invoice.order["orderNo"] if wanted == ["orderNos"] else invoice.serial) in content[wanted[0]]
        ]
        if not found:
            raise Refused("E9500", "未查询到发票信息")
        return [self._told(invoice, request) for invoice in found]

    def _told(self, invoice: Invoice, request: web.Request) -> dict:
        if invoice.status == "20":
            if invoice.questions_left > 0:
                invoice.questions_left -= 1
            else:
                self._finish(invoice)
        told = {
            "serialNo": invoice.serial,
            "orderNo": invoice.order["orderNo"],
            "status": invoice.status,
            "statusMsg": {"2": "开票完成", "20": "开票中", "22": "开票失败", "24": "开票成功签章失败"}[invoice.status],
            "failCause": invoice.fail_cause if invoice.status in ("22", "24") else "",
            "invoiceNo": "",
            "allElectronicInvoiceNumber": invoice.number or "",
        }
        if invoice.status == "2":
            base = f"http://{request.host}/nuonuo/files/{invoice.number}"
            told |= {f"{kind}Url": f"{base}.{kind}" for kind in FILE_TYPES}
            told["invoiceTime"] = int(invoice.issued_at.timestamp() * 1000)
        return told

    def _finish(self, invoice: Invoice) -> None:
        invoice.status = invoice.fails_with or "2"
        if invoice.status in ("22", "24"):
            invoice.fail_cause = f"购方【{invoice.order['buyerName']}】信息与税局登记不一致"
        # Where only the signature under the file failed, the invoice exists.
        if invoice.status != "22" and invoice.number is None:
            invoice.issued_at = self.world.now()
            invoice.number = f"{self.world.beijing():%y}43{secrets.randbelow(10**16):016d}"

    async def download(self, request: web.Request) -> web.Response:
        number, _, kind = request.match_info["name"].partition(".")
        for invoice in self.invoices.values():
            if kind in FILE_TYPES and invoice.number == number and invoice.status == "2":
                if self.world.faults.on("nuonuo", "bad_files"):
                    return web.Response(text="<html>系统维护中</html>", content_type="text/html")
                return web.Response(body=file_of(kind, invoice), content_type=FILE_TYPES[kind])
        return web.Response(status=404)

    async def list_invoices(self, _request: web.Request) -> web.Response:
        invoices = [
            {
                "order_no": invoice.order["orderNo"],
                "serial": invoice.serial,
                "status": invoice.status,
                "number": invoice.number,
                "asked": invoice.asked,
                "buyer": invoice.order["buyerName"],
                "amount": str(total(invoice.order)),
            }
            for invoice in self.invoices.values()
        ]
        return web.json_response({"invoices": invoices, "tokens_asked": len(self.tokens.asked)})

    async def expire_tokens(self, request: web.Request) -> web.Response:
        """All tokens end now, as if a day had passed."""
        await control_body(request, set())
        ended = len(self.tokens.ends)
        self.tokens.ends = dict.fromkeys(self.tokens.ends, self.world.now())
        return web.json_response({"expired": ended})


def sign(secret: str, app_key: str, senid: str, nonce: str, stamp: str, body: bytes) -> str:
    """`X-Nuonuo-Sign`: the path's parts stand in front, from the last one to the first."""
    text = f"a=services&l=v1&p=open&k={app_key}&i={senid}&n={nonce}&t={stamp}&f=".encode() + body
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha1).digest()).decode("ascii")


def check_order(order: dict, seller: str) -> None:
    _check_names(order, REQUIRED, OPTIONAL)
    checks = {
        "orderNo": lambda text: re.fullmatch(r"[0-9A-Za-z_-]{1,20}", text),
        "buyerName": lambda text: 1 <= len(text) <= 100,
        "buyerTaxNum": lambda text: re.fullmatch(r"([0-9A-Z]{15,20})?", text),
        "salerTaxNum": lambda text: text == seller,
        "invoiceDate": _is_time,
        "invoiceType": lambda text: text == "1",
        "invoiceLine": lambda text: text in ("pc", "bs"),
        "pushMode": lambda text: text in ("-1", "0", "1", "2"),
        "clerk": lambda text: 1 <= len(text) <= 20,
        "invoiceDetail": lambda lines: isinstance(lines, list) and 1 <= len(lines) <= 100,
    }
    for name, check in checks.items():
        if name in order and not check(order[name]):
            raise Refused("E9505", f"{name}不正确")
    if order["invoiceLine"] == "bs" and not order.get("buyerTaxNum"):
        raise Refused("E9505", "专票必须填写购方税号")
    for line in order["invoiceDetail"]:
        _check_line(line)


def _check_line(line: dict) -> None:
    if not isinstance(line, dict):
        raise Refused("E9505", "invoiceDetail不正确")
    _check_names(line, LINE_REQUIRED, LINE_OPTIONAL)
    if re.fullmatch(r"[0-9]{19}", line["goodsCode"]) is None:
        raise Refused("E9505", "goodsCode不正确")
    try:
        price, number, rate = (Decimal(line[name]) for name in ("price", "num", "taxRate"))
        amounts = [Decimal(line[name]) for name in ("taxIncludedAmount", "taxExcludedAmount", "tax") if line.get(name)]
    except InvalidOperation:
        raise Refused("E9505", "金额不正确") from None
    if not (0 <= rate < 1 and number > 0 and price > 0) or line["withTaxFlag"] not in ("0", "1"):
        raise Refused("E9505", "单价、数量或税率不正确")
    if len(amounts) not in (0, 3):
        raise Refused("E9505", "金额不完整")
    if amounts:
        included, excluded, tax = amounts
        base = included if line["withTaxFlag"] == "1" else excluded
        if any(amount != amount.quantize(CENT) for amount in amounts) or included != excluded + tax:
            raise Refused("E9505", "含税金额不等于不含税金额与税额之和")
        if abs(base - price * number) > CENT or abs(included - (excluded * (1 + rate))) > CENT:
            raise Refused("E9505", "金额与单价、数量或税率不符")


def _check_names(values: dict, required: set[str], optional: set[str]) -> None:
    missing, unknown = required - set(values), set(values) - required - optional
    if missing or unknown:
        raise Refused("E9505", f"缺少{sorted(missing)}，多余{sorted(unknown)}")
    for name, value in values.items():
        if name != "invoiceDetail" and not isinstance(value, str):
            raise Refused("E9505", f"{name}不是字符串")


def _is_time(text: str) -> bool:
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=BEIJING).strftime(TIME_FORMAT) == text
    except ValueError:
        return False


def _undated(order: dict) -> dict:
    return {name: value for name, value in order.items() if name != "invoiceDate"}


def total(order: dict) -> Decimal:
    return sum((Decimal(line["price"]) * Decimal(line["num"]) for line in order["invoiceDetail"]), Decimal(0))


def file_of(kind: str, invoice: Invoice) -> bytes:
    """A small file of the kind that programs open."""
    if kind == "pdf":
        return small_pdf(f"Invoice {invoice.number} total {total(invoice.order)}")
    data = f'<?xml version="1.0" encoding="UTF-8"?>\n<EInvoice><Number>{invoice.number}</Number></EInvoice>\n'
    if kind == "xml":
        return data.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", '<?xml version="1.0" encoding="UTF-8"?>\n<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"/>\n')
        archive.writestr("Doc_0/Attachs/invoice.xml", data)
    return buffer.getvalue()


def small_pdf(text: str) -> bytes:
    """One page with one line of ASCII."""
    stream = f"BT /F1 12 Tf 40 100 Td ({text}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return (out + tail).encode("ascii")


def _no_token(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=400)
