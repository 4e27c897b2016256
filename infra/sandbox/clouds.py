"""The two clouds that send SMS and check identities: what the platform is registered with at each, and the secrets for either choice."""

import secrets

PROVIDERS = ("aliyun", "tencent")
REGION = "ap-guangzhou"
# Numbers of the templates at Tencent, by their names in the SMS secret; the texts are the same at both.
TENCENT_NUMBERS = {
    "template_code": "1400001",
    "template_password": "1400002",
    "template_review": "1400003",
    "template_rejected": "1400004",
    "template_dispatched": "1400005",
    "template_password_failed": "1400006",
}


def fresh_tencent() -> dict:
    """The account at Tencent: one key for SMS, one for identity checks, and the SMS application."""
    return {
        "sms_secret_id": _secret_id(),
        "sms_secret_key": secrets.token_hex(16),
        "sdk_app_id": "1400" + "".join(secrets.choice("0123456789") for _ in range(6)),
        "identity_secret_id": _secret_id(),
        "identity_secret_key": secrets.token_hex(16),
    }


def sms_secret(provider: str, aliyun: dict, tencent: dict, shared: dict, templates: dict) -> dict:
    """The platform's SMS secret: `aliyun` is its access key there, `templates` name -> (Aliyun's code, text)."""
    if provider == "tencent":
        key = {
            "provider": "tencent",
            "secret_id": tencent["sms_secret_id"],
            "secret_key": tencent["sms_secret_key"],
            "sdk_app_id": tencent["sdk_app_id"],
            "region": REGION,
        }
        return key | shared | TENCENT_NUMBERS
    return aliyun | shared | {name: code for name, (code, _) in templates.items()}


def identity_secret(provider: str, aliyun: dict, tencent: dict) -> dict:
    """The platform's secret for identity checks; enterprises are always checked by Aliyun."""
    if provider == "tencent":
        return {
            "provider": "tencent",
            "secret_id": tencent["identity_secret_id"],
            "secret_key": tencent["identity_secret_key"],
            "aliyun": aliyun,
        }
    return aliyun


def _secret_id() -> str:
    return "AKID" + secrets.token_hex(16)
