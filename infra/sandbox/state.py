"""What the outside world remembers: messages, faults to play, refusals to give. All of it in memory."""

import asyncio
import collections
import itertools
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta, timezone

from .keys import Config

MESSAGES_MAX = 10_000
# How long an answer that never comes keeps its connection; clients give up long before.
HOLD_SECONDS = 30.0

BEIJING = timezone(timedelta(hours=8))

# Section -> switch -> value at rest. A number counts the calls that are still to fail; None means off.
PAYMENT_FAULTS_AT_REST = {
    "drop_notify": False,
    "duplicate": 1,
    "reorder": 0,
    "wrong_amount": None,
    "wrong_app_id": None,
    "wrong_key": False,
    "system_error": 0,
    "rate_limited": 0,
    "timeout_before_processing": 0,
    "timeout_after_processing": 0,
    "not_enough": 0,
    "refund_pending": 0,
    "refund_closed": 0,
    "bill_of_today": False,
}
FAULTS_AT_REST = {
    "alipay": PAYMENT_FAULTS_AT_REST | {"wrong_cert_sn": False},
    "wechat": PAYMENT_FAULTS_AT_REST
    | {"refund_abnormal": 0, "accepted_not_done": 0, "probe": 0, "key_switch": None},
    "sms": {"refuse": None, "timeout": 0, "busy": 0, "receipts_to": None},
    "identity": {"refuse": None, "timeout": 0, "busy": 0},
    "bank": {"refuse": None, "timeout": 0, "unknown": 0},
    # `issue_after`: so many questions about a new invoice are answered with `issuing`.
    "nuonuo": {"refuse": None, "timeout": 0, "issue_after": 0, "fail": None, "bad_files": False},
    "kuaidi100": {"refuse": None, "timeout": 0},
}
# Switches that know a few words only.
FAULT_WORDS = {("wechat", "key_switch"): ("public_key", "certificate", "alternate")}
# Amounts are yuan with two decimals.
FAULT_FORMS = {"wrong_amount": re.compile(r"(?!0\.00)(0|[1-9][0-9]{0,8})\.[0-9]{2}")}
FAULT_COUNT_MAX = 1_000


class Misuse(Exception):
    """A control call that makes no sense; the message says why. `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.status = status


class Faults:
    """The fault switches of `POST /control/faults`."""

    def __init__(self):
        self.values = {}
        self.reset()

    def reset(self) -> None:
        self.values = {section: dict(switches) for section, switches in FAULTS_AT_REST.items()}

    def change(self, wanted: dict) -> None:
        """Sets the switches that are named, all or none."""
        for section, switches in wanted.items():
            if section not in FAULTS_AT_REST:
                raise Misuse(f"unknown section {section!r}; known: {', '.join(FAULTS_AT_REST)}")
            if not isinstance(switches, dict):
                raise Misuse(f"{section} takes an object of switches")
            for name, value in switches.items():
                self._check(section, name, value)
        for section, switches in wanted.items():
            self.values[section] |= switches

    def on(self, section: str, name: str):
        return self.values[section][name]

    def take(self, section: str, name: str) -> bool:
        """Whether this call is one of those that are to fail."""
        if self.values[section][name] <= 0:
            return False
        self.values[section][name] -= 1
        return True

    @staticmethod
    def _check(section: str, name: str, value) -> None:
        switches = FAULTS_AT_REST[section]
        if name not in switches:
            raise Misuse(f"unknown switch {section}.{name}; known: {', '.join(switches)}")
        rest = switches[name]
        if rest is None:
            words, form = FAULT_WORDS.get((section, name)), FAULT_FORMS.get(name)
            fits = value is None or (
                isinstance(value, str)
                and value != ""
                and (words is None or value in words)
                and (form is None or form.fullmatch(value) is not None)
            )
        elif isinstance(rest, bool):
            fits = isinstance(value, bool)
        else:
            fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= FAULT_COUNT_MAX
        if not fits:
            raise Misuse(f"{section}.{name} cannot be {value!r}")


class World:
    """One run of the outside world."""

    def __init__(self, config: Config, now: Callable[[], datetime] | None = None):
        self.config = config
        self.now = now or (lambda: datetime.now(UTC))
        self.faults = Faults()
        self.sms = collections.deque(maxlen=MESSAGES_MAX)
        self.mail = collections.deque(maxlen=MESSAGES_MAX)
        # Identity or credit number -> how its check ends.
        self.denied: dict[str, dict] = {}
        self.stopping = asyncio.Event()
        self.hold_seconds = HOLD_SECONDS
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task] = set()

    def next_id(self) -> int:
        return next(self._ids)

    def stamp(self) -> str:
        """The time now, RFC 3339 in UTC with milliseconds."""
        return self.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def beijing(self) -> datetime:
        return self.now().astimezone(BEIJING)

    async def pause(self, seconds: float) -> bool:
        """Waits; answers False when the world stops meanwhile."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return True
        return False

    def in_background(self, work: Coroutine) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        self.stopping.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def remember(table: dict, key: str, value) -> None:
    """Puts a new record into a table of limited size; the oldest gives way."""
    if key not in table and len(table) >= MESSAGES_MAX:
        del table[next(iter(table))]
    table[key] = value
