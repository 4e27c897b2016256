//! A token whose program dies at a chosen call, before or after the call took effect, or whose memory is bad.
use yinxin_agent::{
    pin::Pin,
    token::{Identity, SkfToken, Token, TokenError, TriesLeft, Usage},
};
use yinxin_pki::{Certificate, EnvelopedKey, PublicKey};
use zeroize::Zeroizing;

/// On which side of the call's effect the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

pub struct BreakingToken {
    pub inner: SkfToken,
    /// Calls that still go well.
    pub calls_left: usize,
    pub side: Side,
    pub broken: bool,
    /// Says that it wrote a certificate, and did not.
    pub loses: Option<Usage>,
}

impl BreakingToken {
    pub fn dying(inner: SkfToken, calls_left: usize, side: Side) -> Self {
        Self {
            inner,
            calls_left,
            side,
            broken: false,
            loses: None,
        }
    }

    pub fn losing(inner: SkfToken, usage: Usage) -> Self {
        Self {
            loses: Some(usage),
            ..Self::dying(inner, usize::MAX, Side::Before)
        }
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut SkfToken) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        assert!(!self.broken, "a dead program calls nothing");
        if let Some(left) = self.calls_left.checked_sub(1) {
            self.calls_left = left;
            return call(&mut self.inner);
        }
        self.broken = true;
        if self.side == Side::After {
            call(&mut self.inner)?;
        }
        Err(TokenError::Device(yinxin_skf::Error::Misbehaved {
            call: "any",
            fault: "the program died",
        }))
    }
}

impl Token for BreakingToken {
    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn containers(&self) -> Result<Vec<String>, TokenError> {
        self.inner.containers()
    }

    fn selected(&self) -> Option<String> {
        self.inner.selected()
    }

    fn select(&mut self, container: &str) -> Result<(), TokenError> {
        self.inner.select(container)
    }

    fn create_container(&mut self, container: &str) -> Result<(), TokenError> {
        self.call(|token| token.create_container(container))
    }

    fn delete_container(&mut self, container: &str) -> Result<(), TokenError> {
        self.call(|token| token.delete_container(container))
    }

    fn lock(&mut self) -> Result<(), TokenError> {
        self.call(SkfToken::lock)
    }

    fn tries_left(&self) -> Result<TriesLeft, TokenError> {
        self.inner.tries_left()
    }

    fn login(&mut self, pin: &Pin) -> Result<(), TokenError> {
        self.call(|token| token.login(pin))
    }

    fn logout(&mut self) {
        self.inner.logout();
    }

    fn set_user_pin(&mut self, old: &Pin, new: &Pin) -> Result<(), TokenError> {
        self.call(|token| token.set_user_pin(old, new))
    }

    fn unblock(&mut self, admin: &Pin, new_user: &Pin) -> Result<(), TokenError> {
        self.call(|token| token.unblock(admin, new_user))
    }

    fn generate_signing_key(&mut self) -> Result<PublicKey, TokenError> {
        self.call(SkfToken::generate_signing_key)
    }

    fn public_key(&self, usage: Usage) -> Result<Option<PublicKey>, TokenError> {
        self.inner.public_key(usage)
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.call(|token| token.sign(message))
    }

    fn decrypt(&mut self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        self.call(|token| token.decrypt(ciphertext))
    }

    fn decrypt_under(&mut self, session_key: &[u8], blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        self.call(|token| token.decrypt_under(session_key, blocks))
    }

    fn import_enveloped_key(&mut self, envelope: &EnvelopedKey) -> Result<PublicKey, TokenError> {
        self.call(|token| token.import_enveloped_key(envelope))
    }

    fn import_certificate(&mut self, usage: Usage, certificate: &Certificate) -> Result<(), TokenError> {
        if self.loses == Some(usage) {
            return Ok(());
        }
        self.call(|token| token.import_certificate(usage, certificate))
    }

    fn certificate(&self, usage: Usage) -> Result<Option<Certificate>, TokenError> {
        self.inner.certificate(usage)
    }

    fn record(&self, name: &str) -> Result<Option<Vec<u8>>, TokenError> {
        self.inner.record(name)
    }

    fn write_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), TokenError> {
        self.call(|token| token.write_record(name, bytes))
    }
}
