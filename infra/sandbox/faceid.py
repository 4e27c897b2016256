"""Tencent's identity checks of persons. Everybody matches who is not denied; each product numbers its results in its own way."""

import re

from .identifiers import is_bank_card, is_mobile, is_person_name, is_resident_id, passes_luhn
from .state import World
from .tc3 import ApiError

VERSION = "2018-03-01"
NEEDS = {
    "IdCardVerification": ("IdCard", "Name"),
    "PhoneVerification": ("IdCard", "Name", "Phone"),
    "BankCardVerification": ("IdCard", "Name", "BankCard"),
    "BankCard4EVerification": ("IdCard", "Name", "BankCard", "Phone"),
}
ACTIONS = tuple(NEEDS)
# Product -> what is said of a value that is not well-formed.
MALFORMED = {
    "IdCardVerification": {"IdCard": "-2", "Name": "-3"},
    "PhoneVerification": {"Phone": "-6", "IdCard": "-7", "Name": "-8"},
    "BankCardVerification": {"Name": "-2", "IdCard": "-3", "BankCard": "-4"},
    "BankCard4EVerification": {"Name": "-2", "IdCard": "-3", "BankCard": "-4", "Phone": "-5"},
}
MISMATCH = {
    "IdCardVerification": "-1",
    "PhoneVerification": "-4",
    "BankCardVerification": "-1",
    "BankCard4EVerification": "-1",
}
# No record, or for cards: the issuer takes no part.
NO_RECORD = {
    "IdCardVerification": "-5",
    "PhoneVerification": "-9",
    "BankCardVerification": "-16",
    "BankCard4EVerification": "-17",
}
BUSY = {
    "IdCardVerification": "-4",
    "PhoneVerification": "-11",
    "BankCardVerification": "-17",
    "BankCard4EVerification": "-18",
}


class Faceid:
    """The checks."""

    def __init__(self, world: World):
        self.world = world

    def check(self, action: str, params: dict) -> dict | None:
        for name in NEEDS[action]:
            if not isinstance(params.get(name), str) or not params[name]:
                raise ApiError("MissingParameter", f"{name} is missing.")
        if action.startswith("BankCard") and params.get("CertType", 0) != 0:
            raise ApiError("InvalidParameterValue", "CertType is 0.")
        refuse = self.world.faults.on("identity", "refuse")
        if refuse is not None and not re.fullmatch(r"-?[0-9]+", refuse):
            raise ApiError(refuse, "refused by a fault switch")
        if self.world.faults.take("identity", "timeout"):
            return None
        if self.world.faults.take("identity", "busy"):
            return self._result(BUSY[action])
        return self._result(refuse if refuse is not None else self._judge(action, params))

    def _judge(self, action: str, params: dict) -> str:
        checks = {
            "IdCard": lambda text: is_resident_id(text, self.world.beijing().date()),
            "Name": is_person_name,
            "Phone": is_mobile,
            "BankCard": lambda text: is_bank_card(text) and passes_luhn(text),
        }
        for name, result in MALFORMED[action].items():
            if not checks[name](params[name]):
                return result
        keys = (params["IdCard"], params.get("Phone"), params.get("BankCard"))
        denials = (self.world.denied.get(key) for key in keys if key)
        denial = next((found for found in denials if found and found["biz_code"] != "1"), None)
        if denial is None:
            return "0"
        return (MISMATCH if denial["biz_code"] == "2" else NO_RECORD)[action]

    @staticmethod
    def _result(result: str) -> dict:
        return {"Result": result, "Description": "认证通过" if result == "0" else "认证未通过"}
