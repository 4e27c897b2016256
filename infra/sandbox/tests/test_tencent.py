"""Tencent's SMS and identity checks seen from the platform."""

import unittest

import aiohttp
from support import BANK_CARD, ID_NUMBER, MOBILE, OutsideTest

PERSON = {"IdCard": ID_NUMBER, "Name": "张三"}
VALUES = {
    "IdCardVerification": PERSON,
    "PhoneVerification": PERSON | {"Phone": MOBILE},
    "BankCardVerification": PERSON | {"BankCard": BANK_CARD, "CertType": 0},
    "BankCard4EVerification": PERSON | {"BankCard": BANK_CARD, "Phone": MOBILE, "CertType": 0},
}
VERSION = "2018-03-01"


class Admission(OutsideTest):
    def sms_key(self) -> tuple[str, str]:
        return self.CONFIG.tencent["sms_secret_id"], self.CONFIG.tencent["sms_secret_key"]

    async def refused(self, code: str, key=None, tamper=None, service="sms", action="SendSms", **changes):
        headers = self.tc3_headers(service, action, "2021-01-11", key or self.sms_key(), b"{}", **changes)
        answer = await self.post_tencent(b"{}", headers | (tamper or {}))
        self.assertEqual(answer["Error"]["Code"], code)

    async def test_calls_are_signed(self):
        await self.refused("AuthFailure.SignatureFailure", (self.sms_key()[0], "x"))
        await self.refused("AuthFailure.SecretIdNotFound", ("x", "x"))
        await self.refused("AuthFailure.InvalidAuthorization", tamper={"Authorization": "Bearer x"})
        await self.refused("AuthFailure.SignatureFailure", tamper={"x-tc-action": "PhoneVerification"})
        await self.refused("AuthFailure.SignatureExpire", **{"x-tc-timestamp": "1716170771"})

    async def test_actions_versions_regions_and_services_are_known(self):
        await self.refused("InvalidAction", action="Guess")
        await self.refused("NoSuchVersion", tamper={"x-tc-version": "2019-07-11"})
        await self.refused("AuthFailure.SignatureFailure", service="faceid")
        await self.refused("UnsupportedRegion", tamper={"x-tc-region": "eu-frankfurt"})

    async def test_each_key_is_good_for_its_own_product(self):
        answer = await self.tencent("faceid", "IdCardVerification", VERSION, PERSON, self.sms_key())
        self.assertEqual(answer["Error"]["Code"], "UnauthorizedOperation")


class SmsMessages(OutsideTest):
    async def status(self, **changes) -> dict:
        answer = await self.send_tencent(**changes)
        (status,) = answer["SendStatusSet"]
        return status

    async def test_a_message_is_kept(self):
        status = await self.status()
        self.assertEqual((status["Code"], status["PhoneNumber"]), ("Ok", "+86" + MOBILE))
        (sms,) = (await self.read("/messages.json"))["sms"]
        self.assertEqual((sms["to"], sms["params"], sms["out_id"]), (MOBILE, {"code": "123456"}, "o-1"))
        self.assertEqual((sms["biz_id"], sms["provider"]), (status["SerialNo"], "tencent"))
        self.assertIn("123456", sms["text"])

    async def test_each_number_has_a_status_of_its_own(self):
        answer = await self.send_tencent(PhoneNumberSet=["+86" + MOBILE, "+8612345"])
        codes = [status["Code"] for status in answer["SendStatusSet"]]
        self.assertEqual(codes, ["Ok", "InvalidParameterValue.IncorrectPhoneNumber"])
        self.assertEqual(len((await self.read("/messages.json"))["sms"]), 1)

    async def test_refusals(self):
        for code, changes in (
            ("FailedOperation.SignatureIncorrectOrUnapproved", {"SignName": "别人"}),
            ("FailedOperation.TemplateIncorrectOrUnapproved", {"TemplateId": "1"}),
            ("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", {"TemplateParamSet": []}),
            ("InvalidParameterValue.TemplateParameterFormatError", {"TemplateParamSet": ["aB3dE6"]}),
            ("InvalidParameterValue.TemplateParameterFormatError", {"TemplateParamSet": ["1234567"]}),
            (
                "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
                {"TemplateId": "1400003", "TemplateParamSet": ["http://x.example"]},
            ),
            (
                "InvalidParameterValue.TemplateParameterLengthLimit",
                {"TemplateId": "1400003", "TemplateParamSet": ["x" * 36]},
            ),
        ):
            with self.subTest(code):
                self.assertEqual((await self.status(**changes))["Code"], code)
        self.assertEqual((await self.read("/messages.json"))["sms"], [])
        answer = await self.send_tencent(SmsSdkAppId="1")
        self.assertEqual(answer["Error"]["Code"], "UnauthorizedOperation.SmsSdkAppIdVerifyFail")

    async def test_a_password_has_letters(self):
        status = await self.status(TemplateId="1400002", TemplateParamSet=["aB3dE6gH"])
        self.assertEqual(status["Code"], "Ok")

    async def test_faults(self):
        await self.control("faults", {"sms": {"refuse": "LimitExceeded.PhoneNumberOneHourLimit"}})
        self.assertEqual((await self.status())["Code"], "LimitExceeded.PhoneNumberOneHourLimit")
        await self.control("faults", {"sms": {"refuse": "InternalError.Timeout"}})
        self.assertEqual((await self.send_tencent())["Error"]["Code"], "InternalError.Timeout")
        await self.control("faults", {"sms": {"refuse": None, "busy": 1}})
        self.assertEqual((await self.send_tencent())["Error"]["Code"], "RequestLimitExceeded")
        await self.control("faults", {"sms": {"timeout": 1}})
        with self.assertRaises(aiohttp.ServerDisconnectedError):
            await self.send_tencent()
        self.assertEqual(len((await self.read("/messages.json"))["sms"]), 1)


class Persons(OutsideTest):
    async def result(self, action: str, **changes) -> str:
        answer = await self.tencent("faceid", action, VERSION, VALUES[action] | changes)
        return answer.get("Result") or answer["Error"]["Code"]

    async def results(self) -> list[str]:
        return [await self.result(action) for action in VALUES]

    async def test_everybody_matches_who_is_not_denied(self):
        self.assertEqual(await self.results(), ["0"] * 4)
        await self.control("identity/deny", {"id_number": ID_NUMBER})
        self.assertEqual(await self.results(), ["-1", "-4", "-1", "-1"])
        await self.control("identity/deny", {"id_number": ID_NUMBER, "biz_code": "3"})
        self.assertEqual(await self.results(), ["-5", "-9", "-16", "-17"])
        await self.control("identity/allow", {"id_number": ID_NUMBER})
        await self.control("identity/deny", {"id_number": MOBILE})
        self.assertEqual(await self.results(), ["0", "-4", "0", "-1"])

    async def test_each_product_has_numbers_of_its_own_for_malformed_values(self):
        for action, name, value, expected in (
            ("IdCardVerification", "IdCard", "430102199003070013", "-2"),
            ("IdCardVerification", "Name", "3", "-3"),
            ("PhoneVerification", "Phone", "1380013800", "-6"),
            ("PhoneVerification", "IdCard", "430102199003070013", "-7"),
            ("PhoneVerification", "Name", "3", "-8"),
            ("BankCardVerification", "BankCard", "6217000010001234568", "-4"),
            ("BankCard4EVerification", "Phone", "1380013800", "-5"),
        ):
            with self.subTest(action=action, name=name):
                self.assertEqual(await self.result(action, **{name: value}), expected)
        self.assertEqual(await self.result("PhoneVerification", Phone=""), "MissingParameter")
        self.assertEqual(await self.result("BankCardVerification", CertType=1), "InvalidParameterValue")

    async def test_faults(self):
        await self.control("faults", {"identity": {"busy": 4}})
        self.assertEqual(await self.results(), ["-4", "-11", "-17", "-18"])
        await self.control("faults", {"identity": {"refuse": "-7"}})
        self.assertEqual(await self.result("IdCardVerification"), "-7")
        await self.control("faults", {"identity": {"refuse": "InternalError"}})
        self.assertEqual(await self.result("IdCardVerification"), "InternalError")
        await self.control("faults", {"identity": {"refuse": None, "timeout": 1}})
        with self.assertRaises(aiohttp.ServerDisconnectedError):
            await self.result("IdCardVerification")

    async def test_aliyun_has_the_same_switches(self):
        form = {"ParamType": "normal", "UserName": "张三", "IdentifyNum": ID_NUMBER}
        keys = self.SECRETS["identity"]
        await self.control("faults", {"identity": {"refuse": "403"}})
        _, answer = await self.cloud("Id2MetaVerify", "2019-03-07", keys, form=form)
        self.assertEqual(answer["Code"], "403")
        await self.control("faults", {"identity": {"refuse": None, "timeout": 1}, "sms": {"busy": 1}})
        with self.assertRaises(aiohttp.ServerDisconnectedError):
            await self.cloud("Id2MetaVerify", "2019-03-07", keys, form=form)
        status, answer = await self.send_sms()
        self.assertEqual((status, answer["Code"]), (400, "Throttling.User"))


if __name__ == "__main__":
    unittest.main()
