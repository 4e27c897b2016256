//! Why a call is refused: a code for programs, Chinese and English for people, and the status.
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::json;

use crate::{
    operations::{OperationError, arguments::ArgumentError, renewal::RenewalError},
    personalise::PersonaliseError,
    ticket::TicketRefusal,
    token::{PinKind, TokenError},
};

/// Beginning of the problem types.
pub const TYPE: &str = "urn:yinxin:agent:";

/// Why a call is refused.
#[derive(Debug)]
pub enum Refusal {
    /// The `Host` is not this agent: a name was pointed at this computer (DNS rebinding).
    Host,
    /// The request's form is not one that a browser sends here.
    Form,
    /// Nothing has this address.
    Address,
    /// Not this method.
    Method,
    /// No origin, or one that may not call this.
    Origin,
    /// The fetch metadata say that this is no call of a script, or no page of its own window.
    Metadata,
    /// Not `application/json`.
    MediaType,
    /// No length, or a body longer than the call takes.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body is not what the call takes.
    Arguments(ArgumentError),
    /// The site has no token, or another one.
    Unpaired,
    /// The page has no session, or an old one.
    Session,
    /// The form is no longer open.
    Gone,
    /// Another operation is going on.
    Busy,
    /// Too many calls in a minute.
    TooOften,
    /// The holder said no.
    Denied,
    /// Nobody answered in time.
    TimedOut,
    /// No page could be opened.
    NoBrowser,
    /// Something cannot be kept or recorded.
    Unwritable,
    /// The agent knows no platform.
    NoPlatform,
    /// The ticket.
    Ticket(TicketRefusal),
    /// The operation did not come about.
    Operation(OperationError),
}

impl From<ArgumentError> for Refusal {
    fn from(error: ArgumentError) -> Self {
        Self::Arguments(error)
    }
}

impl From<OperationError> for Refusal {
    fn from(error: OperationError) -> Self {
        Self::Operation(error)
    }
}

impl From<TicketRefusal> for Refusal {
    fn from(refusal: TicketRefusal) -> Self {
        Self::Ticket(refusal)
    }
}

/// What is said of a refusal.
pub struct Said {
    /// Of the answer.
    pub status: StatusCode,
    /// For programs; stable.
    pub code: &'static str,
    /// For people.
    pub chinese: String,
    /// For people, and developers.
    pub english: String,
}

impl Refusal {
    /// What is said of it.
    pub fn said(&self) -> Said {
        if let Self::Operation(error) = self {
            return Said::of(error);
        }
        let (status, code, chinese) = self.fixed();
        Said {
            status,
            code,
            chinese: chinese.to_owned(),
            english: self.english(),
        }
    }

    /// The problem document (RFC 9457). It closes the connection: a body that was refused is not read.
    pub fn to_response(&self) -> Response<Body> {
        let Said {
            status,
            code,
            chinese,
            english,
        } = self.said();
        let problem = json!({
            "type": format!("{TYPE}{code}"),
            "title": chinese,
            "detail": english,
            "status": status.as_u16(),
        });
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }

    fn fixed(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Host => (S::MISDIRECTED_REQUEST, "host", "请求的主机名不是本机证书助手"),
            Self::Form => (S::BAD_REQUEST, "request-form", "请求格式不被接受"),
            Self::Address => (S::NOT_FOUND, "not-found", "没有这个地址"),
            Self::Method => (S::METHOD_NOT_ALLOWED, "method", "不支持该请求方法"),
            Self::Origin => (S::FORBIDDEN, "origin", "该网站未获授权，请先申请连接证书助手"),
            Self::Metadata => (S::FORBIDDEN, "fetch-metadata", "该请求的来源方式不被接受"),
            Self::MediaType => (S::UNSUPPORTED_MEDIA_TYPE, "media-type", "只接受 application/json"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "请求内容过大"),
            Self::TooSlow => (S::REQUEST_TIMEOUT, "too-slow", "请求内容未及时到达"),
            Self::Arguments(ArgumentError::Pin) => (
                S::BAD_REQUEST,
                "pin-in-request",
                "网站不得传递口令，口令只能在证书助手自己的页面上输入",
            ),
            Self::Arguments(ArgumentError::Confusable(_)) => (
                S::UNPROCESSABLE_ENTITY,
                "confusable-message",
                "该内容另有含义，不能作为普通消息签名",
            ),
            Self::Arguments(_) => (S::BAD_REQUEST, "arguments", "请求参数不正确"),
            Self::Unpaired => (
                S::UNAUTHORIZED,
                "unpaired",
                "该网站的连接凭证无效，请重新连接证书助手",
            ),
            Self::Session => (S::UNAUTHORIZED, "session", "页面已失效，请从证书助手重新打开"),
            Self::Gone => (S::GONE, "gone", "该操作已结束"),
            Self::Busy => (S::CONFLICT, "busy", "证书助手正在处理另一个操作，请稍后再试"),
            Self::TooOften => (S::TOO_MANY_REQUESTS, "too-often", "请求过于频繁，请稍后再试"),
            Self::Denied => (S::FORBIDDEN, "denied", "用户已取消"),
            Self::TimedOut => (S::REQUEST_TIMEOUT, "timed-out", "用户未在规定时间内确认"),
            Self::NoBrowser => (S::INTERNAL_SERVER_ERROR, "no-browser", "无法打开证书助手页面"),
            Self::Unwritable => (S::INTERNAL_SERVER_ERROR, "unwritable", "证书助手无法保存数据"),
            Self::NoPlatform => (
                S::NOT_IMPLEMENTED,
                "no-platform",
                "证书助手未配置平台证书，不能执行该操作",
            ),
            Self::Ticket(refusal) => (S::FORBIDDEN, ticket_code(*refusal), ticket_chinese(*refusal)),
            Self::Operation(error) => operation(error),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Host => "the Host header does not name this agent",
            Self::Form => "the request is not of a form that is accepted",
            Self::Address => "nothing has this address",
            Self::Method => "this method is not supported here",
            Self::Origin => "this site is not approved: ask for pairing first",
            Self::Metadata => "the fetch metadata do not fit this call",
            Self::MediaType => "only application/json is accepted",
            Self::TooLarge => "the body has no length or is too large",
            Self::TooSlow => "the body did not arrive in time",
            Self::Arguments(error) => return error.to_string(),
            Self::Unpaired => "the site's token is missing or not valid: ask for pairing again",
            Self::Session => "the page's session is missing or has ended",
            Self::Gone => "the operation is over",
            Self::Busy => "another operation is in progress",
            Self::TooOften => "too many requests in a minute",
            Self::Denied => "the user cancelled",
            Self::TimedOut => "the user did not answer in time",
            Self::NoBrowser => "the agent's page cannot be opened",
            Self::Unwritable => "the agent cannot write its files",
            Self::NoPlatform => "the agent was started without the platform's certificates",
            Self::Ticket(refusal) => return refusal.to_string(),
            Self::Operation(error) => return operation_english(error),
        }
        .to_owned()
    }
}

impl Said {
    /// What is said of an operation that did not come about.
    pub fn of(error: &OperationError) -> Self {
        let (status, code, chinese) = operation(error);
        let (chinese, english) = match error.tries_left() {
            Some(left) => (
                format!("口令错误，还可尝试 {left} 次"),
                format!("the PIN is wrong, {left} tries left"),
            ),
            None => (chinese.to_owned(), operation_english(error)),
        };
        Self {
            status,
            code,
            chinese,
            english,
        }
    }
}

/// Paths and causes of a token's failure are no site's business.
fn operation_english(error: &OperationError) -> String {
    match error {
        OperationError::Token(error) => token_english(error).to_owned(),
        OperationError::Personalise(error) => personalise_english(error).to_owned(),
        error => error.to_string(),
    }
}

fn operation(error: &OperationError) -> (StatusCode, &'static str, &'static str) {
    use StatusCode as S;
    match error.locked() {
        Some(PinKind::User) => {
            return (S::FORBIDDEN, "pin-locked", "用户口令已锁定，请使用“找回密码”解锁");
        }
        Some(PinKind::Admin) => return (S::FORBIDDEN, "admin-pin-locked", "管理员口令已锁定"),
        None => {}
    }
    match error {
        OperationError::NoToken => (S::CONFLICT, "no-ukey", "未检测到 UKey，请插入 UKey"),
        OperationError::Token(TokenError::Removed) => (
            S::CONFLICT,
            "ukey-removed",
            "UKey 已拔出，操作未完成，请重新插入后再试",
        ),
        OperationError::SeveralTokens => (S::CONFLICT, "several-ukeys", "检测到多个 UKey，请只保留一个"),
        OperationError::NoCertificate(_) => (S::CONFLICT, "no-certificate", "UKey 中没有所需的证书"),
        OperationError::Exchanged => (S::CONFLICT, "exchanged", "操作期间 UKey 或证书已更换"),
        OperationError::PinRule(_) | OperationError::Token(TokenError::PinRefused) => (
            S::UNPROCESSABLE_ENTITY,
            "pin-rule",
            "口令须为 6 至 16 位字母、数字或符号",
        ),
        OperationError::NewPin => (
            S::UNPROCESSABLE_ENTITY,
            "new-pin",
            "两次输入的新口令不一致，或与原口令相同",
        ),
        OperationError::Entries => (S::UNPROCESSABLE_ENTITY, "entries", "输入项不完整"),
        OperationError::NotForThisToken => (
            S::UNPROCESSABLE_ENTITY,
            "not-for-this-ukey",
            "该密文不是加密给此 UKey 证书的",
        ),
        OperationError::CannotOpen => (S::UNPROCESSABLE_ENTITY, "cannot-open", "无法解密"),
        OperationError::Renewal(error) => renewal(error),
        OperationError::Personalise(_) => (S::CONFLICT, "personalise", "制证未完成"),
        OperationError::Authorisation => (
            S::CONFLICT,
            "authorisation",
            "解锁授权无效或不属于该 UKey，请重新申请",
        ),
        OperationError::ReadBack => (S::INTERNAL_SERVER_ERROR, "read-back", "UKey 写入校验失败"),
        OperationError::NotConfigured(_) => (S::NOT_IMPLEMENTED, "not-configured", "证书助手缺少所需配置"),
        OperationError::Token(TokenError::WrongPin { .. }) => (S::FORBIDDEN, "wrong-pin", "口令错误"),
        OperationError::Token(TokenError::Busy(_)) => {
            (S::CONFLICT, "ukey-busy", "其他程序正在使用 UKey，请稍后再试")
        }
        OperationError::Token(TokenError::Full) => (
            S::CONFLICT,
            "ukey-full",
            "UKey 空间已满，原有证书不受影响，请更换 UKey",
        ),
        OperationError::Token(TokenError::NoApplication(_)) => (
            S::CONFLICT,
            "ukey-unprepared",
            "UKey 尚未初始化，请联系 UKey 厂商",
        ),
        OperationError::Token(_) => (S::INTERNAL_SERVER_ERROR, "ukey-fault", "UKey 操作失败"),
        OperationError::Fault => (S::INTERNAL_SERVER_ERROR, "fault", "证书助手内部错误"),
    }
}

fn renewal(error: &RenewalError) -> (StatusCode, &'static str, &'static str) {
    let (code, chinese) = match error {
        RenewalError::NoPair | RenewalError::OtherHolder | RenewalError::Older | RenewalError::Chain(_) => {
            ("renewal", "新证书与 UKey 不符，原证书保持不变")
        }
        RenewalError::OtherKeys => (
            "renewal-other-keys",
            "新证书不是为此 UKey 的密钥签发的，原证书保持不变",
        ),
        RenewalError::Envelope => ("renewal-envelope", "加密密钥不是发给此 UKey 的，原证书保持不变"),
        RenewalError::NotRequested => (
            "renewal-not-requested",
            "此 UKey 没有为该订单生成密钥，原证书保持不变，请重新开始更新",
        ),
        RenewalError::Finished => ("renewal-finished", "该订单的证书已写入此 UKey，无需重复更新"),
        RenewalError::Record => ("renewal-record", "UKey 中的更新记录已损坏，原证书保持不变"),
    };
    (StatusCode::CONFLICT, code, chinese)
}

fn token_english(error: &TokenError) -> &'static str {
    match error {
        TokenError::WrongPin { .. } => "the PIN is wrong",
        TokenError::PinLocked(_) => "the PIN is locked",
        TokenError::NoKey(_) => "the UKey holds no such key pair",
        TokenError::KeyExists(_) => "the UKey already holds another key pair",
        TokenError::CertificateMismatch(_) => "the certificate is for another key than the UKey's",
        TokenError::Busy(_) => "another program is using the UKey",
        TokenError::PinRefused => "the UKey does not take such a PIN",
        TokenError::Removed => "the UKey was pulled out",
        TokenError::NoApplication(_) => "the UKey has not been prepared by its vendor",
        TokenError::Full => "the UKey is full; what it held is as it was",
        TokenError::RecordTooLong => "the record is too long for the UKey",
        _ => "the UKey did not do what it was asked",
    }
}

fn personalise_english(error: &PersonaliseError) -> &'static str {
    match error {
        PersonaliseError::Token(error) => token_english(error),
        PersonaliseError::Platform(_) => "the platform refused, or is not available",
        PersonaliseError::Delivery(_) => "what the platform delivered does not fit the UKey",
        PersonaliseError::NotBlank => "the UKey is not blank",
        PersonaliseError::OtherOrder(_) => "the UKey belongs to another order",
        PersonaliseError::NotYet => "the certificates are not there yet: try again later",
        PersonaliseError::TooFewTries => "too few tries of the PIN are left",
        _ => "personalising stopped",
    }
}

fn ticket_code(refusal: TicketRefusal) -> &'static str {
    match refusal {
        TicketRefusal::Malformed => "ticket-malformed",
        TicketRefusal::Signature => "ticket-signature",
        TicketRefusal::Certificate => "ticket-certificate",
        TicketRefusal::Expired => "ticket-expired",
        TicketRefusal::Operation => "ticket-operation",
        TicketRefusal::Origin => "ticket-origin",
        TicketRefusal::Token => "ticket-ukey",
        TicketRefusal::Content => "ticket-content",
        TicketRefusal::Used => "ticket-used",
    }
}

fn ticket_chinese(refusal: TicketRefusal) -> &'static str {
    match refusal {
        TicketRefusal::Malformed => "操作凭单格式不正确",
        TicketRefusal::Signature => "操作凭单不是平台签发的",
        TicketRefusal::Certificate => "平台的凭单证书已失效",
        TicketRefusal::Expired => "操作凭单已过期，或本机时间不正确",
        TicketRefusal::Operation => "操作凭单用于其他操作",
        TicketRefusal::Origin => "操作凭单用于其他网站",
        TicketRefusal::Token => "操作凭单用于其他 UKey",
        TicketRefusal::Content => "操作凭单与所附内容不符",
        TicketRefusal::Used => "操作凭单已使用过",
    }
}
