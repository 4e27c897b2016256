//! `invoice`: has the provider issue the invoices of approved orders, asks what became of them, and keeps their files.
//!
//! Only its role may use the provider's credentials. An invoice is asked for under the order's number, so that a
//! repeated errand makes no second one.
use yinxin_lambda::Platform;

mod errands;
mod issuer;

pub use errands::Errands;
pub use issuer::Issuer;

/// What the function works with.
#[derive(Clone)]
pub struct App {
    /// The platform.
    pub platform: Platform,
    /// The way to who issues.
    pub issuer: Issuer,
}

impl App {
    /// The function in its deployment. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let platform = Platform::from_env().await?;
        let issuer = Issuer::from_env()?;
        Ok(App { platform, issuer })
    }
}
