"""Identity checks: persons, their phones and bank cards, enterprises. Everybody matches who is not denied."""

import re

from aiohttp import web

from .acs3 import ApiError
from .identifiers import is_bank_card, is_credit_code, is_mobile, is_person_name, is_resident_id, passes_luhn
from .state import Misuse, World, remember
from .wire import control_body

PERSON_VERSION = "2019-03-07"
ENTERPRISE_VERSION = "2022-11-25"

NEEDS = {
    "Id2MetaVerify": ("UserName", "IdentifyNum"),
    "Mobile3MetaSimpleVerify": ("UserName", "IdentifyNum", "Mobile"),
    "Mobile3MetaDetailVerify": ("UserName", "IdentifyNum", "Mobile"),
}
CARD_NEEDS = {
    "BANK_CARD_2_META": ("BankCard", "UserName"),
    "BANK_CARD_3_META": ("BankCard", "UserName", "IdentifyNum", "IdentityType"),
    "BANK_CARD_4_META": ("BankCard", "UserName", "IdentifyNum", "IdentityType", "Mobile"),
}
ENTERPRISE_NEEDS = {
    "ENT_2META": ("EntName", "LicenseNo"),
    "ENT_3META": ("EntName", "LicenseNo", "LegalPersonName"),
    "ENT_4META": ("EntName", "LicenseNo", "LegalPersonName", "LegalPersonCertNo"),
}
ENTERPRISE_ACTIONS = ("EntElementVerify", "EntElementVerifyV2")
# Registers know market entities; other bodies have credit codes with another first character.
MARKET_ENTITY = "9"
OPEN_TIME = "2018-09-25/9999-09-09"

UNICOM = {"130", "131", "132", "145", "155", "156", "166", "167", "171", "175", "176", "185", "186", "196"}
TELECOM = {"133", "149", "153", "162", "173", "177", "180", "181", "189", "190", "191", "193", "199"}


class Processed(Exception):
    """The call was not processed to a result: the envelope's code says why (400, 401, ...)."""

    def __init__(self, code: str, message: str):
        super().__init__(code)
        self.code = code
        self.message = message


class Identity:
    """The checks and the control call that makes numbers mismatch."""

    def __init__(self, world: World):
        self.world = world
        self._business_ids: dict[str, dict] = {}

    def call(self, action: str, version: str, query: dict, form: dict, *, allowed: bool) -> tuple[int, dict | None]:
        if action not in NEEDS and action not in ("BankMetaVerify", *ENTERPRISE_ACTIONS):
            raise ApiError(
                404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."
            )
        if version != (ENTERPRISE_VERSION if action in ENTERPRISE_ACTIONS else PERSON_VERSION):
            raise ApiError(404, "InvalidVersion", "Specified parameter Version is not valid.")
        if self.world.faults.take("identity", "busy"):
            raise ApiError(
                503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
            )
        if self.world.faults.take("identity", "timeout"):
            return 200, None
        if action in ENTERPRISE_ACTIONS:
            if not allowed:
                raise ApiError(403, "Forbidden.RAMUserAccessDenied", "The RAM user has no permission.")
            return 200, {"Code": "Success", "Message": "success", "Result": self._enterprise(action, query)}
        try:
            if not allowed:
                raise Processed("411", "RAM无权限")
            refuse = self.world.faults.on("identity", "refuse")
            if refuse is not None:
                raise Processed(refuse, "refused by a fault switch")
            if action == "BankMetaVerify":
                result = self._card(query)
            else:
                result = self._person(action, form)
        except Processed as refusal:
            return 200, {"Code": refusal.code, "Message": refusal.message, "ResultObject": None}
        return 200, {"Code": "200", "Message": "success", "ResultObject": result}

    # 2019-03-07: persons by form, bank cards by query.

    def _person(self, action: str, form: dict) -> dict:
        self._check_fields(form, ("ParamType", *NEEDS[action]))
        denial = self._denial(form["IdentifyNum"], form.get("Mobile"))
        result = {"BizCode": denial["biz_code"] if denial else "1"}
        if action == "Id2MetaVerify":
            return result
        result["IspName"] = isp_name(form["Mobile"])
        if action == "Mobile3MetaDetailVerify":
            usual = {"2": "201", "3": "301"}
            result["SubCode"] = (denial.get("sub_code") or usual[denial["biz_code"]]) if denial else "101"
        return result

    def _card(self, query: dict) -> dict:
        product = query.get("ProductType", "")
        self._check_fields(query, ("ParamType", "VerifyMode", "ProductType", *CARD_NEEDS.get(product, ())))
        if product not in CARD_NEEDS or query["VerifyMode"] != "VERIFY_BANK_CARD":
            raise Processed("401", "参数非法")
        denial = self._denial(query.get("IdentifyNum"), query.get("Mobile"), query["BankCard"])
        if denial:
            usual = {"2": "201", "3": "305"}
            return {"BizCode": denial["biz_code"], "SubCode": denial.get("sub_code") or usual[denial["biz_code"]]}
        if not passes_luhn(query["BankCard"]):
            return {"BizCode": "3", "SubCode": "304"}
        return {"BizCode": "1", "SubCode": "101"}

    def _check_fields(self, values: dict, needed: tuple[str, ...]) -> None:
        for name in needed:
            if not values.get(name):
                raise Processed("400", f"参数不能为空：{name}")
        checks = {
            "ParamType": lambda text: text == "normal",
            "UserName": is_person_name,
            "IdentifyNum": lambda text: is_resident_id(text, self.world.beijing().date()),
            "IdentityType": lambda text: text == "01",
            "Mobile": is_mobile,
            "BankCard": is_bank_card,
        }
        for name in needed:
            if name in checks and not checks[name](values[name]):
                raise Processed("401", f"参数非法：{name}")

    # 2022-11-25: enterprises by query, another envelope, errors as HTTP errors.

    def _enterprise(self, action: str, query: dict) -> dict:
        kind = query.get("InfoVerifyType", "")
        known = ("InfoVerifyType", "SceneCode", "MerchantBizId", "MerchantUserId", "UserAuthorization")
        for name in (*known, *ENTERPRISE_NEEDS.get(kind, ())):
            if not query.get(name):
                raise ApiError(400, "MissingParameter", f"{name} is mandatory for this action.")
        today = self.world.beijing().date()
        checks = {
            "InfoVerifyType": lambda text: text in ENTERPRISE_NEEDS,
            "SceneCode": lambda text: re.fullmatch(r"[0-9A-Za-z_]{1,32}", text),
            "MerchantBizId": lambda text: re.fullmatch(r"[0-9A-Za-z]{1,32}", text),
            "MerchantUserId": lambda text: re.fullmatch(r"[0-9A-Za-z]{1,32}", text),
            "UserAuthorization": lambda text: text == "1",
            "EntName": lambda text: 2 <= len(text) <= 100,
            "LicenseNo": is_credit_code,
            "LegalPersonName": is_person_name,
            "LegalPersonCertNo": lambda text: is_resident_id(text, today),
        }
        for name, check in checks.items():
            if query.get(name) and not check(query[name]):
                raise ApiError(401, "InvalidParameter", f"{name} is not valid.")
        # The number names one question; asked again it must be the same question.
        earlier = self._business_ids.get(query["MerchantBizId"])
        if earlier is not None and earlier != query:
            raise ApiError(401, "InvalidParameter", "MerchantBizId was used for another question.")
        remember(self._business_ids, query["MerchantBizId"], query)
        result = self._enterprise_result(kind, query)
        if action == "EntElementVerifyV2":
            # V2 has no reason code.
            del result["ReasonCode"]
        return result

    def _enterprise_result(self, kind: str, query: dict) -> dict:
        company = self.world.denied.get(query["LicenseNo"])
        person = self.world.denied.get(query["LegalPersonCertNo"]) if kind == "ENT_4META" else None
        if not query["LicenseNo"].startswith(MARKET_ENTITY) or (company and company["biz_code"] == "3"):
            return {"BizCode": "3", "ReasonCode": "301"}
        if company and company["biz_code"] == "2":
            return {"BizCode": "2", "ReasonCode": "202", "ReasonDetail": "EntNameFlag,LicenseNoFlag"}
        if person and person["biz_code"] == "3":
            return {"BizCode": "3", "ReasonCode": "302"}
        if person and person["biz_code"] == "2":
            return {"BizCode": "2", "ReasonCode": "201", "ReasonDetail": "LegalPersonNameFlag,LegalPersonCertNoFlag"}
        status = company["status"] if company else "1"
        return {"BizCode": "1", "ReasonCode": "100", "Status": status, "OpenTime": OPEN_TIME}

    def _denial(self, *keys: str | None) -> dict | None:
        found = (self.world.denied.get(key) for key in keys if key)
        return next((denial for denial in found if denial and denial["biz_code"] != "1"), None)

    async def control_deny(self, request: web.Request) -> web.Response:
        wish = await control_body(request, {"id_number", "biz_code", "sub_code", "status"})
        number = _number(wish)
        # With a status alone the company matches, but is for instance deregistered.
        denial = {"biz_code": wish.get("biz_code", "1" if "status" in wish else "2")}
        if denial["biz_code"] not in ("1", "2", "3"):
            raise Misuse("biz_code is 1, 2 or 3")
        denial["status"] = wish.get("status", "1")
        if denial["status"] not in ("0", "1", "2", "3", "4", "5", "6"):
            raise Misuse("status is 0 to 6")
        if "sub_code" in wish:
            if not isinstance(wish["sub_code"], str) or re.fullmatch(r"[23][0-9]{2}", wish["sub_code"]) is None:
                raise Misuse("sub_code is three digits from 200 to 399")
            denial["sub_code"] = wish["sub_code"]
            denial["biz_code"] = wish["sub_code"][0]
        remember(self.world.denied, number, denial)
        return web.json_response({"denied": number} | denial)

    async def control_allow(self, request: web.Request) -> web.Response:
        number = _number(await control_body(request, {"id_number"}))
        return web.json_response({"allowed": number, "was_denied": self.world.denied.pop(number, None) is not None})


def isp_name(mobile: str) -> str:
    if mobile[:3] == "192":
        return "CBCC"
    if mobile[:3] in UNICOM:
        return "CUCC"
    return "CTCC" if mobile[:3] in TELECOM else "CMCC"


def _number(wish: dict) -> str:
    number = wish.get("id_number")
    if not isinstance(number, str) or not number:
        raise Misuse("id_number is the identity, credit, mobile or card number")
    return number
