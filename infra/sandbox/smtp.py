"""The mail server: takes mail from whoever knows the password and keeps it."""

import asyncio
import email
import email.policy
import hmac
import logging
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .state import World

MAIL_MAX_BYTES = 20 * 1024 * 1024
RECIPIENTS_MAX = 50

# Otherwise the library remarks at every connection that it takes passwords without TLS.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Mailbox:
    """Handler and authenticator of the server."""

    def __init__(self, world: World):
        self.world = world

    async def listen(self, port: int) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(self._connection, host="127.0.0.1", port=port)

    def _connection(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
            return SMTP(
                self,
                hostname="sandbox.localhost",
                ident="sandbox",
                data_size_limit=MAIL_MAX_BYTES,
                enable_SMTPUTF8=True,
                auth_required=True,
                # The connection does not leave the machine.
                auth_require_tls=False,
                authenticator=self.authenticate,
            )

    def authenticate(self, _server, _session, _envelope, _mechanism: str, given) -> AuthResult:
        config = self.world.config
        fits = isinstance(given, LoginPassword) and (
            hmac.compare_digest(given.login, config.smtp_username.encode())
            & hmac.compare_digest(given.password, config.smtp_password.encode())
        )
        return AuthResult(success=fits, handled=False)

    async def handle_MAIL(  # noqa: N802 (the library asks for this name)
        self, _server, _session: Session, envelope: Envelope, address: str, options: list
    ) -> str:
        # Mail services send only for the account that signed in.
        if address.lower() != self.world.config.smtp_from.lower():
            return "553 5.7.1 Mail from must equal authorized user"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server, _session: Session, envelope: Envelope, address: str, options: list
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = read_mail(envelope.content)
        for recipient in envelope.rcpt_tos:
            self.world.mail.append(
                {
                    "id": self.world.next_id(),
                    "at": self.world.stamp(),
                    "from": envelope.mail_from,
                    "to": recipient,
                    **content,
                }
            )
        return "250 2.0.0 OK: queued"


def read_mail(raw: bytes) -> dict:
    """Subject, text, and names and sizes of attachments, all decoded."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    part = message.get_body(preferencelist=("plain", "html"))
    attachments = []
    for attachment in message.iter_attachments():
        payload = attachment.get_payload(decode=True) or b""
        attachments.append({"name": attachment.get_filename() or "", "size": len(payload)})
    return {
        "subject": str(message.get("subject", "")),
        "text": part.get_content().replace("\r\n", "\n") if part is not None else "",
        "attachments": attachments,
    }
