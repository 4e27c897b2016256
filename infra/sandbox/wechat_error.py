"""Errors of WeChat Pay's API: an HTTP status and a code, never signed."""

# The number at the end of `Request-ID`, where it is known.
NUMBERS = {
    "ORDER_NOT_EXIST": 268512771,
    "RATELIMIT_EXCEEDED": 268447840,
    "PARAM_ERROR": 268435461,
    "ORDERPAID": 268449538,
    "SIGN_ERROR": 268443699,
    "OUT_TRADE_NO_USED": 268498688,
    "ORDER_CLOSED": 268447914,
}


class ApiError(Exception):
    """A refusal."""

    def __init__(self, status: int, code: str, message: str, detail: dict | None = None):
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail

    @property
    def number(self) -> int:
        return NUMBERS.get(self.code, 268435456)

    @property
    def body(self) -> dict:
        return {"code": self.code, "message": self.message} | ({"detail": self.detail} if self.detail else {})


def invalid(field: str, issue: str) -> ApiError:
    return ApiError(400, "PARAM_ERROR", "参数错误", {"location": "body", "field": field, "issue": issue})
