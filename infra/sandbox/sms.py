"""SendSms: the rules of the SMS provider for numbers, signs, templates and their variables."""

import json
import re
import secrets

from .acs3 import ApiError
from .identifiers import is_mobile
from .receipts import Receipts
from .state import World

VERSION = "2017-05-25"
NUMBERS_MAX = 1_000
# Not published as a number; templates show variables of up to 35 characters.
VARIABLE_MAX_LENGTH = 35
VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
# A template whose variable is called `code` is a verification template: 4 to 6 letters or digits.
VERIFICATION_CODE = re.compile(r"[0-9A-Za-z]{4,6}")


class Business(Exception):
    """A refusal that travels as HTTP 200 with a code."""

    def __init__(self, code: str, message: str):
        super().__init__(code)
        self.code = code
        self.message = message


class Sms:
    """Takes messages and keeps them for the page and for tests."""

    def __init__(self, world: World, receipts: Receipts):
        self.world = world
        self.receipts = receipts

    def send(self, version: str, params: dict[str, str], *, allowed: bool) -> tuple[int, dict | None]:
        if version != VERSION:
            raise ApiError(404, "InvalidVersion", "Specified parameter Version is not valid.")
        for name in ("PhoneNumbers", "SignName", "TemplateCode"):
            if not params.get(name):
                raise ApiError(400, "MissingParameter", f"{name} is mandatory for this action.")
        if self.world.faults.take("sms", "busy"):
            raise ApiError(400, "Throttling.User", "Request was denied due to user flow control.")
        try:
            if not allowed:
                raise Business("isp.RAM_PERMISSION_DENY", "RAM权限不足")
            answer = self._send(params)
        except Business as refusal:
            return 200, {"Code": refusal.code, "Message": refusal.message}
        if self.world.faults.take("sms", "timeout"):
            return 200, None
        return 200, answer

    def _send(self, params: dict[str, str]) -> dict:
        refuse = self.world.faults.on("sms", "refuse")
        if refuse is not None:
            raise Business(refuse, "refused by a fault switch")
        numbers = params["PhoneNumbers"].split(",")
        if len(numbers) > NUMBERS_MAX:
            raise Business("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
        numbers = [number.removeprefix("+86") for number in numbers]
        if not all(is_mobile(number) for number in numbers):
            raise Business("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
        if params["SignName"] != self.world.config.sign_name:
            raise Business("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法")
        text = self.world.config.templates.get(params["TemplateCode"])
        if text is None:
            raise Business("isv.SMS_TEMPLATE_ILLEGAL", "短信模版不合法")
        values = variables(text, params.get("TemplateParam", ""))
        biz_id = f"{secrets.randbelow(10**18):018d}^0"
        for number in numbers:
            self.world.sms.append(
                {
                    "id": self.world.next_id(),
                    "at": self.world.stamp(),
                    "to": number,
                    "template": params["TemplateCode"],
                    "params": values,
                    "sign": params["SignName"],
                    "text": VARIABLE.sub(lambda found: values[found[1]], text),
                    "biz_id": biz_id,
                    "out_id": params.get("OutId"),
                    "provider": "aliyun",
                }
            )
        self.receipts.after_sending(biz_id)
        return {"Code": "OK", "Message": "OK", "BizId": biz_id}


def variables(template: str, text: str) -> dict[str, str]:
    """The variables of a message, all that the template needs."""
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise Business("isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值")
    if not all(isinstance(value, str) for value in values.values()):
        raise Business("isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值")
    missing = [name for name in VARIABLE.findall(template) if name not in values]
    if missing:
        raise Business("isv.TEMPLATE_MISSING_PARAMETERS", f"模版缺少变量：{'、'.join(missing)}")
    for value in values.values():
        if "\n" in value or "\r" in value:
            raise Business("isv.INVALID_PARAMETERS", "变量不能包含换行")
        if not 1 <= len(value) <= VARIABLE_MAX_LENGTH:
            raise Business("isv.PARAM_LENGTH_LIMIT", "参数超出长度限制")
        if re.search(r"://|www\.", value, re.IGNORECASE):
            raise Business("isv.PARAM_NOT_SUPPORT_URL", "不支持URL")
    if "${code}" in template and VERIFICATION_CODE.fullmatch(values["code"]) is None:
        raise Business("isv.INVALID_PARAMETERS", "验证码变量仅支持4至6位字母或数字")
    return values
