"""Tencent's API: one endpoint, the action in a header; SMS and identity checks of persons behind it."""

import json
import re
import secrets
import uuid

from aiohttp import web

from .clouds import TENCENT_NUMBERS
from .faceid import ACTIONS as FACEID_ACTIONS
from .faceid import VERSION as FACEID_VERSION
from .faceid import Faceid
from .identifiers import is_mobile
from .keys import TEMPLATES
from .receipts import Receipts
from .sms import VARIABLE
from .state import World
from .tc3 import ApiError, Verifier
from .wire import no_answer

SMS_VERSION = "2021-01-11"
REGIONS = ("ap-guangzhou", "ap-beijing", "ap-nanjing")
NUMBERS_MAX = 200
CONTEXT_MAX_BYTES = 511
VARIABLE_MAX_LENGTH = 35
JSON_TYPE = "application/json; charset=utf-8"
# Refusals of these families come for a number; all others for the call.
OF_A_NUMBER = ("LimitExceeded.", "FailedOperation.", "InvalidParameterValue.")


class Tencent:
    """`POST /tencent/`."""

    def __init__(self, world: World, receipts: Receipts):
        self.world = world
        account = world.config.tencent
        self._sms_key = account["sms_secret_id"]
        self._verifier = Verifier(
            {
                account["sms_secret_id"]: account["sms_secret_key"],
                account["identity_secret_id"]: account["identity_secret_key"],
            }
        )
        self.receipts = receipts
        self.faceid = Faceid(world)
        self._texts = {TENCENT_NUMBERS[name]: (name, text) for name, (_, text) in TEMPLATES.items()}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/tencent", self.call), web.post("/tencent/", self.call)]

    async def call(self, request: web.Request) -> web.Response:
        request_id = str(uuid.uuid4())
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            answer = self._answer(headers, await request.read())
        except ApiError as error:
            answer = {"Error": {"Code": error.code, "Message": error.message}}
        if answer is None:
            return await no_answer(self.world, request)
        return web.json_response({"Response": answer | {"RequestId": request_id}})

    def _answer(self, headers: dict, body: bytes) -> dict | None:
        key, service = self._verifier.verify(headers, body, self.world.now())
        action, version = headers.get("x-tc-action", ""), headers.get("x-tc-version", "")
        known = {"SendSms": ("sms", SMS_VERSION)} | {name: ("faceid", FACEID_VERSION) for name in FACEID_ACTIONS}
        if action not in known:
            raise ApiError("InvalidAction", "The requested API does not exist.")
        if service != known[action][0]:
            raise ApiError("AuthFailure.SignatureFailure", "The scope is another service's.")
        if version != known[action][1]:
            raise ApiError("NoSuchVersion", "The API's version does not exist.")
        if headers.get("content-type", "").lower() != JSON_TYPE:
            raise ApiError("UnsupportedProtocol", f"Content-Type is {JSON_TYPE}.")
        # Each key belongs to a sub-account with the rights of one product.
        if (key == self._sms_key) != (service == "sms"):
            raise ApiError("UnauthorizedOperation", "The sub-account has no permission.")
        try:
            params = json.loads(body)
        except ValueError:
            raise ApiError("InvalidParameter", "The body is not JSON.") from None
        if not isinstance(params, dict):
            raise ApiError("InvalidParameter", "The body is not an object.")
        if service == "faceid":
            return self.faceid.check(action, params)
        if headers.get("x-tc-region") not in REGIONS:
            raise ApiError("UnsupportedRegion", "X-TC-Region is missing or not one of the product's.")
        return self._send(params)

    def _send(self, params: dict) -> dict | None:
        if self.world.faults.take("sms", "busy"):
            raise ApiError("RequestLimitExceeded", "The frequency of requests exceeds the limit.")
        numbers = params.get("PhoneNumberSet")
        if not isinstance(numbers, list) or not numbers:
            raise ApiError("MissingParameter", "PhoneNumberSet is missing.")
        if len(numbers) > NUMBERS_MAX:
            raise ApiError("LimitExceeded.PhoneNumberCountLimit", "Too many numbers.")
        if params.get("SmsSdkAppId") != self.world.config.tencent["sdk_app_id"]:
            raise ApiError("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "The SmsSdkAppId is not the account's.")
        context = params.get("SessionContext", "")
        if len(context.encode("utf-8")) > CONTEXT_MAX_BYTES:
            raise ApiError("InvalidParameterValue.SessionContextTooLong", "SessionContext is too long.")
        refuse = self.world.faults.on("sms", "refuse")
        if refuse is not None and not refuse.startswith(OF_A_NUMBER):
            raise ApiError(refuse, "refused by a fault switch")
        statuses = [self._send_one(number, params, context, refuse) for number in numbers]
        if self.world.faults.take("sms", "timeout"):
            return None
        return {"SendStatusSet": statuses}

    def _send_one(self, number: str, params: dict, context: str, refuse: str | None) -> dict:
        serial = ""
        try:
            if refuse is not None:
                raise ApiError(refuse, "refused by a fault switch")
            serial = self._keep(number, params, context)
            code, message = "Ok", "send success"
        except ApiError as refusal:
            code, message = refusal.code, refusal.message
        return {
            "SerialNo": serial,
            "PhoneNumber": number,
            "Fee": 1 if serial else 0,
            "SessionContext": context,
            "Code": code,
            "Message": message,
            "IsoCode": "CN" if serial else "",
        }

    def _keep(self, number: str, params: dict, context: str) -> str:
        if not isinstance(number, str) or not number.startswith("+86") or not is_mobile(number[3:]):
            raise ApiError("InvalidParameterValue.IncorrectPhoneNumber", "The number is not well-formed.")
        if params.get("SignName") != self.world.config.sign_name:
            raise ApiError("FailedOperation.SignatureIncorrectOrUnapproved", "The sign is not approved.")
        template = params.get("TemplateId")
        if template not in self._texts:
            raise ApiError("FailedOperation.TemplateIncorrectOrUnapproved", "The template is not approved.")
        name, text = self._texts[template]
        values = self._values(name, text, params.get("TemplateParamSet", []))
        serial = f"{secrets.randbelow(10_000)}:{secrets.randbelow(10**30):030d}"
        self.world.sms.append(
            {
                "id": self.world.next_id(),
                "at": self.world.stamp(),
                "to": number[3:],
                "template": template,
                "params": values,
                "sign": params["SignName"],
                "text": VARIABLE.sub(lambda found: values[found[1]], text),
                "biz_id": serial,
                "out_id": context,
                "provider": "tencent",
            }
        )
        self.receipts.after_sending(serial)
        return serial

    @staticmethod
    def _values(name: str, text: str, given: list) -> dict[str, str]:
        """The values by the names that the text has for its places, in their order."""
        places = VARIABLE.findall(text)
        if not isinstance(given, list) or len(given) != len(places):
            raise ApiError(
                "FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "The text has another number of places."
            )
        for value in given:
            if not isinstance(value, str) or not 1 <= len(value) <= VARIABLE_MAX_LENGTH:
                raise ApiError("InvalidParameterValue.TemplateParameterLengthLimit", "A value is too long.")
            if re.search(r"://|www\.", value, re.IGNORECASE):
                raise ApiError("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "A value holds a URL.")
            if name == "template_code" and re.fullmatch(r"[0-9]{0,6}", value) is None:
                raise ApiError("InvalidParameterValue.TemplateParameterFormatError", "Codes are up to six digits.")
        return dict(zip(places, given, strict=True))
