"""Signatures against vectors that were computed outside this package."""

import re
import unittest
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

from support import START, VECTORS, pem, private_key

from sandbox import acs3, alipay, notify, tc3, wire
from sandbox.keys import load_private, load_public, public_pem, rsa2_sign, rsa2_verifies

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
