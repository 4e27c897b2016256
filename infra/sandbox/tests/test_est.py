"""The vendor over EST: SM2 as others read it, and what it issues."""

import base64
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import support  # noqa: F401  (puts infra/ on the path)
from sandbox import sm2
from sandbox.est import ENCRYPTION, SIGNING, Faults, Refused, Vendor, name, spki

SUBJECT = name(("2.5.4.6", "CN"), ("2.5.4.10", "南京测试有限公司"), ("2.5.4.3", "南京测试有限公司"))
SM2_WITH_SM3 = sm2.sequence(sm2.oid("1.2.156.10197.1.501"))


def request(key: sm2.Key, signer: sm2.Key | None = None) -> bytes:
    info = sm2.sequence(sm2.integer(0), SUBJECT, spki(key.point), sm2.tlv(0xA0))
    return sm2.sequence(info, SM2_WITH_SM3, sm2.bits((signer or key).sign(info)))


class Signatures(unittest.TestCase):
    def test_the_standards_example_verifies(self):
        # GM/T 0003.5-2012, A.2: the signer's default identity and "message digest".
        point = (
            0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
            0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
        )
        r = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
        s = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
        signature = sm2.sequence(sm2.integer(r), sm2.integer(s))
        self.assertTrue(sm2.verifies(point, b"message digest", signature))
        self.assertFalse(sm2.verifies(point, b"message digest.", signature))

    def test_what_is_malformed_does_not_verify(self):
        key = sm2.Key()
        for signature in (b"", b"\x30\x00", sm2.sequence(sm2.integer(0), sm2.integer(0))):
            self.assertFalse(sm2.verifies(key.point, b"", signature))


class Issuing(unittest.TestCase):
    def test_the_same_request_gives_the_same_certificate(self):
        vendor, csr = Vendor(Faults([]), 1), request(sm2.Key())
        for operation in ("simpleenroll", "serverkeygen"):
            self.assertEqual(vendor.answer(operation, csr), vendor.answer(operation, csr))

    def test_a_request_must_prove_its_key(self):
        with self.assertRaises(Refused):
            Vendor(Faults([]), 1).answer("simpleenroll", request(sm2.Key(), signer=sm2.Key()))

    def test_a_fault_lasts_as_long_as_it_was_told_to(self):
        faults = Faults(["pending=2", "slow"])
        self.assertEqual([faults.take("pending") for _ in range(3)], [True, True, False])
        self.assertTrue(all(faults.take("slow") for _ in range(3)))
        self.assertFalse(faults.take("down"))
        with self.assertRaises(ValueError):
            Faults(["what"])

    def test_openssl_verifies_what_is_issued(self):
        if shutil.which("openssl") is None:
            self.assertNotIn("REQUIRE_OPENSSL", os.environ)
            self.skipTest("openssl is not installed")
        vendor, csr = Vendor(Faults([]), 1), request(sm2.Key())
        with tempfile.TemporaryDirectory() as folder:
            ders = {"issuing": vendor.issuing.chain[0], "root": vendor.issuing.chain[1]}
            for role, operation in ((SIGNING, "simpleenroll"), (ENCRYPTION, "serverkeygen")):
                ders[str(role)] = vendor.answer(operation, csr)[0]
            for title, der in ders.items():
                text = base64.encodebytes(der).decode()
                pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
                Path(folder, f"{title}.pem").write_text(pem, encoding="ascii")
            # OpenSSL applies the identity to the target only, so a whole chain cannot be given at once.
            command = ["openssl", "verify", "-partial_chain", "-vfyopt", "distid:1234567812345678", "-CAfile"]
            for issuer, target in (("root", "issuing"), ("issuing", SIGNING), ("issuing", ENCRYPTION)):
                link = [*command, f"{issuer}.pem", f"{target}.pem"]
                done = subprocess.run(link, cwd=folder, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
