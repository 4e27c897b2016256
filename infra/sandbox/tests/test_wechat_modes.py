"""The modes of WeChat Pay: what the secret holds and who signs."""

import json
import unittest

from support import fresh
from wechat_support import NUMBER, WechatTest

from sandbox.keys import Config


def query_of(secret: dict) -> str:
    return f"/v3/pay/transactions/out-trade-no/{NUMBER}?mchid={secret['mchid']}"


class Both(WechatTest):
    async def test_the_answer_is_signed_with_the_key_that_was_asked_for(self):
        await self.native()
        (certificate,) = await self.download_certificates()
        serial = f"{certificate.serial_number:040X}"
        for asked, found in (
            (self.secret["public_key_id"], self.secret["public_key_id"]),
            (serial, serial),
            (None, serial),
        ):
            _, headers, body = await self.raw("GET", query_of(self.secret), Wechatpay_Serial=asked)
            self.assertEqual(headers["Wechatpay-Serial"], found)
            self.verify(headers, body)

    async def test_certificates_of_both_kinds_are_given_out(self):
        both = await self.download_certificates("ALL")
        self.assertEqual(
            [one.signature_algorithm_oid.dotted_string for one in both],
            ["1.2.840.113549.1.1.11", "1.2.156.10197.1.501"],
        )
        await self.refused(400, "PARAM_ERROR", "GET", "/v3/certificates?algorithm_type=DSA")

    async def test_the_secret_has_its_form(self):
        secret = self.secret
        self.assertRegex(secret["certificate_serial"], r"^[0-9A-F]{40}$")
        self.assertRegex(secret["public_key_id"], r"^PUB_KEY_ID_[0-9]+$")
        self.assertRegex(secret["api_v3_key"], r"^[0-9A-Za-z]{32}$")
        self.assertTrue(secret["private_key"].startswith("-----BEGIN PRIVATE KEY-----"))
        self.assertTrue(secret["public_key"].startswith("-----BEGIN PUBLIC KEY-----"))
        self.assertEqual((secret["platform_certificates"], secret["signature"]), ("download", "rsa"))
        # The configuration survives its file.
        self.assertEqual(Config(**json.loads(json.dumps(vars(self.CONFIG)))).wechat, self.CONFIG.wechat)


class PublicKey(WechatTest):
    SECRETS, CONFIG = fresh(0, wechat="public-key")

    async def test_there_are_no_certificates(self):
        self.assertNotIn("platform_certificates", self.secret)
        answer = await self.refused(404, "RESOURCE_NOT_EXISTS", "GET", "/v3/certificates")
        self.assertIn("无可用的平台证书", answer["message"])

    async def test_everything_is_signed_with_the_public_key(self):
        await self.native()
        await self.pay()
        self.assertEqual(self.opened()[1], await self.query())

    async def test_who_does_not_ask_for_the_public_key_gets_a_serial_he_does_not_know(self):
        await self.native()
        _, headers, _ = await self.raw("GET", query_of(self.secret), Wechatpay_Serial=None)
        self.assertNotIn(headers["Wechatpay-Serial"], self.trusted)


class CertificateOnly(WechatTest):
    SECRETS, CONFIG = fresh(0, wechat="certificate")

    async def test_everything_is_signed_with_the_certificate(self):
        self.assertEqual(
            sorted(self.secret),
            ["api_v3_key", "appid", "certificate_serial", "mchid", "platform_certificates", "private_key", "signature"],
        )
        await self.download_certificates()
        await self.native()
        await self.pay()
        self.assertEqual(self.opened()[1], await self.query())


class Sm(WechatTest):
    SECRETS, CONFIG = fresh(0, wechat="sm")

    async def test_sm2_signs_and_sm4_encrypts(self):
        self.assertEqual(self.secret["signature"], "sm2")
        self.assertNotIn("public_key_id", self.secret)
        await self.download_certificates("SM2")
        await self.native()
        await self.pay()
        envelope, plain = self.opened()
        self.assertEqual(envelope["resource"]["algorithm"], "AEAD_SM4_GCM")
        self.assertEqual(plain, await self.query())
        self.assertEqual((await self.refund(22000))[1]["status"], "PROCESSING")
        await self.until(lambda: len(self.received) == 2)
        self.assertEqual(self.opened()[1]["refund_status"], "SUCCESS")

    async def test_another_key_can_sign_here_too(self):
        await self.download_certificates("SM2")
        await self.native()
        await self.pay(bad_signature=True)
        self.assertIn(self.received[0][0]["Wechatpay-Serial"], self.trusted)
        with self.assertRaises(Exception) as refused:
            self.opened()
        self.assertEqual(type(refused.exception).__name__, "InvalidSignature")

    async def test_an_rsa_scheme_is_refused(self):
        signed = self.authorization("GET", query_of(self.secret), b"")
        status, _, body = await self.raw(
            "GET", query_of(self.secret), Authorization=signed.replace("SM2-WITH-SM3", "SHA256-RSA2048")
        )
        self.assertEqual((status, json.loads(body)["code"]), (401, "SIGN_ERROR"))


if __name__ == "__main__":
    unittest.main()
