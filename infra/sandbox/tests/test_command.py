"""The command line: what init leaves behind, how serve starts and stops."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import HERE, private_key, rsa_check, rsa_sign

FOLDER = HERE.parent
INIT = [sys.executable, str(FOLDER), "init"]


class Command(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.dir = Path(holder.name) / "sandbox"

    def init(self, *more: str) -> dict:
        subprocess.run([*INIT, "--dir", str(self.dir), *more], check=True, capture_output=True)
        return json.loads((self.dir / "secrets.json").read_text(encoding="utf-8"))

    def test_init_keeps_keys_unless_forced(self):
        first = self.init("--smtp-port", "4700")
        self.assertEqual(first["smtp"]["port"], 4700)
        self.assertEqual(self.init(), first)
        moved = self.init("--smtp-port", "4701")
        self.assertEqual(moved["smtp"].pop("port"), 4701)
        del first["smtp"]["port"]
        self.assertEqual(moved, first)
        self.assertNotEqual(self.init("--force")["alipay"]["app_private_key"], first["alipay"]["app_private_key"])

    def test_a_mode_that_is_named_replaces_one_providers_keys_only(self):
        first = self.init()
        self.assertEqual(self.init("--wechat", "both", "--alipay", "key"), first)
        second = self.init("--wechat", "sm")
        self.assertEqual(second["wechat"].pop("signature"), "sm2")
        self.assertEqual(second | {"wechat": None}, first | {"wechat": None})
        third = self.init("--alipay", "certificate")
        self.assertIn("app_certificate", third["alipay"])
        self.assertEqual(third["wechat"]["private_key"], second["wechat"]["private_key"])
        theirs = json.loads((self.dir / "config.json").read_text(encoding="utf-8"))
        self.assertEqual((theirs["wechat"]["mode"], theirs["app_id"]), ("sm", third["alipay"]["app_id"]))
        self.assertEqual(self.init(), third)
        self.assertEqual(self.init("--force")["wechat"]["signature"], "rsa")

    def test_init_completes_what_was_cut_short(self):
        self.init()
        (self.dir / "config.json").unlink()
        ours = self.init()
        theirs = json.loads((self.dir / "config.json").read_text(encoding="utf-8"))
        self.assertEqual(ours["bank"]["client_secret"], theirs["bank_client_secret"])

    def test_secrets_fit_together_and_are_private(self):
        ours = self.init()
        theirs = json.loads((self.dir / "config.json").read_text(encoding="utf-8"))
        rsa_check(theirs["merchant_public_key"], "x", rsa_sign(private_key(ours["alipay"]["app_private_key"]), "x"))
        rsa_check(ours["alipay"]["alipay_public_key"], "x", rsa_sign(private_key(theirs["provider_private_key"]), "x"))
        self.assertEqual(
            {section: sorted(values) for section, values in ours.items()},
            {
                "alipay": ["alipay_public_key", "app_id", "app_private_key", "seller_id"],
                "wechat": [
                    "api_v3_key", "appid", "certificate_serial", "mchid", "platform_certificates", "private_key",
                    "public_key", "public_key_id", "signature",
                ],
                "identity": ["access_key_id", "access_key_secret"],
                "sms": [
                    "access_key_id", "access_key_secret", "receipt_token", "sign_name", "template_code",
                    "template_dispatched", "template_password", "template_password_failed", "template_rejected",
                    "template_review",
                ],
                "smtp": ["from", "host", "password", "port", "tls", "username"],
                "bank": ["client_id", "client_secret"],
                "invoice": [
                    "app_key", "app_secret", "clerk", "goods_code", "goods_name", "provider", "seller_account",
                    "seller_address", "seller_name", "seller_tax_number", "seller_telephone", "tax_rate",
                ],
                "courier": ["customer", "key", "provider", "salt_key"],
            },
        )  # fmt: skip
        for name in ("secrets.json", "config.json"):
            self.assertEqual(stat.S_IMODE(os.stat(self.dir / name).st_mode), 0o600)

    def test_the_platform_is_told_the_clouds_that_were_chosen(self):
        ours = self.init("--sms", "tencent", "--identity", "tencent")
        theirs = json.loads((self.dir / "config.json").read_text(encoding="utf-8"))
        self.assertEqual(ours["sms"]["provider"], "tencent")
        self.assertEqual(ours["sms"]["secret_key"], theirs["tencent"]["sms_secret_key"])
        self.assertEqual(
            sorted(ours["sms"]),
            ["provider", "receipt_token", "region", "sdk_app_id", "secret_id", "secret_key", "sign_name", "template_code",
             "template_dispatched", "template_password", "template_password_failed", "template_rejected", "template_review"],
        )  # fmt: skip
        self.assertEqual(ours["sms"]["receipt_token"], theirs["receipt_token"])
        self.assertEqual(sorted(ours["identity"]), ["aliyun", "provider", "secret_id", "secret_key"])
        self.assertEqual(ours["identity"]["aliyun"]["access_key_secret"], theirs["identity_key_secret"])
        # The keys stay when the choice changes, and the choice stays when nothing is asked for.
        again = self.init("--sms", "aliyun")
        self.assertEqual(again["sms"]["access_key_secret"], theirs["sms_key_secret"])
        self.assertEqual(again["identity"], ours["identity"])
        self.assertEqual(self.init(), again)

    def test_files_of_another_version_are_made_anew(self):
        first = self.init()
        config = self.dir / "config.json"
        theirs = json.loads(config.read_text(encoding="utf-8"))
        del theirs["tencent"]
        config.write_text(json.dumps(theirs), encoding="utf-8")
        self.assertNotEqual(self.init()["alipay"]["app_private_key"], first["alipay"]["app_private_key"])

    def test_serve_says_when_it_is_ready_and_stops_at_once(self):
        self.init("--smtp-port", "0")
        environment = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
        for number in (signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen(
                [sys.executable, "-m", "sandbox", "serve", "--dir", str(self.dir), "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
            line = process.stdout.readline()
            self.assertRegex(line, r"^sandbox ready on http://127\.0\.0\.1:[1-9][0-9]* smtp [1-9][0-9]*\n$")
            process.send_signal(number)
            rest, complaints = process.communicate(timeout=10)
            self.assertEqual((process.returncode, rest, complaints), (0, "", ""))

    def test_serve_without_init_says_what_to_do(self):
        done = subprocess.run(
            [sys.executable, str(FOLDER), "serve", "--dir", str(self.dir), "--port", "0"],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 2)
        self.assertTrue(re.search("run init first", done.stderr), done.stderr)


if __name__ == "__main__":
    unittest.main()
