"""What a control call wants of a notification, with the fault switches behind it. The same for both providers."""

import re
from dataclasses import dataclass

from .state import Faults, Misuse

NOTIFY_OPTIONS = {"times", "app_id", "appid", "bad_signature", "notify", "retry"}
TIMES_MAX = 20
YUAN = re.compile(r"(0|[1-9][0-9]{0,8})\.([0-9]{2})")
AMOUNT_MAX_FEN = 10_000_000_000


@dataclass(frozen=True)
class Options:
    """`amount_fen` and `app_id` are None where the notification tells the truth."""

    times: int
    amount_fen: int | None
    app_id: str | None
    stray_key: bool
    send: bool
    retry: bool


def options(wish: dict, faults: Faults, section: str) -> Options:
    """Reads the options of a control call; without one the switch of that name counts."""
    times = wish.get("times", max(faults.on(section, "duplicate"), 1))
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= TIMES_MAX:
        raise Misuse(f"times is 1 to {TIMES_MAX}")
    amount = wish.get("amount", faults.on(section, "wrong_amount"))
    app_id = wish.get("app_id") or wish.get("appid") or faults.on(section, "wrong_app_id")
    if app_id is not None and not isinstance(app_id, str):
        raise Misuse("app_id is text")
    return Options(
        times=times,
        amount_fen=None if amount is None else fen(amount),
        app_id=app_id,
        stray_key=bool(wish.get("bad_signature")) or faults.on(section, "wrong_key"),
        send=wish.get("notify") is not False and not faults.on(section, "drop_notify"),
        retry=wish.get("retry") is True,
    )


def fen(amount) -> int:
    """Yuan with two decimals as text, or fen as a number."""
    match = YUAN.fullmatch(amount) if isinstance(amount, str) else None
    value = int(match[1]) * 100 + int(match[2]) if match else amount
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= AMOUNT_MAX_FEN:
        raise Misuse("amount is yuan with two decimals, or a number of fen")
    return value
