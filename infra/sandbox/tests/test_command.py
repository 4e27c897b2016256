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
                "identity": ["access_key_id", "access_key_secret"],
                "sms": [
                    "access_key_id", "access_key_secret", "sign_name", "template_code", "template_dispatched",
                    "template_password", "template_rejected", "template_review",
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
