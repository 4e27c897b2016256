"""SMS and identity checks seen from the platform."""

import unittest

import aiohttp
from support import BANK_CARD, CREDIT_CODE, ID_NUMBER, MOBILE, OutsideTest

PERSON = {"ParamType": "normal", "UserName": "张三", "IdentifyNum": ID_NUMBER, "Mobile": MOBILE}
CARD = {
    "ParamType": "normal",
    "VerifyMode": "VERIFY_BANK_CARD",
    "ProductType": "BANK_CARD_4_META",
    "BankCard": BANK_CARD,
    "UserName": "张三",
    "IdentifyNum": ID_NUMBER,
    "IdentityType": "01",
    "Mobile": MOBILE,
}
COMPANY = {
    "InfoVerifyType": "ENT_4META",
    "EntName": "湖南某某科技有限公司",
    "LicenseNo": CREDIT_CODE,
    "LegalPersonName": "张三",
    "LegalPersonCertNo": ID_NUMBER,
    "MerchantBizId": "b1",
    "MerchantUserId": "u1",
    "SceneCode": "apply",
    "UserAuthorization": "1",
}


class Admission(OutsideTest):
    async def refused(self, status: int, code: str, keys=None, form_body=b"", tamper=None, **changes):
        keys = keys or self.SECRETS["identity"]
        headers = self.acs3_headers("Id2MetaVerify", "2019-03-07", keys, {}, form_body, **changes)
        answer = await self.post_cloud({}, form_body, headers | (tamper or {}))
        self.assertEqual((answer[0], answer[1]["Code"]), (status, code))
        return answer[1]

    async def test_a_wrong_secret_does_not_sign(self):
        keys = self.SECRETS["identity"] | {"access_key_secret": "x"}
        error = await self.refused(400, "SignatureDoesNotMatch", keys)
        self.assertIn("ACS3-HMAC-SHA256\n", error["Message"])
        await self.refused(404, "InvalidAccessKeyId.NotFound", {"access_key_id": "x", "access_key_secret": "x"})

    async def test_a_changed_header_breaks_the_signature(self):
        await self.refused(400, "SignatureDoesNotMatch", tamper={"x-acs-action": "SendSms"})
        await self.refused(400, "IncompleteSignature", tamper={"x-acs-more": "1"})
        await self.refused(400, "IncompleteSignature", tamper={"Authorization": "Bearer x"})

    async def test_the_hash_is_that_of_the_body(self):
        await self.refused(400, "SignatureDoesNotMatch", form_body=b"a=1", **{"x-acs-content-sha256": "0" * 64})

    async def test_the_date_is_within_fifteen_minutes(self):
        await self.refused(400, "InvalidTimeStamp.Expired", **{"x-acs-date": "2024-05-20T01:56:11Z"})
        await self.refused(400, "InvalidTimeStamp.Expired", **{"x-acs-date": "2024-05-20T10:11:12Z"})
        await self.refused(400, "InvalidTimeStamp.Format", **{"x-acs-date": "2024-05-20 02:11:12"})

    async def test_a_nonce_is_good_once(self):
        await self.refused(200, "400", **{"x-acs-signature-nonce": "n1"})
        await self.refused(400, "SignatureNonceUsed", **{"x-acs-signature-nonce": "n1"})

    async def test_a_refused_call_does_not_spend_its_nonce(self):
        keys = self.SECRETS["identity"] | {"access_key_secret": "x"}
        await self.refused(400, "SignatureDoesNotMatch", keys, **{"x-acs-signature-nonce": "n2"})
        await self.refused(200, "400", **{"x-acs-signature-nonce": "n2"})

    async def test_actions_and_versions_are_known(self):
        keys = self.SECRETS["identity"]
        self.assertEqual((await self.cloud("Guess", "2019-03-07", keys))[1]["Code"], "InvalidAction.NotFound")
        self.assertEqual((await self.cloud("Id2MetaVerify", "2017-05-25", keys))[1]["Code"], "InvalidVersion")

    async def test_each_key_is_good_for_its_own_product(self):
        _, answer = await self.cloud("Id2MetaVerify", "2019-03-07", self.SECRETS["sms"], form=PERSON)
        self.assertEqual(answer["Code"], "411")
        query = {"PhoneNumbers": MOBILE, "SignName": "x", "TemplateCode": "x"}
        _, answer = await self.cloud("SendSms", "2017-05-25", self.SECRETS["identity"], query=query)
        self.assertEqual(answer["Code"], "isp.RAM_PERMISSION_DENY")


class SmsMessages(OutsideTest):
    async def test_a_message_is_kept(self):
        status, answer = await self.send_sms(OutId="o-1")
        self.assertEqual((status, answer["Code"]), (200, "OK"))
        (sms,) = (await self.read("/messages.json"))["sms"]
        self.assertEqual((sms["to"], sms["params"], sms["out_id"]), (MOBILE, {"code": "123456"}, "o-1"))
        self.assertEqual(sms["template"], self.SECRETS["sms"]["template_code"])
        self.assertEqual(sms["biz_id"], answer["BizId"])
        self.assertIn("123456", sms["text"])
        self.assertEqual(sms["at"], "2024-05-20T02:11:12.000Z")

    async def test_refusals_are_http_200(self):
        for code, changes in (
            ("isv.MOBILE_NUMBER_ILLEGAL", {"PhoneNumbers": "1380013800"}),
            ("isv.MOBILE_NUMBER_ILLEGAL", {"PhoneNumbers": "12800138000"}),
            ("isv.MOBILE_COUNT_OVER_LIMIT", {"PhoneNumbers": ",".join([MOBILE] * 1001)}),
            ("isv.SMS_SIGNATURE_ILLEGAL", {"SignName": "别人"}),
            ("isv.SMS_TEMPLATE_ILLEGAL", {"TemplateCode": "SMS_1"}),
            ("isv.TEMPLATE_MISSING_PARAMETERS", {"TemplateParam": '{"codes":"123456"}'}),
            ("isv.TEMPLATE_MISSING_PARAMETERS", {"TemplateParam": None}),
            ("isv.INVALID_JSON_PARAM", {"TemplateParam": "123456"}),
            ("isv.INVALID_JSON_PARAM", {"TemplateParam": '{"code":123456}'}),
            ("isv.INVALID_PARAMETERS", {"TemplateParam": '{"code":"1234567"}'}),
            ("isv.PARAM_NOT_SUPPORT_URL", {"TemplateParam": '{"code":"123456","a":"http://a.cn"}'}),
            ("isv.PARAM_LENGTH_LIMIT", {"TemplateParam": '{"code":"123456","a":"' + "x" * 36 + '"}'}),
        ):
            with self.subTest(code):
                status, answer = await self.send_sms(**changes)
                self.assertEqual((status, answer["Code"]), (200, code))
        self.assertEqual((await self.read("/messages.json"))["sms"], [])
        status, answer = await self.send_sms(SignName=None)
        self.assertEqual((status, answer["Code"]), (400, "MissingParameter"))

    async def test_the_country_code_may_stand_before_the_number(self):
        await self.send_sms(PhoneNumbers="+86" + MOBILE)
        self.assertEqual((await self.read("/messages.json"))["sms"][0]["to"], MOBILE)

    async def test_a_password_may_have_letters(self):
        template = self.SECRETS["sms"]["template_password"]
        _, answer = await self.send_sms(TemplateCode=template, TemplateParam='{"password":"aB3dE6gH"}')
        self.assertEqual(answer["Code"], "OK")

    async def test_faults(self):
        await self.control("faults", {"sms": {"refuse": "isv.BUSINESS_LIMIT_CONTROL"}})
        self.assertEqual((await self.send_sms())[1]["Code"], "isv.BUSINESS_LIMIT_CONTROL")
        await self.control("faults", {"sms": {"refuse": None, "timeout": 1}})
        with self.assertRaises(aiohttp.ServerDisconnectedError):
            await self.send_sms()
        self.assertEqual(len((await self.read("/messages.json"))["sms"]), 1)


class Persons(OutsideTest):
    async def person(self, action: str, **changes) -> dict:
        form = {name: value for name, value in (PERSON | changes).items() if value is not None}
        status, answer = await self.cloud(action, "2019-03-07", self.SECRETS["identity"], form=form)
        self.assertEqual(status, 200)
        return answer

    async def card(self, **changes) -> dict:
        query = {name: value for name, value in (CARD | changes).items() if value is not None}
        status, answer = await self.cloud("BankMetaVerify", "2019-03-07", self.SECRETS["identity"], query=query)
        self.assertEqual(status, 200)
        return answer

    async def test_everybody_matches(self):
        answer = await self.person("Mobile3MetaSimpleVerify")
        self.assertEqual((answer["Code"], answer["ResultObject"]), ("200", {"BizCode": "1", "IspName": "CMCC"}))
        answer = await self.person("Mobile3MetaDetailVerify")
        self.assertEqual(answer["ResultObject"]["SubCode"], "101")
        self.assertEqual((await self.card())["ResultObject"], {"BizCode": "1", "SubCode": "101"})

    async def test_who_is_denied_does_not(self):
        await self.control("identity/deny", {"id_number": ID_NUMBER})
        self.assertEqual((await self.person("Mobile3MetaSimpleVerify"))["ResultObject"]["BizCode"], "2")
        answer = await self.person("Mobile3MetaDetailVerify")
        self.assertEqual((answer["ResultObject"]["BizCode"], answer["ResultObject"]["SubCode"]), ("2", "201"))
        self.assertEqual((await self.card())["ResultObject"], {"BizCode": "2", "SubCode": "201"})
        await self.control("identity/deny", {"id_number": ID_NUMBER, "sub_code": "306"})
        self.assertEqual((await self.card())["ResultObject"], {"BizCode": "3", "SubCode": "306"})
        await self.control("identity/allow", {"id_number": ID_NUMBER})
        self.assertEqual((await self.card())["ResultObject"]["BizCode"], "1")

    async def test_malformed_values_are_refused(self):
        for changes in (
            {"IdentifyNum": "430102199003070013"},
            {"IdentifyNum": "440524188001010014"},
            {"Mobile": "1380013800"},
            {"UserName": "3"},
            {"ParamType": "md5"},
        ):
            with self.subTest(changes):
                self.assertEqual((await self.person("Mobile3MetaSimpleVerify", **changes))["Code"], "401")
                self.assertEqual((await self.card(**changes))["Code"], "401")
        self.assertEqual((await self.person("Mobile3MetaSimpleVerify", Mobile=None))["Code"], "400")
        self.assertEqual((await self.card(BankCard="62170000"))["Code"], "401")
        self.assertEqual((await self.card(VerifyMode="X"))["Code"], "401")
        self.assertEqual((await self.card(BankCard="6217000010001234568"))["ResultObject"]["SubCode"], "304")

    async def test_parameters_are_looked_for_in_their_place(self):
        keys = self.SECRETS["identity"]
        _, answer = await self.cloud("Mobile3MetaSimpleVerify", "2019-03-07", keys, query=PERSON)
        self.assertEqual(answer["Code"], "400")
        _, answer = await self.cloud("BankMetaVerify", "2019-03-07", keys, form=CARD)
        self.assertEqual(answer["Code"], "400")

    async def test_a_busy_source(self):
        await self.control("faults", {"identity": {"busy": 1}})
        status, answer = await self.cloud("Id2MetaVerify", "2019-03-07", self.SECRETS["identity"], form=PERSON)
        self.assertEqual((status, answer["Code"]), (503, "ServiceUnavailable"))
        self.assertEqual((await self.person("Id2MetaVerify"))["ResultObject"], {"BizCode": "1"})


class Enterprises(OutsideTest):
    async def company(self, action="EntElementVerify", **changes) -> tuple[int, dict]:
        query = {name: value for name, value in (COMPANY | changes).items() if value is not None}
        return await self.cloud(action, "2022-11-25", self.SECRETS["identity"], query=query)

    async def test_a_company_matches(self):
        status, answer = await self.company()
        self.assertEqual((status, answer["Code"]), (200, "Success"))
        self.assertEqual(
            answer["Result"],
            {"BizCode": "1", "ReasonCode": "100", "Status": "1", "OpenTime": "2018-09-25/9999-09-09"},
        )
        _, answer = await self.company("EntElementVerifyV2")
        self.assertNotIn("ReasonCode", answer["Result"])

    async def test_denied_numbers(self):
        await self.control("identity/deny", {"id_number": ID_NUMBER})
        _, answer = await self.company()
        self.assertEqual((answer["Result"]["BizCode"], answer["Result"]["ReasonCode"]), ("2", "201"))
        _, answer = await self.company(InfoVerifyType="ENT_2META", MerchantBizId="b2")
        self.assertEqual(answer["Result"]["BizCode"], "1")
        await self.control("identity/deny", {"id_number": CREDIT_CODE})
        _, answer = await self.company()
        self.assertEqual((answer["Result"]["BizCode"], answer["Result"]["ReasonCode"]), ("2", "202"))
        await self.control("reset", {})
        await self.control("identity/deny", {"id_number": CREDIT_CODE, "status": "3"})
        _, answer = await self.company()
        self.assertEqual((answer["Result"]["BizCode"], answer["Result"]["Status"]), ("1", "3"))

    async def test_bodies_outside_the_market_register_are_not_found(self):
        _, answer = await self.company(LicenseNo=_with_check("12430000444886222"), MerchantBizId="b3")
        self.assertEqual(answer["Result"], {"BizCode": "3", "ReasonCode": "301"})

    async def test_malformed_values_are_refused(self):
        for changes in (
            {"LicenseNo": "91430000183786393B"},
            {"LegalPersonCertNo": "430102199003070013"},
            {"MerchantBizId": "b-1"},
            {"UserAuthorization": "0"},
            {"InfoVerifyType": "ENT_5META"},
        ):
            with self.subTest(changes):
                status, answer = await self.company(**changes)
                self.assertEqual((status, answer["Code"]), (401, "InvalidParameter"))
        status, answer = await self.company(LegalPersonName=None)
        self.assertEqual((status, answer["Code"]), (400, "MissingParameter"))

    async def test_a_business_number_asks_one_question(self):
        await self.company()
        self.assertEqual((await self.company())[0], 200)
        self.assertEqual((await self.company(EntName="别的有限公司"))[0], 401)


def _with_check(seventeen: str) -> str:
    """GB 32100-2015: 17 characters with their check character."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(alphabet.index(sign) * weight for sign, weight in zip(seventeen, weights, strict=True))
    return seventeen + alphabet[(31 - total % 31) % 31]


if __name__ == "__main__":
    unittest.main()
