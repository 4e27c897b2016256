"""The Authorization header of WeChat Pay v3, verified as the real gateway does."""

import re
from datetime import datetime, timedelta

from .wechat_error import ApiError
from .wechat_sign import Verifier, request_message

WINDOW = timedelta(minutes=5)
NONCE = re.compile(r"[0-9A-Za-z_-]{1,32}")
NAMES = {"mchid", "nonce_str", "timestamp", "serial_no", "signature"}
PAIR = re.compile(r'([a-z_]+)="([^"]*)"')


class Merchant:
    """The one merchant, and the nonces it used for as long as their time would be accepted."""

    def __init__(self, mchid: str, serial: str, verifier: Verifier):
        self._mchid = mchid
        self._serial = serial
        self._verifier = verifier
        self._nonces: dict[str, datetime] = {}

    def verify(self, method: str, targets: tuple[str, ...], authorization: str, body: bytes, now: datetime) -> None:
        """Raises where the call is not the merchant's; any of `targets` may be signed."""
        values = self._values(authorization)
        if values["mchid"] != self._mchid:
            raise _refused("mchid", "商户号不存在或与证书不匹配")
        if values["serial_no"] != self._serial:
            raise _refused("serial_no", "商户证书序列号有误")
        timestamp, nonce = values["timestamp"], values["nonce_str"]
        if re.fullmatch(r"[0-9]{10}", timestamp) is None or abs(now.timestamp() - int(timestamp)) > WINDOW.seconds:
            raise _refused("timestamp", "HTTP头Authorization时间戳与服务器时间相差五分钟以上")
        if NONCE.fullmatch(nonce) is None:
            raise _refused("nonce_str", "随机串不是32位以内的字母数字")
        messages = [request_message(method, target, timestamp, nonce, body) for target in targets]
        if not any(self._verifier.verifies(message, values["signature"]) for message in messages):
            raise ApiError(
                401,
                "SIGN_ERROR",
                "错误的签名，验签失败",
                {
                    "field": "signature",
                    "issue": "sign not match",
                    "location": "authorization",
                    "sign_information": {
                        "method": method,
                        "url": targets[0],
                        "sign_message_length": len(messages[0]),
                        "truncated_sign_message": f"{method}\n{targets[0]}\n{timestamp}\n{nonce}\n…",
                    },
                },
            )
        self._spend(nonce, now)

    def _values(self, authorization: str) -> dict[str, str]:
        scheme, _, rest = authorization.partition(" ")
        if not authorization:
            raise _refused("Authorization", "HTTP头缺少Authorization")
        if scheme != self._verifier.scheme:
            raise _refused("Authorization", f"认证类型不是{self._verifier.scheme}")
        pairs = [PAIR.fullmatch(part) for part in rest.split(",")]
        values = dict(pair.groups() for pair in pairs if pair is not None)
        if None in pairs or len(pairs) != len(NAMES) or set(values) != NAMES:
            raise _refused("Authorization", "HTTP头Authorization格式不正确")
        return values

    def _spend(self, nonce: str, now: datetime) -> None:
        """A nonce is good once. Only a verified call may spend it."""
        self._nonces = {known: until for known, until in self._nonces.items() if until > now}
        if nonce in self._nonces:
            raise _refused("nonce_str", "随机串已被使用")
        # A time may lie ahead by one window, and is accepted for another one after that.
        self._nonces[nonce] = now + 2 * WINDOW


def _refused(field: str, message: str) -> ApiError:
    return ApiError(401, "SIGN_ERROR", message, {"field": field, "location": "authorization"})
