"""TC3-HMAC-SHA256: the signature of Tencent's API calls, verified as the cloud does."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime

WINDOW_SECONDS = 300
AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/\s]+)/([0-9-]+)/([a-z0-9]+)/tc3_request,\s*"
    r"SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)
SIGNED_AT_LEAST = {"content-type", "host"}
# The canonical form has these values in small letters.
FOLDED = {"content-type", "x-tc-action"}


class ApiError(Exception):
    """A refusal by the API gateway. It travels as HTTP 200."""

    def __init__(self, code: str, message: str):
        super().__init__(code)
        self.code = code
        self.message = message


class Verifier:
    """Verifies calls with the keys of the account."""

    def __init__(self, secret_keys: Mapping[str, str]):
        self._keys = secret_keys

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[str, str]:
        """The key and the service of a call. `headers` have small names."""
        match = AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
        if match is None:
            raise ApiError("AuthFailure.InvalidAuthorization", "The Authorization header is not well-formed.")
        secret_id, date, service, signed_names, signature = match.groups()
        key = self._keys.get(secret_id)
        if key is None:
            raise ApiError("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        stamp = self._stamp(headers.get("x-tc-timestamp", ""), now)
        names = signed_names.split(";")
        if names != sorted(set(names)) or not SIGNED_AT_LEAST <= set(names):
            raise ApiError("AuthFailure.SignatureFailure", "SignedHeaders are not sorted or lack content-type or host.")
        if any(name not in headers for name in names):
            raise ApiError("AuthFailure.SignatureFailure", "A signed header is missing.")
        if date != datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d"):
            raise ApiError("AuthFailure.SignatureFailure", "The date of the scope is not the timestamp's in UTC.")
        canonical = canonical_request(headers, names, body)
        expected = sign(key, date, service, string_to_sign(stamp, f"{date}/{service}/tc3_request", canonical))
        if not hmac.compare_digest(expected, signature):
            raise ApiError("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
        return secret_id, service

    @staticmethod
    def _stamp(text: str, now: datetime) -> int:
        if re.fullmatch(r"[0-9]{1,11}", text) is None:
            raise ApiError("MissingParameter", "X-TC-Timestamp is missing or no number.")
        stamp = int(text)
        if abs(stamp - now.timestamp()) > WINDOW_SECONDS:
            raise ApiError("AuthFailure.SignatureExpire", "The signature is expired.")
        return stamp


def canonical_request(headers: Mapping[str, str], names: list[str], body: bytes) -> str:
    lines = []
    for name in names:
        value = headers[name].strip()
        lines.append(f"{name}:{value.lower() if name in FOLDED else value}\n")
    return "\n".join(("POST", "/", "", "".join(lines), ";".join(names), hashlib.sha256(body).hexdigest()))


def string_to_sign(stamp: int, scope: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
    return f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"


def sign(secret_key: str, date: str, service: str, text: str) -> str:
    key = ("TC3" + secret_key).encode("utf-8")
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode("utf-8"), hashlib.sha256).digest()
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()
