"""ACS3-HMAC-SHA256: the signature of all cloud API calls, verified as the cloud does."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

DATE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
DATE_WINDOW = timedelta(minutes=15)
NONCE_MAX_LENGTH = 64
AUTHORIZATION = re.compile(
    r"ACS3-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)
REQUIRED_HEADERS = (
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
)


class ApiError(Exception):
    """A refusal by the API gateway: an HTTP error with a code."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


class Verifier:
    """Verifies calls and remembers nonces for as long as their date would be accepted."""

    def __init__(self, key_secrets: Mapping[str, str]):
        self._secrets = key_secrets
        self._nonces: dict[str, datetime] = {}

    def verify(
        self,
        method: str,
        paths: tuple[str, ...],
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,
    ) -> str:
        """Answers the access key id that signed. `headers` have lower-case names; any of `paths` may be signed."""
        match = AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
        if match is None:
            raise ApiError(400, "IncompleteSignature", "The Authorization header is missing or malformed.")
        key_id, signed_names, signature = match.groups()
        missing = [name for name in REQUIRED_HEADERS if not headers.get(name, "").strip()]
        if missing:
            raise ApiError(400, "MissingParameter", f"{missing[0]} is mandatory for this action.")
        secret = self._secrets.get(key_id)
        if secret is None:
            raise ApiError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        self._check_date(headers["x-acs-date"].strip(), now)
        if headers["x-acs-content-sha256"].strip() != hashlib.sha256(body).hexdigest():
            raise ApiError(400, "SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body.")
        names = signed_names.split(";")
        due = {name for name in headers if name == "host" or name.startswith("x-acs-")}
        if body:
            due.add("content-type")
        if names != sorted(set(names)) or not due <= set(names) or any(name not in headers for name in names):
            raise ApiError(
                400, "IncompleteSignature", f"SignedHeaders must be sorted and hold {';'.join(sorted(due))}."
            )
        texts = [string_to_sign(canonical_request(method, path, query, headers, names, body)) for path in paths]
        if not any(hmac.compare_digest(sign(secret, text), signature) for text in texts):
            raise ApiError(
                400,
                "SignatureDoesNotMatch",
                "Specified signature is not matched with our calculation. server string to sign is:" + texts[0],
            )
        self._spend(headers["x-acs-signature-nonce"].strip(), now)
        return key_id

    @staticmethod
    def _check_date(text: str, now: datetime) -> None:
        try:
            at = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise ApiError(400, "InvalidTimeStamp.Format", "x-acs-date is not yyyy-MM-ddTHH:mm:ssZ.") from None
        if abs(at - now) > DATE_WINDOW:
            raise ApiError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")

    def _spend(self, nonce: str, now: datetime) -> None:
        """A nonce is good once. Only a verified call may spend it."""
        if len(nonce) > NONCE_MAX_LENGTH:
            raise ApiError(400, "InvalidParameter", "x-acs-signature-nonce is too long.")
        self._nonces = {known: until for known, until in self._nonces.items() if until > now}
        if nonce in self._nonces:
            raise ApiError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        # A date may lie ahead by one window, and is accepted for another one after that.
        self._nonces[nonce] = now + 2 * DATE_WINDOW


def canonical_request(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    names: list[str],
    body: bytes,
) -> str:
    return "\n".join(
        (
            method,
            path,
            "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(query)),
            "".join(f"{name}:{headers[name].strip()}\n" for name in names),
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )


def string_to_sign(canonical: str) -> str:
    return "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode("utf-8"), text.encode("utf-8"), hashlib.sha256).hexdigest()


def encode(text: str) -> str:
    """RFC 3986: only letters, digits and `-_.~` stay."""
    return quote(text, safe="-_.~")
