"""What WeChat Pay takes in the bodies of calls. Stricter than the real one where that finds mistakes."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from .state import BEIJING
from .wechat_error import ApiError, invalid

OUT_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
OUT_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})")
FEN_MAX = 10_000_000_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Check = Callable[[object], bool]


def text(most: int) -> Check:
    """At most so many bytes: pages differ on characters or bytes, and what fits in bytes fits both."""
    return lambda value: isinstance(value, str) and 1 <= len(value.encode("utf-8")) <= most


def matching(pattern: re.Pattern) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def one_of(*values: str) -> Check:
    return lambda value: value in values


def fen(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= FEN_MAX


def notify_url(value: object) -> bool:
    """HTTPS without a query; plain HTTP to this machine, where no certificate would fit."""
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= 255 else None
    except ValueError:
        parts = None
    if parts is None or not parts.hostname or "?" in value or "#" in value:
        return False
    at_home = parts.hostname in LOOPBACK or parts.hostname.endswith(".localhost")
    return parts.scheme == "https" or (parts.scheme == "http" and at_home)


def moment(value: object) -> datetime | None:
    """A time of RFC 3339 to the second."""
    if not isinstance(value, str) or RFC3339.fullmatch(value) is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone(BEIJING)
    except ValueError:
        return None


def _json_object(value: object) -> bool:
    return isinstance(value, dict)


NATIVE = (
    {
        "appid": text(32),
        "mchid": text(32),
        "description": text(127),
        "out_trade_no": matching(OUT_TRADE_NO),
        "notify_url": notify_url,
        "amount": _json_object,
    },
    {
        "time_expire": lambda value: moment(value) is not None,
        "attach": text(128),
        "goods_tag": text(32),
        "support_fapiao": lambda value: isinstance(value, bool),
        "detail": _json_object,
        "scene_info": _json_object,
        "settle_info": _json_object,
    },
)
NATIVE_AMOUNT = ({"total": fen}, {"currency": one_of("CNY")})
CLOSE = ({"mchid": text(32)}, {})
REFUND = (
    {"out_refund_no": matching(OUT_REFUND_NO), "amount": _json_object},
    {
        "transaction_id": text(32),
        "out_trade_no": matching(OUT_TRADE_NO),
        "reason": text(80),
        "notify_url": notify_url,
        "funds_account": one_of("AVAILABLE"),
        "goods_detail": lambda value: isinstance(value, list),
    },
)
REFUND_AMOUNT = (
    {"refund": fen, "total": fen, "currency": one_of("CNY")},
    {"from": lambda value: isinstance(value, list)},
)
ABNORMAL_REFUND = (
    {"out_refund_no": matching(OUT_REFUND_NO), "type": one_of("USER_BANK_CARD", "MERCHANT_BANK_CARD")},
    {"bank_type": text(16), "bank_account": text(1024), "real_name": text(1024)},
)


def parsed(body: bytes) -> dict:
    """A JSON object without nulls, blank texts and repeated names: with them a code cannot be scanned."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object)
    except ValueError:
        raise ApiError(400, "PARAM_ERROR", "请求体不是JSON对象") from None
    if not isinstance(value, dict):
        raise ApiError(400, "PARAM_ERROR", "请求体不是JSON对象")
    return value


def check(value: dict, rules: tuple[dict[str, Check], dict[str, Check]], where: str = "") -> dict:
    """The real gateway passes over names it does not know; here a misspelt one is worth a refusal."""
    required, optional = rules
    for name in required:
        if name not in value:
            raise invalid(f"{where}/{name}", "缺少必填参数")
    for name, content in value.items():
        rule = required.get(name) or optional.get(name)
        if rule is None:
            raise invalid(f"{where}/{name}", "未知参数")
        if not rule(content):
            raise invalid(f"{where}/{name}", "格式不正确")
    return value


def native(body: bytes) -> dict:
    order = check(parsed(body), NATIVE)
    check(order["amount"], NATIVE_AMOUNT, "/amount")
    return order


def refund(body: bytes) -> dict:
    wanted = check(parsed(body), REFUND)
    check(wanted["amount"], REFUND_AMOUNT, "/amount")
    if ("transaction_id" in wanted) == ("out_trade_no" in wanted):
        raise invalid("/out_trade_no", "transaction_id和out_trade_no二选一")
    if wanted["amount"]["refund"] > wanted["amount"]["total"]:
        raise invalid("/amount/refund", "大于订单金额")
    return wanted


def abnormal_refund(body: bytes) -> dict:
    wanted = check(parsed(body), ABNORMAL_REFUND)
    if wanted["type"] == "USER_BANK_CARD" and not {"bank_type", "bank_account", "real_name"} <= set(wanted):
        raise invalid("/type", "退款至用户银行卡需要银行卡信息")
    return wanted


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ApiError(400, "PARAM_ERROR", "参数重复")
    for name, value in pairs:
        if value is None or value == "":
            raise invalid(f"/{name}", "不能为空")
    return found
