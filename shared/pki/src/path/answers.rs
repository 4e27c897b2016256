//! Answers of OCSP responders (RFC 6960, 3.2 and 4.2.2): the issuer's own, or of a responder that the same issuer appointed.

use time::{Duration, OffsetDateTime};

use super::report::Outcome;
use super::revocation::{Status, signature_reason, speaks_for};
use super::{Chain, Session, Signer};
use crate::certificate::Certificate;
use crate::crl::Reason;
use crate::ocsp::{BasicResponse, CertStatus, SingleResponse};
use crate::{extensions, oid};

/// How long an answer counts that does not say how long it does.
const WITHOUT_NEXT_UPDATE: Duration = Duration::hours(24);

impl Session<'_> {
    /// What the answers say of a certificate of a path.
    pub(super) fn status_by_answers(
        &mut self,
        chain: &Chain,
        depth: usize,
        pending: &mut Vec<usize>,
    ) -> Status {
        let certificate = self.nodes[chain.certificates[depth]].certificate.clone();
        let Some(issuer) = Self::signer_above(chain, depth) else {
            return Status::Unknown(None);
        };
        // An anchor without a certificate cannot be named in an answer.
        let Some(above) = self.certificate_of(issuer).cloned() else {
            return Status::Unknown(None);
        };
        let mut best = Status::Unknown(None);
        let answers = self.answers;
        for basic in answers.iter().filter_map(|answer| answer.basic.as_ref()) {
            let Some(single) = basic.find(&above, certificate.serial_content()) else {
                continue;
            };
            let status = match self.responder(basic, issuer, &above, chain, pending) {
                Ok(()) => read(single, &certificate, self.options.at),
                Err(reason) => Err(reason),
            };
            match status {
                Ok(Status::Revoked(reason)) => return Status::Revoked(reason),
                Ok(good @ Status::Good(_)) => best = good,
                Err(reason) if matches!(best, Status::Unknown(_)) => {
                    best = Status::Unknown(Some(format!("the OCSP answer {reason}")));
                }
                _ => {}
            }
        }
        best
    }

    /// Whether an answer is signed by somebody who may speak for the issuer.
    fn responder(
        &mut self,
        basic: &BasicResponse,
        issuer: Signer,
        above: &Certificate,
        chain: &Chain,
        pending: &mut Vec<usize>,
    ) -> Result<(), &'static str> {
        let anchor = chain.anchor.ok_or("has no trust anchor")?;
        if basic.signature_algorithm().is_broken() {
            return Err("is signed with a digest that no longer resists collisions");
        }
        let mut responders = Vec::new();
        if basic.responder().names(above) {
            responders.push(issuer);
        }
        let issuer_name = above.subject().canonical();
        let appointed = (0..self.nodes.len()).filter(|at| {
            let node = &self.nodes[*at];
            node.issuer == issuer_name && basic.responder().names(&node.certificate)
        });
        responders.extend(appointed.map(Signer::Certificate));
        let mut problem = "is of a responder whose certificate is not at hand";
        for responder in responders {
            let Some(left) = self.signatures_left.checked_sub(1) else {
                return Err("would cost too many signatures");
            };
            self.signatures_left = left;
            let verified = self.key(responder).verify_as(
                self.options.id,
                basic.signature_algorithm(),
                basic.tbs_der(),
                basic.signature(),
            );
            if let Err(error) = verified {
                problem = signature_reason(error);
                continue;
            }
            let Signer::Certificate(at) = responder else {
                return Ok(());
            };
            if responder == issuer {
                return Ok(());
            }
            match self.check_appointed(at, issuer, anchor, pending) {
                Ok(()) => return Ok(()),
                Err(reason) => problem = reason,
            }
        }
        Err(problem)
    }

    /// RFC 6960, 4.2.2.2: issued by the same CA directly, and for signing answers.
    fn check_appointed(
        &mut self,
        at: usize,
        issuer: Signer,
        anchor: usize,
        pending: &mut Vec<usize>,
    ) -> Result<(), &'static str> {
        if self.verify(at, issuer) != Some(Ok(())) {
            return Err("is of a responder that another issuer appointed");
        }
        let tbs = self.nodes[at].certificate.tbs();
        let usages = extensions::extended_key_usage(tbs)
            .unwrap_or(None)
            .unwrap_or_default();
        if !usages.contains(&oid::OCSP_SIGNING) {
            return Err("is of a certificate that may not sign answers");
        }
        // id-pkix-ocsp-nocheck: nobody is asked about the responder itself (RFC 6960, 4.2.2.2.1).
        let unchecked = tbs.extension(oid::OCSP_NO_CHECK).is_some();
        if unchecked {
            pending.push(at);
        }
        let outcome = self.is_valid_signer(at, anchor, pending);
        if unchecked {
            pending.pop();
        }
        if outcome == Outcome::Passed {
            Ok(())
        } else {
            Err("is of a responder whose certificate is not valid itself")
        }
    }
}

fn read(
    single: &SingleResponse,
    certificate: &Certificate,
    time: OffsetDateTime,
) -> Result<Status, &'static str> {
    if let CertStatus::Revoked { at, reason } = single.status
        && at <= time
    {
        let why = reason.map_or("no reason given", Reason::name);
        return Ok(Status::Revoked(format!(
            "revoked since {at} ({why}), says an OCSP answer"
        )));
    }
    if single.unknown_critical {
        return Err("has a critical extension that is not understood");
    }
    let next = single
        .next_update
        .or_else(|| single.this_update.checked_add(WITHOUT_NEXT_UPDATE));
    speaks_for(time, single.this_update, next, certificate)?;
    match single.status {
        CertStatus::Unknown => Err("does not know the certificate"),
        _ => Ok(Status::Good(format!(
            "not revoked at the time, says an OCSP answer of {}",
            single.this_update
        ))),
    }
}
