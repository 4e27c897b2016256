//! Problem answers (RFC 9457): one table of stable types, statuses and texts; docs/errors.md is made from it.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tracing::error;
use utoipa::ToSchema;
use yinxin_order::Refusal;
use yinxin_order::form::{Contradiction, InvalidForm};
use yinxin_order::identifiers::InvalidIdentifier;
use yinxin_order::recovery::RecoveryRefusal;
use yinxin_pki::csr::CsrError;
use yinxin_store::codes::{CodeRefusal, LimitReached};
use yinxin_store::recoveries::RecoveryError;
use yinxin_store::{AdvanceError, StoreError};

use crate::platform::SecretError;

/// A problem as it is answered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable reference: `/problems/<code>`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/code-wrong")]
    pub kind: String,
    /// What it is, the same for all problems of the type.
    pub title: String,
    /// The title in Chinese, for screens.
    pub title_zh: String,
    /// The HTTP status.
    pub status: u16,
    /// What was found this time; never a value that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The place in the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Seconds after which the call may be repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<i64>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $code:literal, $status:literal, $title:literal, $zh:literal;)+) => {
        /// The types of problems that are not of one value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $(#[doc = $title] $name),+ }

        impl Code {
            /// Every type, for docs/errors.md.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The last part of the problem's type.
            pub const fn code(self) -> &'static str {
                match self { $(Code::$name => $code),+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Code::$name => $status),+ }
            }

            /// The title.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$name => $title),+ }
            }

            /// The title in Chinese.
            pub const fn title_zh(self) -> &'static str {
                match self { $(Code::$name => $zh),+ }
            }
        }
    };
}

codes! {
    // The call itself.
    NotJson => "not-json", 400, "The body is not JSON", "请求内容不是有效的 JSON";
    BodyShape => "body-shape", 422, "The body has not the documented shape", "请求内容的结构不正确";
    BodyTooLarge => "body-too-large", 413, "The body is too large", "请求内容过大";
    ParameterInvalid => "parameter-invalid", 400, "A parameter is not valid", "请求参数无效";
    NoSuchRoute => "no-such-route", 404, "There is no such address", "请求的地址不存在";
    MethodNotAllowed => "method-not-allowed", 405, "The address does not take this method", "该地址不支持此请求方法";
    IdempotencyKeyMissing => "idempotency-key-missing", 400, "An Idempotency-Key of 16 to 128 characters is needed", "缺少 Idempotency-Key 请求头";
    IdempotencyKeyReused => "idempotency-key-reused", 422, "The Idempotency-Key was used with another body", "Idempotency-Key 已用于其他请求内容";
    // Who calls.
    TokenMissing => "token-missing", 401, "An Authorization header with a bearer token is needed", "缺少访问凭证";
    SessionInvalid => "session-invalid", 401, "The session is not valid or has ended", "会话无效或已过期";
    CredentialInvalid => "credential-invalid", 401, "The system's credential is not valid", "系统凭证无效";
    NotYourOrder => "not-your-order", 403, "The token is not this order's access token", "无权访问该订单";
    RoleMissing => "role-missing", 403, "The session has not the role for this", "当前账号没有此操作的权限";
    OrderNotFound => "order-not-found", 404, "There is no such order for this vendor", "订单不存在";
    // The catalogue.
    NoSuchVendor => "no-such-vendor", 422, "There is no such vendor", "厂商不存在";
    NoSuchProduct => "no-such-product", 422, "The vendor has no such product for this subject", "该厂商没有此产品";
    NoSuchIntake => "no-such-intake", 422, "There is no such intake, or it has expired", "登记信息不存在或已过期";
    IntakeDiffers => "intake-differs", 422, "A value differs from the registered one; correct it in the registration platform", "信息与统一注册平台不一致，请在注册平台修改";
    // Identity.
    IdentityCheckFailed => "identity-check-failed", 422, "The identity check failed: the data does not match", "身份核验不通过，信息不一致";
    IdentityCheckUnsupported => "identity-check-unsupported", 422, "This identity cannot be checked by the chosen method", "所选方式无法核验该身份，请更换认证方式";
    IdentityCheckBusy => "identity-check-busy", 503, "The identity check is not available at the moment", "身份核验服务暂不可用，请稍后再试";
    IdentityCheckLimit => "identity-check-limit", 429, "The identity number or the mobile was checked too often today", "该证件号码或手机号今日身份核验次数已达上限，请明天再试";
    // Codes.
    CodeUnknown => "code-unknown", 422, "No code was sent, or it is long gone", "验证码不存在，请重新获取";
    CodeUsed => "code-used", 422, "The code was used", "验证码已使用";
    CodeExpired => "code-expired", 422, "The code has expired", "验证码已过期";
    CodeExhausted => "code-exhausted", 422, "The code was tried too often", "验证码错误次数过多，请重新获取";
    CodeWrong => "code-wrong", 422, "The code is wrong", "验证码错误";
    CodeTooSoon => "code-too-soon", 429, "The next code cannot be sent yet", "获取验证码过于频繁，请稍后再试";
    CodeHourlyLimit => "code-hourly-limit", 429, "The mobile had its codes of the hour", "该手机号一小时内获取验证码次数已达上限，请稍后再试";
    CodeDailyLimit => "code-daily-limit", 429, "The mobile had its codes of the day", "该手机号今日获取验证码次数已达上限";
    // The password.
    MemoSecretUnknown => "memo-secret-unknown", 422, "No memo secret opens this order's password now", "口令领取码不存在或已作废，请联系受理点重新发送";
    MemoSecretUsed => "memo-secret-used", 422, "The memo secret was used", "口令领取码已使用";
    MemoSecretExpired => "memo-secret-expired", 422, "The memo secret has expired", "口令领取码已过期，请联系受理点重新发送";
    MemoSecretExhausted => "memo-secret-exhausted", 422, "The memo secret was tried too often", "口令领取码错误次数过多，请联系受理点重新发送";
    MemoSecretWrong => "memo-secret-wrong", 422, "The memo secret is wrong", "口令领取码错误";
    PasswordUnderway => "password-underway", 409, "The password is still on its way", "口令正在发送中，请等待结果";
    PasswordGone => "password-gone", 409, "The platform has the password no more", "口令已被领取或已清除，平台不再保存";
    PasswordSentTooOften => "password-sent-too-often", 409, "The password was sent too often for this order", "口令发送次数已达上限";
    // The order.
    CommandNotAllowed => "command-not-allowed", 409, "The order does not take this now", "订单当前状态不允许此操作";
    AlreadyRecorded => "already-recorded", 409, "This was recorded before", "已处理，请勿重复提交";
    DocumentsMissing => "documents-missing", 409, "Documents are missing", "资料未上传齐全";
    SubjectDiffers => "subject-differs", 409, "Subject and identity number cannot be changed any more", "订单确认后不能更改主体";
    OrderErased => "order-erased", 410, "The order's personal data was erased", "订单信息已按规定删除";
    ConsentMissing => "consent-missing", 422, "The consent to the certification practice statement is missing", "请先同意《电子认证业务规则》";
    // Documents.
    DocumentTooLarge => "document-too-large", 422, "A picture may have 1.5 MB", "图片不能超过 1.5M";
    DocumentType => "document-type", 422, "A picture has to be gif, jpg or png", "仅支持 gif、jpg、png、jpeg 格式的图片";
    DocumentNotAnImage => "document-not-an-image", 422, "The content is not a gif, jpg or png picture", "文件内容不是 gif、jpg 或 png 图片";
    DocumentUndecodable => "document-undecodable", 422, "The picture cannot be decoded", "图片已损坏，无法识别";
    DocumentNotNeeded => "document-not-needed", 422, "The application does not need this document", "此申请无需该资料";
    // Payment.
    NoSuchPayment => "no-such-payment", 404, "The order has no such payment attempt", "支付记录不存在";
    TooManyPayments => "too-many-payments", 409, "Too many payment attempts were started", "发起支付次数过多";
    PaymentProviderBusy => "payment-provider-busy", 503, "The payment provider does not answer", "支付渠道暂不可用，请稍后再试";
    PaymentProviderRefused => "payment-provider-refused", 502, "The payment provider refused the request", "支付渠道拒绝了请求";
    PaymentProviderNotOffered => "payment-provider-not-offered", 422, "No payments are taken through this provider", "暂不支持该支付渠道";
    NotificationMalformed => "notification-malformed", 400, "The notification cannot be read", "支付通知格式错误";
    NotificationSignature => "notification-signature", 400, "The notification's signature is not the provider's", "支付通知验签失败";
    NotificationApp => "notification-app", 400, "The notification is for another application or seller", "支付通知不属于本应用";
    NotificationAmount => "notification-amount", 409, "The amount paid differs from the amount due", "支付金额与订单金额不一致";
    // The invoice and the parcel.
    InvoiceNotDue => "invoice-not-due", 409, "The order has no invoice that takes this now", "该订单的发票当前状态不允许此操作";
    InvoiceNotIssued => "invoice-not-issued", 404, "The order has no such file of an issued invoice", "发票尚未开具，或没有该格式的文件";
    InvoiceFile => "invoice-file", 422, "A PDF of at most 3 MB is needed, and at most 1 MB for an OFD", "须上传不超过 3M 的 PDF 文件，OFD 文件不超过 1M";
    NoSuchParcel => "no-such-parcel", 404, "The order has no such parcel", "没有该快递单";
    CourierSignature => "courier-signature", 400, "The message's signature is not the courier service's", "物流推送验签失败";
    CourierMalformed => "courier-malformed", 400, "The message cannot be read", "物流推送格式错误";
    // Personalisation.
    TicketOrigin => "ticket-origin", 422, "Tickets are not issued for this site", "不为该网站签发操作凭证";
    TooManyTickets => "too-many-tickets", 409, "Too many tickets were issued for this order as it stands", "该订单当前环节签发操作凭证次数过多";
    TicketsNotOffered => "tickets-not-offered", 503, "The platform has no key for tickets yet", "平台尚未配置操作凭证密钥，请联系管理员";
    CsrMalformed => "csr-malformed", 422, "The certificate request cannot be read", "证书请求无法解析";
    CsrProof => "csr-proof", 422, "The request is not signed by the key it asks to certify", "证书请求的私钥持有证明无效";
    CsrKey => "csr-key", 422, "The request's key is not an SM2 key on sm2p256v1", "证书请求的公钥不是 SM2 公钥";
    CsrSubject => "csr-subject", 422, "The request's subject is not the order's", "证书请求的主体与订单不一致";
    CsrAlreadySubmitted => "csr-already-submitted", 409, "A request with another key was submitted for this order", "该订单已提交过其他密钥的证书请求";
    WrittenDiffers => "written-differs", 409, "What was read back is not what was issued", "回读的证书与签发的证书不一致";
    PasswordForm => "password-form", 422, "A user password has 6 to 16 printable ASCII characters", "用户口令须为 6 至 16 位";
    // What the world may read.
    NoSuchPublication => "no-such-publication", 404, "There is no such revocation list or certificate", "没有该证书撤销列表或证书";
    // Recovery of encryption keys.
    KeyNotFound => "key-not-found", 404, "There is no such encryption key of this vendor", "加密密钥不存在";
    KeyNotEscrowed => "key-not-escrowed", 409, "The platform does not have this key in escrow; the vendor has", "该密钥由厂商托管，平台无法恢复";
    RecoveryNotFound => "recovery-not-found", 404, "There is no such recovery for this vendor", "密钥恢复申请不存在";
    RecoveryNotAllowed => "recovery-not-allowed", 409, "The recovery does not take this now", "密钥恢复申请当前状态不允许此操作";
    RecoverySameOfficer => "recovery-same-officer", 409, "The officer who asked cannot approve", "申请人不能审批自己的密钥恢复申请";
    RecoveryExpired => "recovery-expired", 409, "The recovery was not finished within 7 days", "密钥恢复申请已过期，请重新申请";
    // The platform.
    Busy => "busy", 503, "The platform is busy; try again", "系统繁忙，请稍后再试";
    Internal => "internal", 500, "Something is wrong on the platform's side", "系统错误，请联系客服";
}

/// Where the types of problems live.
pub const TYPE_BASE: &str = "/problems/";

impl Problem {
    /// A problem of this type.
    pub fn new(code: Code) -> Self {
        Problem {
            kind: format!("{TYPE_BASE}{}", code.code()),
            title: code.title().to_owned(),
            title_zh: code.title_zh().to_owned(),
            status: code.status(),
            detail: None,
            pointer: None,
            retry_after_s: None,
        }
    }

    /// With what was found this time.
    #[must_use]
    pub fn because(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned());
        self
    }

    /// With the place in the body.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned()).filter(|pointer| !pointer.is_empty());
        self
    }

    /// The last part of the type.
    pub fn code(&self) -> &str {
        self.kind.strip_prefix(TYPE_BASE).unwrap_or(&self.kind)
    }

    /// The problem of a value that is not what it should be: each has a type of its own.
    fn malformed(code: &str, sentence: &str) -> Self {
        Problem {
            kind: format!("{TYPE_BASE}{code}"),
            title: "A value is not well-formed".to_owned(),
            title_zh: "填写的信息格式不正确".to_owned(),
            status: 422,
            detail: Some(sentence.to_owned()),
            pointer: None,
            retry_after_s: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_s;
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(0)));
        }
        response
    }
}

impl From<InvalidIdentifier> for Problem {
    fn from(invalid: InvalidIdentifier) -> Self {
        Problem::malformed(invalid.code(), invalid.sentence())
    }
}

impl From<Contradiction> for Problem {
    fn from(contradiction: Contradiction) -> Self {
        Problem::malformed(contradiction.code(), contradiction.sentence())
    }
}

impl From<InvalidForm> for Problem {
    fn from(invalid: InvalidForm) -> Self {
        match invalid {
            InvalidForm::Contradiction(contradiction) => contradiction.into(),
            InvalidForm::Identifier(invalid) => invalid.into(),
            shape @ (InvalidForm::Missing(_) | InvalidForm::Unknown(_)) => {
                Problem::new(Code::BodyShape).because(&shape.to_string())
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::NotAllowed { .. } | Refusal::NotRevoked | Refusal::NoSuchSending => {
                Code::CommandNotAllowed
            }
            Refusal::AlreadyRecorded => Code::AlreadyRecorded,
            Refusal::DocumentsMissing(_) => Code::DocumentsMissing,
            Refusal::NoSuchAttempt | Refusal::NoSuchRefund => Code::NoSuchPayment,
            Refusal::TooManyAttempts => Code::TooManyPayments,
            Refusal::AmountDiffers => Code::NotificationAmount,
            Refusal::TooManyTickets => Code::TooManyTickets,
            Refusal::CsrAlreadySubmitted => Code::CsrAlreadySubmitted,
            Refusal::WrittenDiffers => Code::WrittenDiffers,
            Refusal::SubjectDiffers => Code::SubjectDiffers,
            Refusal::PasswordUnderway => Code::PasswordUnderway,
            Refusal::PasswordGone => Code::PasswordGone,
            Refusal::TooManySendings => Code::PasswordSentTooOften,
            Refusal::PasswordVoid => Code::MemoSecretUnknown,
            Refusal::InvoiceNotDue => Code::InvoiceNotDue,
            Refusal::NoSuchParcel => Code::NoSuchParcel,
            Refusal::Erased => Code::OrderErased,
        };
        Problem::new(code).because(&refusal.to_string())
    }
}

impl From<CsrError> for Problem {
    fn from(error: CsrError) -> Self {
        let code = match error {
            CsrError::TooLarge | CsrError::Malformed(_) | CsrError::Pem => Code::CsrMalformed,
            CsrError::Key(_) => Code::CsrKey,
            CsrError::Algorithm | CsrError::Proof => Code::CsrProof,
        };
        Problem::new(code).because(&error.to_string()).at("/csr")
    }
}

impl From<RecoveryRefusal> for Problem {
    fn from(refusal: RecoveryRefusal) -> Self {
        Problem::new(match refusal {
            RecoveryRefusal::NotAllowed(_) => Code::RecoveryNotAllowed,
            RecoveryRefusal::Expired => Code::RecoveryExpired,
            RecoveryRefusal::SameOfficer => Code::RecoverySameOfficer,
            RecoveryRefusal::NotYours => Code::RoleMissing,
        })
    }
}

impl From<RecoveryError> for Problem {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Refused(refusal) => refusal.into(),
            RecoveryError::Store(error) => error.into(),
        }
    }
}

impl From<CodeRefusal> for Problem {
    fn from(refusal: CodeRefusal) -> Self {
        Problem::new(match refusal {
            CodeRefusal::Unknown => Code::CodeUnknown,
            CodeRefusal::Used => Code::CodeUsed,
            CodeRefusal::Expired => Code::CodeExpired,
            CodeRefusal::Exhausted => Code::CodeExhausted,
            CodeRefusal::Wrong => Code::CodeWrong,
        })
    }
}

impl From<LimitReached> for Problem {
    fn from(limit: LimitReached) -> Self {
        match limit {
            LimitReached::TooSoon { retry_after_s } => Problem {
                retry_after_s: Some(retry_after_s),
                ..Problem::new(Code::CodeTooSoon)
            },
            LimitReached::HourlyLimit { retry_after_s } => Problem {
                retry_after_s: Some(retry_after_s),
                ..Problem::new(Code::CodeHourlyLimit)
            },
            LimitReached::DailyLimit => Problem::new(Code::CodeDailyLimit),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict | StoreError::Unavailable(_) => {
                error!(
                    error = crate::telemetry::causes(&error),
                    "the store did not do its work"
                );
                Problem {
                    retry_after_s: Some(1),
                    ..Problem::new(Code::Busy)
                }
            }
            StoreError::NotFound => Problem::new(Code::OrderNotFound),
            StoreError::Claimed("code") => Problem::new(Code::CodeUsed),
            StoreError::Claimed(_) | StoreError::Corrupt(_) => {
                error!(
                    error = crate::telemetry::causes(&error),
                    "the store found what it did not expect"
                );
                Problem::new(Code::Internal)
            }
        }
    }
}

impl From<AdvanceError> for Problem {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Refused(refusal) => refusal.into(),
            AdvanceError::Store(error) => error.into(),
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        error!(
            error = crate::telemetry::causes(&error),
            "a secret cannot be used"
        );
        Problem::new(Code::Internal)
    }
}
