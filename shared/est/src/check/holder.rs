//! The test unit that asks for certificates.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use yinxin_pki::name::NameError;
use yinxin_pki::{CsrBuilder, Name, SigningKey};

/// A key with the request that is sent, always the same bytes.
pub(super) struct Holder {
    pub(super) key: SigningKey,
    pub(super) subject: Name,
    pub(super) csr: Vec<u8>,
}

impl Holder {
    /// A fresh key of the unit with this name.
    pub(super) fn new(unit_name: &str) -> Result<Self, NameError> {
        loop {
            let subject = Name::unit(unit_name, None)?;
            let key = SigningKey::generate(&mut UnwrapErr(SysRng));
            // A signature fails with a chance below 2^-200; then another key is as good.
            if let Ok(csr) = CsrBuilder::new(&subject, key.public_key()).sign_with(|info| key.sign(info)) {
                return Ok(Self { key, subject, csr });
            }
        }
    }

    /// The request with another signature: it proves nothing.
    pub(super) fn without_proof(&self) -> Option<Vec<u8>> {
        let other = self.key.sign(b"something else").ok()?;
        Some(CsrBuilder::new(&self.subject, self.key.public_key()).assemble(&other))
    }
}
