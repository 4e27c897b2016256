"""The mail server seen from a mail client."""

import asyncio
import smtplib
import unittest
from email.message import EmailMessage

from support import OutsideTest


class Mail(OutsideTest):
    def send(self, message: EmailMessage, *, password=None, mechanism=None, sign_in=True) -> None:
        secret = self.SECRETS["smtp"]
        with smtplib.SMTP("127.0.0.1", self.outside.smtp_port, timeout=5) as client:
            client.ehlo()
            if sign_in:
                client.user, client.password = secret["username"], password or secret["password"]
                client.auth(mechanism or "PLAIN", getattr(client, f"auth_{(mechanism or 'PLAIN').lower()}"))
            client.send_message(message)

    def message(self) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"银信 <{self.SECRETS['smtp']['from']}>"
        message["To"] = "zhang@example.com, li@example.com"
        message["Subject"] = "您的订单已通过审核"
        message.set_content("请登录平台查看。\n")
        message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="申请表.pdf")
        return message

    async def test_mail_is_kept_decoded_for_each_recipient(self):
        for mechanism in ("PLAIN", "LOGIN"):
            await asyncio.to_thread(self.send, self.message(), mechanism=mechanism)
        mails = (await self.read("/messages.json"))["mail"]
        self.assertEqual([mail["to"] for mail in mails], ["zhang@example.com", "li@example.com"] * 2)
        self.assertEqual(mails[0]["subject"], "您的订单已通过审核")
        self.assertEqual(mails[0]["text"], "请登录平台查看。\n")
        self.assertEqual(mails[0]["attachments"], [{"name": "申请表.pdf", "size": 8}])

    async def test_nobody_sends_without_the_password(self):
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            await asyncio.to_thread(self.send, self.message(), password="x")
        with self.assertRaises(smtplib.SMTPException):
            await asyncio.to_thread(self.send, self.message(), sign_in=False)
        self.assertEqual((await self.read("/messages.json"))["mail"], [])

    async def test_the_sender_is_who_signed_in(self):
        message = self.message()
        del message["From"]
        message["From"] = "other@example.com"
        with self.assertRaises(smtplib.SMTPSenderRefused):
            await asyncio.to_thread(self.send, message)


if __name__ == "__main__":
    unittest.main()
