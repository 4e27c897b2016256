"""Keys and secrets: what `init` makes, what `serve` reads, and RSA2 signatures."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

RSA_BITS = 2048
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
}


class NotInitialised(Exception):
    """`serve` found no usable configuration; `init` makes one."""


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


def init(folder: Path, smtp_port: int | None, default_smtp_port: int, *, force: bool) -> bool:
    """Makes both files, or keeps them when both exist. Answers whether fresh keys were made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = (folder / SECRETS_FILE, folder / CONFIG_FILE)
    if not force and all(path.exists() for path in paths):
        if smtp_port is not None:
            _change_smtp_port(*paths, smtp_port)
        return False
    ours, theirs = fresh(smtp_port if smtp_port is not None else default_smtp_port)
    # The configuration comes last: an init that was cut short leaves one file, and the next run makes both anew.
    paths[1].unlink(missing_ok=True)
    _write(paths[0], ours)
    _write(paths[1], asdict(theirs))
    return True


def fresh(smtp_port: int) -> tuple[dict, Config]:
    """Fresh secrets of the platform and the matching configuration of the outside world."""
    merchant = rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    provider = rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    mailbox = "notice@yinxin.example"
    alipay = {
        "app_id": "2021" + _digits(12),
        "app_private_key": private_pem(merchant),
        "alipay_public_key": public_pem(provider.public_key()),
        "seller_id": "2088" + _digits(12),
    }
    identity = {"access_key_id": _access_key_id(), "access_key_secret": secrets.token_hex(15)}
    sms = {"access_key_id": _access_key_id(), "access_key_secret": secrets.token_hex(15), "sign_name": SIGN_NAME}
    sms |= {name: code for name, (code, _) in TEMPLATES.items()}
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
        "app_key": _digits(8),
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
        app_id=alipay["app_id"],
        seller_id=alipay["seller_id"],
        merchant_public_key=public_pem(merchant.public_key()),
        provider_private_key=private_pem(provider),
        sms_key_id=sms["access_key_id"],
        sms_key_secret=sms["access_key_secret"],
        sign_name=SIGN_NAME,
        templates=dict(TEMPLATES.values()),
        identity_key_id=identity["access_key_id"],
        identity_key_secret=identity["access_key_secret"],
        smtp_username=smtp["username"],
        smtp_password=smtp["password"],
        smtp_from=smtp["from"],
        smtp_port=smtp_port,
        bank_client_id=bank["client_id"],
        bank_client_secret=bank["client_secret"],
        nuonuo_app_key=invoice["app_key"],
        nuonuo_app_secret=invoice["app_secret"],
        nuonuo_tax_number=invoice["seller_tax_number"],
        kuaidi100_customer=courier["customer"],
        kuaidi100_key=courier["key"],
    )
    ours = {"alipay": alipay, "identity": identity, "sms": sms, "smtp": smtp, "bank": bank}
    return ours | {"invoice": invoice, "courier": courier}, config


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def public_pem(key: rsa.RSAPublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def load_private(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < RSA_BITS:
        raise NotInitialised("the provider's key is not RSA of at least 2048 bits")
    return key


def load_public(pem: str) -> rsa.RSAPublicKey:
    try:
        key = serialization.load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise NotInitialised("the merchant's key cannot be read") from None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < RSA_BITS:
        raise NotInitialised("the merchant's key is not RSA of at least 2048 bits")
    return key


def rsa2_sign(key: rsa.RSAPrivateKey, text: str) -> str:
    """SHA256withRSA, PKCS#1 v1.5, in standard base64."""
    return base64.b64encode(key.sign(text.encode("utf-8"), padding.PKCS1v15(), hashes.SHA256())).decode("ascii")


def rsa2_verifies(key: rsa.RSAPublicKey, text: str, signature: str) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text.encode("utf-8"), padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def _access_key_id() -> str:
    return "LTAI5t" + secrets.token_hex(9)


def _change_smtp_port(secrets_path: Path, config_path: Path, smtp_port: int) -> None:
    ours = json.loads(secrets_path.read_text(encoding="utf-8"))
    theirs = json.loads(config_path.read_text(encoding="utf-8"))
    if ours["smtp"]["port"] == smtp_port and theirs["smtp_port"] == smtp_port:
        return
    ours["smtp"]["port"] = smtp_port
    theirs["smtp_port"] = smtp_port
    _write(secrets_path, ours)
    _write(config_path, theirs)


def _write(path: Path, value: dict) -> None:
    """Whole or not at all, readable by the owner only."""
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")
    half.replace(path)
