//! Revocation lists (RFC 5280, 6.3): scope, delta lists, indirect lists, and the path of whoever signed.

use super::report::Outcome;
use super::revocation::{Status, signature_reason, speaks_for};
use super::{Chain, Session, Signer};
use crate::algorithm::VerifyError;
use crate::certificate::Certificate;
use crate::crl::{Crl, IssuingDistributionPoint, Reason, ReasonFlags, RevokedEntry};
use crate::der::Tlv;
use crate::extensions::{self, DistributionPoint, GeneralName, PointName};
use crate::name::{CanonicalName, Name};
use crate::oid::{self, ObjectIdentifier};

/// Extensions of lists that are processed here, so that they may be critical.
const PROCESSED: [ObjectIdentifier; 4] = [
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::CRL_NUMBER,
    oid::DELTA_CRL_INDICATOR,
    oid::ISSUING_DISTRIBUTION_POINT,
];
/// Distribution points of a certificate that are looked at.
const MAX_POINTS: usize = 64;
/// The bit cRLSign.
const CRL_SIGN: u8 = 0x02;

/// A list, prepared once for a report.
#[derive(Debug)]
pub(super) struct List<'a> {
    crl: &'a Crl,
    issuer: CanonicalName,
    /// `Err` where it cannot be read.
    scope: Result<Option<IssuingDistributionPoint>, ()>,
    unknown_critical: bool,
}

impl<'a> List<'a> {
    pub(super) fn new(crl: &'a Crl) -> Self {
        let unknown = crl
            .extensions()
            .iter()
            .any(|extension| extension.critical && !PROCESSED.contains(&extension.oid));
        Self {
            crl,
            issuer: crl.issuer().canonical(),
            scope: crl.issuing_distribution_point().map_err(|_| ()),
            unknown_critical: unknown || crl.entries().iter().any(|entry| entry.unknown_critical),
        }
    }

    /// Which reasons the list covers for a certificate through a distribution point; `None` if it is not about it
    /// (6.3.3 b and d).
    fn covers(&self, certificate: &Certificate, point: &DistributionPoint) -> Option<ReasonFlags> {
        let scope = self.scope.as_ref().ok()?.as_ref();
        let issuer = if point.crl_issuer.is_empty() {
            self.issuer == certificate.issuer().canonical()
        } else {
            let is_issuer = |name: &GeneralName| matches!(name, GeneralName::Directory(name) if name.canonical() == self.issuer);
            scope.is_some_and(|scope| scope.indirect) && point.crl_issuer.iter().any(is_issuer)
        };
        if !issuer {
            return None;
        }
        let of_point = point.reasons.unwrap_or(ReasonFlags::ALL);
        let Some(scope) = scope else {
            return Some(of_point);
        };
        let is_ca = certificate.is_ca();
        if (scope.only_user && is_ca) || (scope.only_ca && !is_ca) || scope.only_attribute {
            return None;
        }
        let own = scope_names(scope, self.crl.issuer());
        if !own.is_empty() {
            let wanted = match &point.name {
                Some(name) if point.crl_issuer.is_empty() => name.names(certificate.issuer()),
                Some(name) => name.names(self.crl.issuer()),
                None => point.crl_issuer.clone(),
            };
            if !own
                .iter()
                .any(|own| wanted.iter().any(|wanted| wanted.matches(own)))
            {
                return None;
            }
        }
        let reasons = scope.only_some_reasons.unwrap_or(ReasonFlags::ALL);
        Some(reasons.intersection(of_point))
    }

    /// The last entry about a certificate.
    fn entry(&self, certificate: &Certificate) -> Option<&'a RevokedEntry> {
        let issuer = certificate.issuer().canonical();
        let same_issuer = |entry: &RevokedEntry| match &entry.certificate_issuer {
            Some(name) => name.canonical() == issuer,
            None => self.issuer == issuer,
        };
        self.crl
            .entries()
            .iter()
            .rfind(|entry| entry.serial == certificate.serial_content() && same_issuer(entry))
    }

    /// Whether a delta list may be put on this one (6.3.3 c).
    fn takes(&self, delta: &List<'_>) -> bool {
        let (Some(base), Some(number), Some(newer)) =
            (delta.crl.base_number(), self.crl.number(), delta.crl.number())
        else {
            return false;
        };
        let scope = |list: &List<'_>| {
            let extension = list.crl.extension(oid::ISSUING_DISTRIBUTION_POINT);
            extension.map(|extension| extension.value.clone())
        };
        self.issuer == delta.issuer
            && scope(self) == scope(delta)
            && self.crl.authority_key_identifier() == delta.crl.authority_key_identifier()
            && !is_less(number, base)
            && is_less(number, newer)
    }
}

/// Names of the distribution point of a list.
fn scope_names(scope: &IssuingDistributionPoint, issuer: &Name) -> Vec<GeneralName> {
    match &scope.relative_name {
        Some(rdn) => PointName::Relative(rdn.clone()).names(issuer),
        None => scope
            .full_names
            .iter()
            .filter_map(|der| Tlv::whole(der).and_then(GeneralName::from_der).ok())
            .collect(),
    }
}

/// Compares magnitudes without leading zeros.
fn is_less(one: &[u8], two: &[u8]) -> bool {
    (one.len(), one) < (two.len(), two)
}

impl Session<'_> {
    /// What the lists say of a certificate of a path.
    pub(super) fn status_by_lists(
        &mut self,
        chain: &Chain,
        depth: usize,
        pending: &mut Vec<usize>,
    ) -> Status {
        let certificate = self.nodes[chain.certificates[depth]].certificate.clone();
        let implied = DistributionPoint {
            name: Some(PointName::Full(vec![GeneralName::Directory(
                certificate.issuer().clone(),
            )])),
            reasons: None,
            crl_issuer: Vec::new(),
        };
        let mut points = extensions::crl_distribution_points(certificate.tbs())
            .unwrap_or(None)
            .unwrap_or_default();
        points.truncate(MAX_POINTS);
        // Lists that no point names may still be those of the issuer (6.3.3, at the end).
        points.push(implied);
        let mut covered = ReasonFlags::default();
        let mut problem = None;
        let mut used = String::new();
        for point in &points {
            for at in 0..self.lists.len() {
                let Some(reasons) = self.lists[at].covers(&certificate, point) else {
                    continue;
                };
                // A delta list only speaks upon its base; a list that covers no new reason may still tell of a revocation.
                if self.lists[at].crl.base_number().is_some() || reasons == ReasonFlags::default() {
                    continue;
                }
                match self.ask_list(at, chain, depth, &certificate, pending) {
                    Ok(Status::Good(reason)) => {
                        covered = covered.union(reasons);
                        used = reason;
                    }
                    Ok(revoked) => return revoked,
                    Err(reason) => problem = Some(reason),
                }
            }
            if covered.contains(ReasonFlags::ALL) {
                return Status::Good(used);
            }
        }
        if problem.is_none() && covered != ReasonFlags::default() {
            problem = Some("the lists at hand do not cover all reasons for a revocation".to_owned());
        }
        Status::Unknown(problem)
    }

    /// What one complete list, with a delta list upon it, says; an error is why it cannot be used.
    fn ask_list(
        &mut self,
        at: usize,
        chain: &Chain,
        depth: usize,
        certificate: &Certificate,
        pending: &mut Vec<usize>,
    ) -> Result<Status, String> {
        let complaint = |reason: &str| format!("the revocation list {reason}");
        let signer = self
            .signer_of_list(at, chain, depth, pending)
            .map_err(complaint)?;
        let time = self.options.at;
        let list = &self.lists[at];
        let usable = if list.unknown_critical {
            Err("has a critical extension that is not understood")
        } else {
            speaks_for(time, list.crl.this_update(), list.crl.next_update(), certificate)
        };
        let mut entry = list.entry(certificate);
        let (made, next) = (list.crl.this_update(), list.crl.next_update());
        let deltas: Vec<usize> = (0..self.lists.len())
            .filter(|delta| self.lists[at].takes(&self.lists[*delta]))
            .collect();
        for delta in deltas {
            let verifies = self.verify_list(delta, signer) == Some(Ok(()));
            let delta = &self.lists[delta];
            let (this, next) = (delta.crl.this_update(), delta.crl.next_update());
            if verifies && !delta.unknown_critical && speaks_for(time, this, next, certificate).is_ok() {
                entry = delta.entry(certificate).or(entry);
            }
        }
        // A revocation counts even if the list that tells of it is old.
        if let Some(entry) = entry.filter(|entry| entry.reason != Some(Reason::RemoveFromCrl)) {
            let since = entry
                .invalidity_date
                .map_or(entry.revoked_at, |date| date.min(entry.revoked_at));
            if since <= time {
                let why = entry.reason.map_or("no reason given", Reason::name);
                return Ok(Status::Revoked(format!(
                    "revoked since {since} ({why}), says a revocation list"
                )));
            }
        }
        usable.map_err(complaint)?;
        let until = next.map_or_else(String::new, |next| format!(" and good until {next}"));
        Ok(Status::Good(format!(
            "not revoked at the time, says a revocation list made {made}{until}"
        )))
    }

    /// Who signed a list: the issuer on the path, or another holder of the list's name with a valid path under the same
    /// anchor.
    fn signer_of_list(
        &mut self,
        at: usize,
        chain: &Chain,
        depth: usize,
        pending: &mut Vec<usize>,
    ) -> Result<Signer, &'static str> {
        let above = Self::signer_above(chain, depth);
        let anchor = chain.anchor.ok_or("has no trust anchor")?;
        if self.lists[at].crl.signature_algorithm().is_broken() {
            return Err("is signed with a digest that no longer resists collisions");
        }
        let name = &self.lists[at].issuer;
        let mut signers = Vec::new();
        if self.anchor_names[anchor] == *name {
            signers.push(Signer::Anchor(anchor));
        }
        let named = (0..self.nodes.len()).filter(|node| self.nodes[*node].subject == *name);
        signers.extend(named.map(Signer::Certificate));
        // The issuer itself first: no other path has to be looked for then.
        signers.sort_by_key(|signer| Some(*signer) != above);
        let mut problem = "is of an issuer whose certificate is not at hand";
        for signer in signers {
            match self.verify_list(at, signer) {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    problem = signature_reason(error);
                    continue;
                }
                None => return Err("would cost too many signatures"),
            }
            if !self.certificate_of(signer).is_none_or(may_sign_lists) {
                problem = "is signed by a key that may not sign revocation lists";
                continue;
            }
            let trusted = match signer {
                _ if Some(signer) == above => Outcome::Passed,
                Signer::Anchor(_) => Outcome::Passed,
                Signer::Certificate(node) if chain.certificates[..depth].contains(&node) => Outcome::Passed,
                Signer::Certificate(node) => self.is_valid_signer(node, anchor, pending),
            };
            if trusted == Outcome::Passed {
                return Ok(signer);
            }
            problem = "is signed by a certificate that is not valid itself";
        }
        Err(problem)
    }

    /// Verifies a list's signature once.
    fn verify_list(&mut self, at: usize, signer: Signer) -> Option<Result<(), VerifyError>> {
        if let Some(known) = self.lists_verified.get(&(at, signer)) {
            return Some(*known);
        }
        self.signatures_left = self.signatures_left.checked_sub(1)?;
        let crl = self.lists[at].crl;
        let (algorithm, signature) = (crl.signature_algorithm(), crl.signature());
        let result = self
            .key(signer)
            .verify_as(self.options.id, algorithm, crl.tbs_der(), signature);
        self.lists_verified.insert((at, signer), result);
        Some(result)
    }
}

/// Where there is a key usage it must say so (6.3.3 f).
pub(super) fn may_sign_lists(certificate: &Certificate) -> bool {
    let absent = certificate.extension(oid::KEY_USAGE).is_none();
    absent
        || certificate
            .key_usage()
            .is_some_and(|usage| usage.0 & CRL_SIGN != 0)
}
