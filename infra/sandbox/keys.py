"""Keys and secrets: what `init` makes and what `serve` reads."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from . import alipay_keys, clouds, wechat_keys
from .rsa2 import NotInitialised, digits

SECRETS_FILE = "secrets.json"
CONFIG_FILE = "config.json"

SIGN_NAME = "银信数字证书"
# Texts as a provider approved them; `${name}` is a variable. The keys are those of the SMS secret.
TEMPLATES = {
    "template_code": ("SMS_200000001", "您的验证码为${code}，5分钟内有效，请勿告知他人。"),
    "template_password": ("SMS_200000002", "您的数字证书初始口令为${password}，请妥善保管并尽快修改。"),
    "template_review": ("SMS_200000003", "您的订单${order}已通过审核，请登录平台查看。"),
    "template_rejected": ("SMS_200000004", "您的订单${order}未通过审核，请登录平台查看原因。"),
    "template_dispatched": ("SMS_200000005", "您的订单${order}已寄出，请登录平台查看物流信息。"),
    "template_password_failed": ("SMS_200000006", "您的订单${order}的证书口令未能确认送达，请登录平台查看。"),
}


@dataclass(frozen=True)
class Config:
    """What the outside world knows: its own keys, our public key, the credentials it gave us."""

    app_id: str
    seller_id: str
    merchant_public_key: str
    provider_private_key: str
    sms_key_id: str
    sms_key_secret: str
    sign_name: str
    templates: dict
    identity_key_id: str
    identity_key_secret: str
    smtp_username: str
    smtp_password: str
    smtp_from: str
    smtp_port: int
    bank_client_id: str
    bank_client_secret: str
    # None outside certificate mode.
    alipay_certificates: dict | None
    wechat: dict
    tencent: dict
    receipt_token: str
    nuonuo_app_key: str
    nuonuo_app_secret: str
    nuonuo_tax_number: str
    kuaidi100_customer: str
    kuaidi100_key: str

    @staticmethod
    def load(folder: Path) -> "Config":
        path = folder / CONFIG_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotInitialised(f"{path} is missing; run init first") from None
        except ValueError:
            raise NotInitialised(f"{path} is not JSON; run init --force") from None
        names = {field.name for field in fields(Config)}
        if not isinstance(values, dict) or set(values) != names:
            raise NotInitialised(f"{path} is from another version; run init --force")
        return Config(**values)


def init(
    folder: Path,
    smtp_port: int | None,
    default_smtp_port: int,
    *,
    force: bool,
    wechat: str | None = None,
    alipay: str | None = None,
    sms: str | None = None,
    identity: str | None = None,
) -> bool:
    """Makes both files, or keeps them where both are there and of this version. Answers whether fresh keys were made.

    A payment provider whose mode is named and is another one than before gets fresh keys, too.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = (folder / SECRETS_FILE, folder / CONFIG_FILE)
    if not force and all(path.exists() for path in paths) and _is_current(folder):
        made = _change(*paths, smtp_port, wechat, alipay)
        _change_providers(*paths, sms, identity)
        return made
    ours, theirs = fresh(
        smtp_port if smtp_port is not None else default_smtp_port,
        wechat=wechat or wechat_keys.DEFAULT_MODE,
        alipay=alipay or alipay_keys.DEFAULT_MODE,
        sms=sms or "aliyun",
        identity=identity or "aliyun",
    )
    # The configuration comes last: an init that was cut short leaves one file, and the next run makes both anew.
    paths[1].unlink(missing_ok=True)
    _write(paths[0], ours)
    _write(paths[1], asdict(theirs))
    return True


def fresh(
    smtp_port: int,
    *,
    wechat: str = wechat_keys.DEFAULT_MODE,
    alipay: str = alipay_keys.DEFAULT_MODE,
    sms: str = "aliyun",
    identity: str = "aliyun",
) -> tuple[dict, Config]:
    """Fresh secrets of the platform and the matching configuration of the outside world."""
    alipay_secret, alipay_config = alipay_keys.fresh(alipay)
    wechat_secret, wechat_config = wechat_keys.fresh(wechat)
    mailbox = "notice@yinxin.example"
    smtp = {
        "host": "127.0.0.1",
        "port": smtp_port,
        "username": mailbox,
        "password": secrets.token_urlsafe(24),
        "from": mailbox,
        "tls": "none",
    }
    bank = {"client_id": "bank-" + secrets.token_hex(8), "client_secret": secrets.token_hex(32)}
    invoice = {
        "provider": "nuonuo",
        "app_key": digits(8),
        "app_secret": secrets.token_hex(8).upper(),
        # The seller of the provider's own sandbox.
        "seller_tax_number": "339902999999789113",
        "seller_name": "银信数字证书有限公司",
        "seller_address": "湖南省长沙市示例路1号",
        "seller_telephone": "0731-80000000",
        "seller_account": "示例银行长沙分行 43001500061052500001",
        "clerk": "开票员",
        "goods_name": "*信息技术服务*数字证书服务费",
        "goods_code": "3040203000000000000",
        "tax_rate": "0.06",
    }
    courier = {
        "provider": "kuaidi100",
        "customer": secrets.token_hex(16).upper(),
        "key": secrets.token_urlsafe(9),
        "salt_key": secrets.token_hex(32),
    }
    config = Config(
        **alipay_config,
        sms_key_id=_access_key_id(),
        sms_key_secret=secrets.token_hex(15),
        sign_name=SIGN_NAME,
        templates=dict(TEMPLATES.values()),
        identity_key_id=_access_key_id(),
        identity_key_secret=secrets.token_hex(15),
        smtp_username=smtp["username"],
        smtp_password=smtp["password"],
        smtp_from=smtp["from"],
        smtp_port=smtp_port,
        bank_client_id=bank["client_id"],
        bank_client_secret=bank["client_secret"],
        wechat=wechat_config,
        tencent=clouds.fresh_tencent(),
        receipt_token=secrets.token_hex(16),
        nuonuo_app_key=invoice["app_key"],
        nuonuo_app_secret=invoice["app_secret"],
        nuonuo_tax_number=invoice["seller_tax_number"],
        kuaidi100_customer=courier["customer"],
        kuaidi100_key=courier["key"],
    )
    ours = {"alipay": alipay_secret, "wechat": wechat_secret, "smtp": smtp, "bank": bank}
    ours |= {"identity": our_identity(config, identity), "sms": our_sms(config, sms)}
    ours |= {"invoice": invoice, "courier": courier}
    return ours, config


def our_sms(config: Config, provider: str) -> dict:
    """The platform's SMS secret for a provider."""
    aliyun = {"access_key_id": config.sms_key_id, "access_key_secret": config.sms_key_secret}
    shared = {"sign_name": config.sign_name, "receipt_token": config.receipt_token}
    return clouds.sms_secret(provider, aliyun, config.tencent, shared, TEMPLATES)


def our_identity(config: Config, provider: str) -> dict:
    """The platform's secret for identity checks by a provider."""
    aliyun = {"access_key_id": config.identity_key_id, "access_key_secret": config.identity_key_secret}
    return clouds.identity_secret(provider, aliyun, config.tencent)


def _access_key_id() -> str:
    return "LTAI5t" + secrets.token_hex(9)


def _change(
    secrets_path: Path, config_path: Path, smtp_port: int | None, wechat: str | None, alipay: str | None
) -> bool:
    """Changes what is asked for by name and keeps everything else."""
    before = (
        json.loads(secrets_path.read_text(encoding="utf-8")),
        json.loads(config_path.read_text(encoding="utf-8")),
    )
    ours, theirs = (dict(values) for values in before)
    made = False
    if smtp_port is not None:
        ours["smtp"] = ours["smtp"] | {"port": smtp_port}
        theirs["smtp_port"] = smtp_port
    if wechat not in (None, theirs.get("wechat", {}).get("mode")):
        ours["wechat"], theirs["wechat"] = wechat_keys.fresh(wechat)
        made = True
    if alipay not in (None, "certificate" if theirs.get("alipay_certificates") else "key"):
        ours["alipay"], fields_of_alipay = alipay_keys.fresh(alipay)
        theirs |= fields_of_alipay
        made = True
    if (ours, theirs) != before:
        _write(secrets_path, ours)
        _write(config_path, theirs)
    return made


def _is_current(folder: Path) -> bool:
    try:
        Config.load(folder)
    except NotInitialised:
        return False
    return True


def _change_providers(secrets_path: Path, config_path: Path, sms: str | None, identity: str | None) -> None:
    if sms is None and identity is None:
        return
    config = Config.load(config_path.parent)
    ours = json.loads(secrets_path.read_text(encoding="utf-8"))
    if sms is not None:
        ours["sms"] = our_sms(config, sms)
    if identity is not None:
        ours["identity"] = our_identity(config, identity)
    _write(secrets_path, ours)


def _write(path: Path, value: dict) -> None:
    """Whole or not at all, readable by the owner only."""
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")
    half.replace(path)
