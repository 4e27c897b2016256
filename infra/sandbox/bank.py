"""The bank's front-end: transfers of one fen whose memo carries a secret."""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field

from aiohttp import web

from .state import Misuse, World, remember
from .wire import control_body, no_answer

TIMESTAMP_WINDOW_SECONDS = 300
MEMO_MAX_GBK_BYTES = 20
PURPOSE_MAX_GBK_BYTES = 60
NAME_MAX_CHARACTERS = 100

REQUIRED = {"out_biz_no", "payee_name", "payee_account", "bank_name", "payee_type", "amount_fen", "memo", "purpose"}
OPTIONAL = {"branch_cnaps"}
SETTABLE = ("PENDING", "SUCCESS", "FAILED", "RETURNED", "UNKNOWN")
CONTROL_FIELDS = {"status", "code", "answers"}
ANSWERS_MAX = 100


class BankError(Exception):
    """A refusal of the call itself."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


@dataclass
class Transfer:
    """A transfer and what became of it."""

    id: int
    at: str
    order: dict
    status: str = "PENDING"
    # A status that was set by hand stays.
    fixed: bool = False
    # What the next questions are answered, one each; the last answer stays.
    answers: list[str] = field(default_factory=list)
    code: str | None = None
    bank_serial: str | None = None
    posted_at: str | None = None


class Bank:
    """`/bank/transfers`, signed with the client's secret."""

    def __init__(self, world: World):
        self.world = world
        self.transfers: dict[str, Transfer] = {}
        # What questions about transfers to come are answered; nothing: SUCCESS from the first one on.
        self.answers: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/bank/transfers", self.submit),
            web.get("/bank/transfers/{out_biz_no}", self.query),
            web.post("/control/bank", self.control_all),
            web.post("/control/bank/{out_biz_no}", self.control),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
            self._verify(request, body)
            order = parse_order(body)
            known = self.transfers.get(order["out_biz_no"])
            if known is not None and known.order != order:
                raise BankError(409, "DUPLICATE_DIFFERENT", "out_biz_no was used for another transfer")
        except BankError as error:
            return _refusal(error)
        if known is None:
            refuse = self.world.faults.on("bank", "refuse")
            if refuse is not None:
                return web.json_response({"status": "REJECTED", "code": refuse})
            transfer = Transfer(self.world.next_id(), self.world.stamp(), order, answers=list(self.answers))
            remember(self.transfers, order["out_biz_no"], transfer)
        if self.world.faults.take("bank", "timeout"):
            return await no_answer(self.world, request)
        if self.world.faults.take("bank", "unknown"):
            return web.json_response({"status": "UNKNOWN"})
        return web.json_response({"status": "ACCEPTED"})

    async def query(self, request: web.Request) -> web.Response:
        try:
            self._verify(request, await request.read())
        except BankError as error:
            return _refusal(error)
        transfer = self.transfers.get(request.match_info["out_biz_no"])
        if transfer is None:
            return web.json_response({"status": "NOT_FOUND", "bank_serial": None, "posted_at": None})
        if transfer.answers:
            self._set(transfer, transfer.answers.pop(0), None)
        if transfer.status == "UNKNOWN":
            return _refusal(BankError(503, "UNKNOWN", "the bank cannot say"))
        if transfer.status == "PENDING" and not transfer.fixed:
            self._post(transfer)
        answer = {"status": transfer.status, "bank_serial": transfer.bank_serial, "posted_at": transfer.posted_at}
        if transfer.code:
            answer["code"] = transfer.code
        if transfer.status == "FAILED":
            answer["msg"] = "交易失败"
        return web.json_response(answer)

    async def control(self, request: web.Request) -> web.Response:
        wish = await control_body(request, CONTROL_FIELDS)
        transfer = self.transfers.get(request.match_info["out_biz_no"])
        if transfer is None:
            raise Misuse("no such out_biz_no", 404)
        if "answers" in wish:
            if len(wish) > 1:
                raise Misuse("answers come alone")
            transfer.answers = parse_answers(wish["answers"])
        else:
            status, code = wish.get("status"), wish.get("code")
            if status not in SETTABLE:
                raise Misuse(f"status is one of {', '.join(SETTABLE)}")
            if code is not None and not isinstance(code, str):
                raise Misuse("code is a string")
            transfer.answers = []
            self._set(transfer, status, code)
        return web.json_response({
            "out_biz_no": transfer.order["out_biz_no"], "status": transfer.status, "code": transfer.code,
            "answers": transfer.answers,
        })  # fmt: skip

    async def control_all(self, request: web.Request) -> web.Response:
        """What questions about transfers are answered that are submitted from now on."""
        wish = await control_body(request, {"answers"})
        self.answers = parse_answers(wish.get("answers"))
        return web.json_response({"answers": self.answers})

    def reset(self) -> None:
        """Transfers to come are posted at once again."""
        self.answers = []

    def memos(self) -> list[dict]:
        """The transfers as their payees' statements show them."""
        return [
            {
                "id": transfer.id,
                "at": transfer.at,
                "out_biz_no": number,
                "payee_account": transfer.order["payee_account"],
                "payee_name": transfer.order["payee_name"],
                "memo": transfer.order["memo"],
                "status": transfer.status,
            }
            for number, transfer in self.transfers.items()
        ]

    def _set(self, transfer: Transfer, status: str, code: str | None) -> None:
        if status in ("SUCCESS", "RETURNED") and transfer.bank_serial is None:
            # Only a transfer that was posted can come back.
            self._post(transfer)
        if status in ("FAILED", "PENDING"):
            transfer.bank_serial = transfer.posted_at = None
        transfer.status = status
        transfer.fixed = True
        usual = {"FAILED": "ACCOUNT_CLOSED", "RETURNED": "NAME_MISMATCH"}
        transfer.code = code or usual.get(status)

    def _post(self, transfer: Transfer) -> None:
        transfer.status = "SUCCESS"
        transfer.bank_serial = self.world.beijing().strftime("%Y%m%d") + f"{transfer.id:012d}"
        transfer.posted_at = self.world.stamp()

    def _verify(self, request: web.Request, body: bytes) -> None:
        config = self.world.config
        client, stamp, signature = (
            request.headers.get(name, "") for name in ("X-Client-Id", "X-Timestamp", "X-Signature")
        )
        if not (client and stamp and signature):
            raise BankError(401, "MISSING_SIGNATURE", "X-Client-Id, X-Timestamp and X-Signature are needed")
        if client != config.bank_client_id:
            raise BankError(401, "UNKNOWN_CLIENT", "X-Client-Id is not known")
        if re.fullmatch(r"[0-9]{1,12}", stamp) is None:
            raise BankError(401, "BAD_TIMESTAMP", "X-Timestamp is in whole seconds")
        due = signature_of(config.bank_client_secret, request.method, request.raw_path, stamp, body)
        if not hmac.compare_digest(due.encode(), signature.encode()):
            raise BankError(401, "BAD_SIGNATURE", "X-Signature does not fit this request")
        if abs(int(stamp) - self.world.now().timestamp()) > TIMESTAMP_WINDOW_SECONDS:
            raise BankError(401, "BAD_TIMESTAMP", "X-Timestamp is more than five minutes away")


def signature_of(secret: str, method: str, path: str, timestamp: str, body: bytes) -> str:
    text = f"{method}\n{path}\n{timestamp}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def parse_answers(wish) -> list[str]:
    """The answers of a control call; none end what was asked for before."""
    if wish is None:
        return []
    if not isinstance(wish, list) or len(wish) > ANSWERS_MAX or any(answer not in SETTABLE for answer in wish):
        raise Misuse(f"answers is a list of up to {ANSWERS_MAX} of {', '.join(SETTABLE)}")
    return wish


def parse_order(body: bytes) -> dict:
    try:
        order = json.loads(body)
    except ValueError:
        order = None
    if not isinstance(order, dict):
        raise _invalid("the body is not a JSON object")
    # A branch that is not given and one that is null say the same.
    order = {name: value for name, value in order.items() if name not in OPTIONAL or value is not None}
    missing, unknown = REQUIRED - set(order), set(order) - REQUIRED - OPTIONAL
    if missing or unknown:
        raise _invalid(f"missing: {', '.join(sorted(missing)) or '-'}; unknown: {', '.join(sorted(unknown)) or '-'}")
    for name, value in order.items():
        if not isinstance(value, int if name in ("payee_type", "amount_fen") else str) or isinstance(value, bool):
            raise _invalid(f"{name} has the wrong type")
    checks = {
        "out_biz_no": lambda text: re.fullmatch(r"[0-9A-Za-z]{1,20}", text),
        "payee_name": lambda text: 2 <= len(text) <= NAME_MAX_CHARACTERS,
        "payee_account": lambda text: re.fullmatch(r"[0-9-]{6,32}", text),
        "bank_name": lambda text: 2 <= len(text) <= NAME_MAX_CHARACTERS,
        "branch_cnaps": lambda text: re.fullmatch(r"[0-9]{12}", text),
        "payee_type": lambda number: number in (1, 2),
        "amount_fen": lambda number: number == 1,
        "memo": lambda text: 1 <= _gbk_length(text) <= MEMO_MAX_GBK_BYTES,
        "purpose": lambda text: 1 <= _gbk_length(text) <= PURPOSE_MAX_GBK_BYTES,
    }
    for name, value in order.items():
        if not checks[name](value):
            raise _invalid(f"{name} is not valid")
    return order


def _gbk_length(text: str) -> int:
    """Bytes as the bank counts them; what GBK cannot write fits nowhere."""
    try:
        return len(text.encode("gbk"))
    except UnicodeEncodeError:
        return -1


def _invalid(message: str) -> BankError:
    return BankError(400, "INVALID_PARAMETER", message)


def _refusal(error: BankError) -> web.Response:
    return web.json_response({"code": error.code, "message": error.message}, status=error.status)
