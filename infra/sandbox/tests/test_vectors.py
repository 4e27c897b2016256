"""Signatures against vectors that were computed outside this package."""

import base64
import re
import unittest
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

from support import START, VECTORS, pem, private_key

from sandbox import acs3, alipay, alipay_keys, notify, sm2, tc3, wechat_fields, wechat_notify, wechat_sign, wire
from sandbox.rsa2 import load_private, load_public, public_pem, rsa2_sign, rsa2_verifies

KEYS = {"testAccessKeyId": "testAccessKeySecret"}


class AlipayVectors(unittest.TestCase):
    def setUp(self):
        self.merchant = load_public(public_pem(private_key(pem("merchant")).public_key()))
        self.provider = load_private(pem("provider"))

    def test_a_request_of_the_official_shape_verifies(self):
        vector = VECTORS["alipay_request"]
        params = alipay.merged(urlsplit(vector["url"]).query, wire.FORM, vector["body"].encode())
        self.assertEqual(params["sign"], vector["sign"])
        self.assertEqual(alipay.request_string(params), vector["sign_string"])
        self.assertTrue(rsa2_verifies(self.merchant, alipay.request_string(params), params["sign"]))

    def test_a_plus_stands_for_a_space_as_well(self):
        vector = VECTORS["alipay_request"]
        query = urlsplit(vector["url"]).query.replace("%20", "+")
        params = alipay.merged(query, wire.FORM, vector["body"].replace("%20", "+").encode())
        self.assertEqual(alipay.request_string(params), vector["sign_string"])

    def test_a_changed_request_does_not_verify(self):
        vector = VECTORS["alipay_request"]
        text = vector["sign_string"].replace("220.00", "220.01")
        self.assertFalse(rsa2_verifies(self.merchant, text, vector["sign"]))
        self.assertFalse(rsa2_verifies(self.merchant, vector["sign_string"], "not base64"))

    def test_answers_are_written_and_signed_like_the_real_ones(self):
        node = {
            "code": "10000",
            "msg": "Success",
            "out_trade_no": "20230422A0007",
            "qr_code": "https://qr.alipay.com/bax03431ljhokirwl38f00a7",
        }
        vector = VECTORS["alipay_response"]
        self.assertEqual(alipay.node_text(node), vector["signed_part"])
        self.assertEqual(rsa2_sign(self.provider, alipay.node_text(node)), vector["sign"])

    def test_an_answer_in_chinese_is_signed_as_utf8(self):
        vector = VECTORS["alipay_query_not_exist"]
        self.assertEqual(rsa2_sign(self.provider, vector["signed_part"]), vector["sign"])

    def test_notifications_are_signed_over_decoded_values(self):
        vector = VECTORS["alipay_notify"]
        values = dict(parse_qsl(vector["form_body"], strict_parsing=True))
        self.assertEqual(values["body"], "a+b=100%&c")
        self.assertEqual(notify.verify_string(values), vector["verify_string"])
        self.assertEqual(rsa2_sign(self.provider, notify.verify_string(values)), vector["sign"])


class CertificateVectors(unittest.TestCase):
    def test_certificates_are_named_as_alipay_names_them(self):
        for vector in VECTORS["alipay_cert_sn"]:
            self.assertEqual(alipay_keys.sn(vector["issuer"], int(vector["serial"])), vector["sn"])


class WechatVectors(unittest.TestCase):
    SERIAL = "PUB_KEY_ID_0119000000012024010100000000000001"
    NONCE = "593BEC0C930BF1AFEB40B4A08C8FB242"

    def setUp(self):
        merchant, provider = private_key(pem("merchant")), private_key(pem("provider"))
        self.merchant = wechat_sign.RsaVerifier(merchant.public_key())
        self.wechat = wechat_sign.RsaSigner(self.SERIAL, provider)
        self.key = VECTORS["wechat_notify"]["apiv3_key"]

    def test_an_order_of_the_official_shape_verifies_and_is_taken(self):
        vector = VECTORS["wechat_request"]
        body = vector["body"].encode()
        message = wechat_sign.request_message("POST", "/v3/pay/transactions/native", "1716171072", self.NONCE, body)
        self.assertEqual(message.decode(), vector["message"])
        self.assertTrue(self.merchant.verifies(message, vector["signature"]))
        self.assertFalse(self.merchant.verifies(message + b"x", vector["signature"]))
        self.assertFalse(self.merchant.verifies(message, "not base64"))
        self.assertEqual(wechat_fields.native(body)["amount"]["total"], 22000)
        self.assertIn(f',signature="{vector["signature"]}"', vector["authorization"])

    def test_a_question_verifies_with_an_empty_body(self):
        vector = VECTORS["wechat_get"]
        target = "/v3/pay/transactions/out-trade-no/20230422A0007?mchid=1900000001"
        message = wechat_sign.request_message("GET", target, "1716171072", self.NONCE, b"")
        self.assertEqual(message.decode(), vector["message"])
        self.assertTrue(self.merchant.verifies(message, vector["signature"]))

    def test_answers_carry_the_official_signature(self):
        self.check_headers(VECTORS["wechat_response"], VECTORS["wechat_response"]["body"].encode())

    def test_notifications_are_built_encrypted_and_signed_as_the_official_ones(self):
        for name, kind, summary, nonce in (
            ("wechat_notify", "TRANSACTION.SUCCESS", "支付成功", "fdasflkja484"),
            ("wechat_refund_notify", "REFUND.SUCCESS", "退款成功", "abcdefghijkl"),
        ):
            vector = VECTORS[name]
            expected = wechat_fields.parsed(vector["body"].encode())
            plain = vector["plaintext"].encode()
            associated = kind.partition(".")[0].lower()
            resource = wechat_sign.sealed(wechat_sign.AES, self.key, plain, associated, nonce)
            body = wechat_notify.event(expected["id"], expected["create_time"], kind, summary, resource)
            self.assertEqual(body.decode(), vector["body"])
            self.check_headers(vector, body)

    def test_resources_are_encrypted_under_sm4(self):
        vector = VECTORS["wechat_sm4"]
        found = wechat_sign.seal(
            wechat_sign.SM4, vector["apiv3_key"], vector["plaintext"].encode(), vector["aad"], vector["nonce"]
        )
        self.assertEqual(found, vector["ciphertext"])
        self.assertEqual(sm2.sm3(vector["apiv3_key"].encode())[:16].hex(), vector["sm4_key_hex"])

    def test_the_published_ciphers(self):
        vector = VECTORS["wechat_official"]
        for algorithm, name in ((wechat_sign.AES, "aes"), (wechat_sign.SM4, "sm4")):
            plain = vector[f"{name}_plaintext"].encode()
            found = wechat_sign.seal(algorithm, vector["api_v3_key"], plain, vector["aad"], vector["nonce"])
            self.assertEqual(found, vector[f"{name}_ciphertext"])
        self.assertEqual(sm2.sm3(vector["api_v3_key"].encode()).hex(), vector["sm3_of_key"])

    def test_the_published_sm2_key_and_signature(self):
        vector = VECTORS["wechat_official"]
        key = sm2.Key.from_pkcs8(base64.b64decode("".join(vector["sm2_private_key"])))
        self.assertEqual(key.d, int(vector["sm2_d"], 16))
        self.assertEqual(sm2.encode_point(key.point).hex(), vector["sm2_public_point"])
        verifier = wechat_sign.Sm2Verifier(key.point)
        self.assertTrue(verifier.verifies(vector["sm2_message"].encode(), vector["sm2_signature"]))
        self.assertFalse(verifier.verifies(b"massage", vector["sm2_signature"]))
        self.assertTrue(verifier.verifies(b"x", wechat_sign.Sm2Signer("", key).sign(b"x")))

    def check_headers(self, vector: dict, body: bytes) -> None:
        headers = vector["headers"]
        now = datetime.fromtimestamp(int(headers["Wechatpay-Timestamp"]), timezone.utc)
        made = wechat_sign.signed_headers(self.wechat, body, now, headers["Wechatpay-Nonce"])
        self.assertEqual({name: made[name] for name in headers}, headers)


class Acs3Vectors(unittest.TestCase):
    def test_the_published_example(self):
        vector = VECTORS["acs3_official"]
        headers = {
            "host": vector["host"],
            "x-acs-action": vector["action"],
            "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "x-acs-date": vector["date"],
            "x-acs-signature-nonce": vector["nonce"],
            "x-acs-version": vector["version"],
        }
        text = acs3.canonical_request("POST", "/", list(vector["query"].items()), headers, sorted(headers), b"")
        self.assertTrue(acs3.string_to_sign(text).endswith(vector["cr_sha256"]))
        self.assertEqual(acs3.sign(vector["access_key_secret"], acs3.string_to_sign(text)), vector["signature"])

    def test_parameters_in_the_query(self):
        vector = VECTORS["acs3_sms"]
        self.check(vector, list(vector["query"].items()), b"")

    def test_parameters_in_the_form(self):
        vector = VECTORS["acs3_cloudauth_form"]
        self.check(vector, [], vector["body"].encode())

    def check(self, vector, query, body):
        headers = dict(re.findall(r"^([a-z][a-z0-9-]*):(.+)$", vector["canonical_request"], re.MULTILINE))
        headers["authorization"] = vector["authorization"]
        signed = sorted(name for name in headers if name != "authorization")
        self.assertEqual(acs3.canonical_request("POST", "/", query, headers, signed, body), vector["canonical_request"])
        verifier = acs3.Verifier(KEYS)
        self.assertEqual(verifier.verify("POST", ("/",), query, headers, body, START), "testAccessKeyId")
        with self.assertRaises(acs3.ApiError) as refused:
            verifier.verify("POST", ("/",), query, headers, body, START + timedelta(minutes=1))
        self.assertEqual(refused.exception.code, "SignatureNonceUsed")
        with self.assertRaises(acs3.ApiError) as refused:
            later = datetime(2024, 5, 20, 10, 26, 13, tzinfo=timezone(timedelta(hours=8)))
            acs3.Verifier(KEYS).verify("POST", ("/",), query, headers, body, later)
        self.assertEqual(refused.exception.code, "InvalidTimeStamp.Expired")


class Tc3Vectors(unittest.TestCase):
    def setUp(self):
        vector = VECTORS["tc3_sms"]
        self.body = vector["body"].encode()
        self.headers = dict(re.findall(r"^([a-z][a-z0-9-]*):(.+)$", vector["canonical_request"], re.MULTILINE))
        self.headers |= {"x-tc-action": "SendSms", "x-tc-timestamp": "1716171072"}
        self.headers["authorization"] = vector["authorization"]
        self.verifier = tc3.Verifier({"testSecretId": "testSecretKey"})

    def refused(self, code: str, now: datetime = START, **changes: str) -> None:
        body = changes.pop("body", None)
        headers = self.headers | {name.replace("_", "-"): value for name, value in changes.items()}
        with self.assertRaises(tc3.ApiError) as refused:
            self.verifier.verify(headers, self.body if body is None else body.encode(), now)
        self.assertEqual(refused.exception.code, code)

    def test_the_published_example(self):
        vector = VECTORS["tc3_official"]
        headers = {"content-type": "application/json; charset=utf-8", "host": vector["host"]}
        headers["x-tc-action"] = vector["action"]
        canonical = tc3.canonical_request(headers, sorted(headers), vector["body"].encode())
        text = tc3.string_to_sign(vector["timestamp"], vector["scope"], canonical)
        self.assertTrue(text.endswith(vector["cr_sha256"]))
        date, service, _ = vector["scope"].split("/")
        self.assertEqual(tc3.sign(vector["secret_key"], date, service, text), vector["signature"])

    def test_a_message_signed_elsewhere_verifies(self):
        vector = VECTORS["tc3_sms"]
        names = ["content-type", "host", "x-tc-action"]
        self.assertEqual(tc3.canonical_request(self.headers, names, self.body), vector["canonical_request"])
        self.assertEqual(self.verifier.verify(self.headers, self.body, START), ("testSecretId", "sms"))

    def test_what_is_changed_does_not_verify(self):
        self.refused("AuthFailure.SignatureFailure", x_tc_action="DeleteSms")
        self.refused("AuthFailure.SignatureFailure", host="example.com")
        self.refused("AuthFailure.SignatureFailure", body=VECTORS["tc3_sms"]["body"].replace("123456", "123457"))
        self.refused("AuthFailure.SignatureFailure", x_tc_timestamp="1716171073")
        other_day = self.headers["authorization"].replace("2024-05-20", "2024-05-21")
        self.refused("AuthFailure.SignatureFailure", authorization=other_day)
        self.refused("AuthFailure.InvalidAuthorization", authorization="Bearer x")
        stranger = self.headers["authorization"].replace("testSecretId", "other")
        self.refused("AuthFailure.SecretIdNotFound", authorization=stranger)

    def test_a_signature_holds_for_five_minutes(self):
        self.refused("AuthFailure.SignatureExpire", START + timedelta(seconds=301))
        self.refused("AuthFailure.SignatureExpire", START - timedelta(seconds=301))
        self.verifier.verify(self.headers, self.body, START + timedelta(seconds=300))


if __name__ == "__main__":
    unittest.main()
