//! Everything that has an address. There is nothing else, and no address is made into a file's name.
use crate::operations::arguments::Kind;

/// What an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The one document of the agent's pages.
    Shell,
    /// A file of the document.
    Asset(Asset),
    /// A call of the agent's own page.
    Page(PageCall),
    /// A call of a site.
    Api(ApiCall),
}

/// A file of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asset {
    /// Its script.
    Script,
    /// Its style.
    Style,
}

/// A call of the agent's own page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageCall {
    /// Exchanges the code in the address for a session.
    Open,
    /// Asks for a window with a session, from one without.
    Knock,
    /// What the page shows.
    View,
    /// Waits for a UKey that comes or goes.
    Changed,
    /// Back to the overview.
    Overview,
    /// Approves a site.
    Approve,
    /// Does not.
    Deny,
    /// Brings what the holder typed.
    Enter,
    /// Ends an operation.
    Cancel,
    /// Takes an approval back.
    Revoke,
    /// Begins a change of the user PIN.
    ChangePin,
}

/// A call of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiCall {
    /// Asks to be approved.
    Pairing,
    /// Which agent this is.
    Status,
    /// Tokens and certificates.
    Tokens,
    /// A key for the platform's authorisation to unblock.
    UnblockKey,
    /// What needs the holder.
    Operation(Kind),
}

impl Area {
    /// What an address belongs to. Byte for byte: nothing is decoded, no slash is added or left out.
    pub fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Shell,
            "/assets/agent.js" => Self::Asset(Asset::Script),
            "/assets/agent.css" => Self::Asset(Asset::Style),
            "/page/open" => Self::Page(PageCall::Open),
            "/page/knock" => Self::Page(PageCall::Knock),
            "/page/view" => Self::Page(PageCall::View),
            "/page/changed" => Self::Page(PageCall::Changed),
            "/page/overview" => Self::Page(PageCall::Overview),
            "/page/approve" => Self::Page(PageCall::Approve),
            "/page/deny" => Self::Page(PageCall::Deny),
            "/page/enter" => Self::Page(PageCall::Enter),
            "/page/cancel" => Self::Page(PageCall::Cancel),
            "/page/revoke" => Self::Page(PageCall::Revoke),
            "/page/change-pin" => Self::Page(PageCall::ChangePin),
            "/v1/pairing" => Self::Api(ApiCall::Pairing),
            "/v1/status" => Self::Api(ApiCall::Status),
            "/v1/tokens" => Self::Api(ApiCall::Tokens),
            "/v1/unblock-key" => Self::Api(ApiCall::UnblockKey),
            "/v1/login" => Self::Api(ApiCall::Operation(Kind::Login)),
            "/v1/sign" => Self::Api(ApiCall::Operation(Kind::Sign)),
            "/v1/sign-digest" => Self::Api(ApiCall::Operation(Kind::SignDigest)),
            "/v1/decrypt" => Self::Api(ApiCall::Operation(Kind::Decrypt)),
            "/v1/change-pin" => Self::Api(ApiCall::Operation(Kind::ChangePin)),
            "/v1/personalise" => Self::Api(ApiCall::Operation(Kind::Personalise)),
            "/v1/unblock" => Self::Api(ApiCall::Operation(Kind::Unblock)),
            "/v1/request-certificates" => Self::Api(ApiCall::Operation(Kind::RequestCertificates)),
            "/v1/write-certificates" => Self::Api(ApiCall::Operation(Kind::WriteCertificates)),
            "/v1/write-seal" => Self::Api(ApiCall::Operation(Kind::WriteSeal)),
            _ => return None,
        })
    }
}
