//! Whether what a vendor issued is what was asked for.

use time::{Duration, OffsetDateTime};
use yinxin_ca::VendorFault;
use yinxin_pki::chain::{ChainError, verify_chain, verify_link};
use yinxin_pki::profile::Validity;
use yinxin_pki::{Certificate, Name, PublicKey};

/// How far the vendor's clock may be ahead of ours.
pub const CLOCK_SKEW: Duration = Duration::minutes(5);
/// How long before the request a validity may begin: CAs date back against clocks that are slow.
pub const BACKDATED: Duration = Duration::days(1);
/// How much a validity may end before the term: vendors count years as 365 days.
pub const SHORTER: Duration = Duration::days(6);
/// How much it may end after the term: vendors give days away.
pub const LONGER: Duration = Duration::days(31);
/// CA certificates between a leaf and the root, the root included.
const MAX_ISSUERS: usize = 4;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The holder signs.
    Signing,
    /// Others encrypt to the holder.
    Encryption,
}

/// What a certificate must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Whom it names.
    pub subject: &'a Name,
    /// The credit code, where the vendor writes one.
    pub credit_code: Option<&'a str>,
    /// When it was first asked for.
    pub asked_at: OffsetDateTime,
    /// For how many years; `None` where the vendor's product decides.
    pub term_years: Option<u8>,
}

impl Expected<'_> {
    /// Checks subject, key usage and validity.
    pub fn check(
        &self,
        certificate: &Certificate,
        used: Use,
        now: OffsetDateTime,
    ) -> Result<(), VendorFault> {
        self.check_subject(certificate)?;
        check_usage(certificate, used)?;
        self.check_validity(certificate, now)
    }

    /// The same attributes in the same order. The string types are the vendor's choice (RFC 5280, 4.1.2.4).
    pub fn check_subject(&self, certificate: &Certificate) -> Result<(), VendorFault> {
        let found = certificate.subject();
        let readable = found
            .attributes()
            .iter()
            .all(|attribute| !attribute.value.is_empty());
        let code = certificate.organization_code();
        let other_code = self
            .credit_code
            .zip(code.as_deref())
            .is_some_and(|(wanted, found)| wanted != found);
        if readable && found.attributes() == self.subject.attributes() && !other_code {
            Ok(())
        } else {
            Err(VendorFault::Subject)
        }
    }

    /// Begins about when it was asked for, is not over, and is as long as was asked for.
    pub fn check_validity(&self, certificate: &Certificate, now: OffsetDateTime) -> Result<(), VendorFault> {
        let (start, end) = (certificate.not_before(), certificate.not_after());
        let begins = start <= now + CLOCK_SKEW && start >= self.asked_at - BACKDATED;
        let ends = match self.term_years {
            None => end > now,
            Some(years) => {
                let last = |from| Validity::years(from, years).map(|validity| validity.not_after);
                last(self.asked_at).is_some_and(|last| end >= last - SHORTER)
                    && last(now).is_some_and(|last| end <= last + LONGER)
            }
        };
        if begins && ends {
            Ok(())
        } else {
            Err(VendorFault::Validity)
        }
    }
}

/// The key usages of a double certificate (GM/T 0015): the signing key signs and does not decrypt, and the other way round.
pub fn check_usage(certificate: &Certificate, used: Use) -> Result<(), VendorFault> {
    const DECRYPTS: u8 = 0x38;
    let fits = certificate.key_usage().is_some_and(|usage| match used {
        Use::Signing => usage.signs() && usage.0 & DECRYPTS == 0,
        Use::Encryption => usage.only_decrypts(),
    });
    if fits && !certificate.is_ca() {
        Ok(())
    } else {
        Err(VendorFault::Usage)
    }
}

/// The one certificate of this key.
pub fn of_key<'a>(certificates: &'a [Certificate], key: &PublicKey) -> Result<&'a Certificate, VendorFault> {
    let mut found = certificates
        .iter()
        .filter(|certificate| certificate.public_key() == Some(key));
    match (found.next(), found.next()) {
        (Some(certificate), None) => Ok(certificate),
        _ => Err(VendorFault::Key),
    }
}

/// The issuers of `leaf`, nearest first, the pinned root last, out of those that the vendor sent; verified.
pub fn chain_to(
    root: &Certificate,
    leaf: &Certificate,
    sent: &[Certificate],
    now: OffsetDateTime,
) -> Result<Vec<Certificate>, VendorFault> {
    let mut issuers: Vec<Certificate> = Vec::new();
    while issuers.len() < MAX_ISSUERS {
        let below = issuers.last().unwrap_or(leaf);
        if verify_link(below, root).is_ok() {
            issuers.push(root.clone());
            // Within the tolerance the vendor's clock may be ahead.
            let at = now.max(leaf.not_before());
            verify_chain(leaf, &issuers, at).map_err(VendorFault::Chain)?;
            return Ok(issuers);
        }
        let next = sent
            .iter()
            .find(|issuer| *issuer != below && verify_link(below, issuer).is_ok())
            .ok_or(VendorFault::Chain(ChainError::Root))?;
        issuers.push(next.clone());
    }
    Err(VendorFault::Chain(ChainError::Length))
}
