"""Alipay's certificate mode."""

import hashlib
import json
import re
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from support import OutsideTest, fresh, private_key, rsa_check

NUMBER = "20230422A0007_01"
BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)
RSA = "1.2.840.113549.1.1."


def named(certificate: x509.Certificate) -> str:
    """MD5 over the issuer's names, the last one first, and the decimal serial number."""
    short = {"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU"}
    issuer = ",".join(f"{short[one.oid.dotted_string]}={one.value}" for one in reversed(list(certificate.issuer)))
    return hashlib.md5(f"{issuer}{certificate.serial_number}".encode()).hexdigest()


class Certificates(OutsideTest):
    SECRETS, CONFIG = fresh(0, alipay="certificate")

    def setUp(self):
        self.secret = self.SECRETS["alipay"]
        self.app = x509.load_pem_x509_certificate(self.secret["app_certificate"].encode())
        self.alipay_certificate = x509.load_pem_x509_certificate(self.secret["alipay_certificate"].encode())
        roots = [x509.load_pem_x509_certificate(block.encode()) for block in BLOCK.findall(self.roots())]
        self.oids = [root.signature_algorithm_oid.dotted_string for root in roots]
        rsa = [root for root, kind in zip(roots, self.oids, strict=True) if kind.startswith(RSA)]
        self.root_sn = "_".join(named(root) for root in rsa)

    def roots(self) -> str:
        return self.secret["alipay_root_certificates"]

    def params(self, method: str = "alipay.trade.precreate", **changes: str) -> dict[str, str]:
        biz = {"out_trade_no": NUMBER, "total_amount": "220.00", "subject": "CA数字证书"}
        names = {"app_cert_sn": named(self.app), "alipay_root_cert_sn": self.root_sn}
        return self.alipay_params(method, biz, **(names | changes))

    def test_the_secret_has_its_form(self):
        self.assertEqual(
            sorted(self.secret),
            [
                "alipay_certificate", "alipay_root_certificates", "app_certificate", "app_id", "app_private_key",
                "seller_id",
            ],
        )  # fmt: skip
        ours = private_key(self.secret["app_private_key"]).public_key()
        self.assertEqual(self.app.public_key(), ours)
        self.assertNotEqual(self.alipay_certificate.public_key(), ours)

    def test_a_way_leads_from_the_provider_s_certificate_to_a_root(self):
        """The download holds the certificate and its issuer; the root stands in the bundle."""
        alipay, issuing = x509.load_pem_x509_certificates(self.secret["alipay_certificate"].encode())
        self.assertEqual(alipay, self.alipay_certificate)
        roots = (x509.load_pem_x509_certificate(block.encode()) for block in BLOCK.findall(self.roots()))
        (root,) = (root for root in roots if root.subject == issuing.issuer)
        for certificate, issuer in ((alipay, issuing), (issuing, root), (root, root)):
            certificate.verify_directly_issued_by(issuer)
            self.assertTrue(issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
            self.assertTrue(issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign)

    def test_only_roots_under_rsa_count(self):
        self.assertEqual(
            self.oids,
            ["1.2.156.10197.1.501", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"],
        )
        self.assertRegex(self.root_sn, r"^[0-9a-f]{32}_0[0-9a-f]{31}$")

    async def test_answers_name_the_certificate_that_signed(self):
        text = await self.alipay_raw(self.params())
        match = re.fullmatch(
            r'\{"alipay_trade_precreate_response":(\{.*\}),"alipay_cert_sn":"([0-9a-f]{32})","sign":"([^"]+)"\}', text
        )
        node, sn, signature = match.groups()
        self.assertEqual((json.loads(node)["code"], sn), ("10000", named(self.alipay_certificate)))
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        key = self.alipay_certificate.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
        rsa_check(key, node, signature)
        await self.control("alipay/pay", {"out_trade_no": NUMBER})
        (values,) = self.platform.received
        signed = "&".join(f"{k}={v}" for k, v in sorted(values.items()) if k not in ("sign", "sign_type"))
        rsa_check(key, signed, values["sign"])

    async def test_requests_name_the_certificates_they_go_by(self):
        for changes, sub_code in (
            ({"app_cert_sn": ""}, "isv.missing-app-cert-sn"),
            ({"app_cert_sn": "0" * 32}, "isv.app-cert-not-exist"),
            ({"alipay_root_cert_sn": ""}, "isv.missing-alipay-root-cert-sn"),
            ({"alipay_root_cert_sn": self.root_sn.partition("_")[0]}, "isv.invalid-alipay-root-cert-sn"),
        ):
            answer = json.loads(await self.alipay_raw(self.params(**changes)))
            self.assertEqual(answer["error_response"]["sub_code"], sub_code)
            self.assertEqual(list(answer), ["error_response"])

    async def test_an_answer_can_name_another_certificate(self):
        await self.control("faults", {"alipay": {"wrong_cert_sn": True}})
        answer = json.loads(await self.alipay_raw(self.params()))
        self.assertNotEqual(answer["alipay_cert_sn"], named(self.alipay_certificate))


if __name__ == "__main__":
    unittest.main()
