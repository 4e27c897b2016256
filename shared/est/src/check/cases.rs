//! The cases.

use std::time::{Duration, Instant};

use time::OffsetDateTime;
use yinxin_pki::Certificate;
use yinxin_pki::chain::{is_pair, verify_link};

use super::holder::Holder;
use super::{Enrolled, Finding, Target, Verdict, foreign};
use crate::client::{EstClient, Operation, Reply, ServerKey};
use crate::config::SetUpError;
use crate::error::EstError;
use crate::verify::{Expected, Use, chain_to, check_usage, of_key};

/// How long the kit listens before it hangs up in the middle of a request.
const HANG_UP_AFTER: Duration = Duration::from_millis(20);

type Case = Result<String, Miss>;

/// Why a case is not passed.
enum Miss {
    Failed(String),
    Skipped(String),
}

fn failed(reason: impl Into<String>) -> Miss {
    Miss::Failed(reason.into())
}

fn skipped(reason: impl Into<String>) -> Miss {
    Miss::Skipped(reason.into())
}

struct Kit<'a> {
    target: &'a Target,
    root: &'a Certificate,
    client: EstClient,
    ca_certs: Vec<Certificate>,
    findings: Vec<Finding>,
}

pub(super) async fn run(target: &Target, root: &Certificate) -> Result<Vec<Finding>, SetUpError> {
    let client = EstClient::new(&target.config, Some(&target.identity), target.limits)?;
    let mut kit = Kit {
        target,
        root,
        client,
        ca_certs: Vec::new(),
        findings: Vec::new(),
    };
    kit.all().await;
    Ok(kit.findings)
}

impl Kit<'_> {
    fn note(&mut self, case: &'static str, result: Case) {
        let (verdict, reason) = match result {
            Ok(reason) => (Verdict::Passed, reason),
            Err(Miss::Failed(reason)) => (Verdict::Failed, reason),
            Err(Miss::Skipped(reason)) => (Verdict::Skipped, reason),
        };
        self.findings.push(Finding {
            case,
            verdict,
            reason,
        });
    }

    async fn all(&mut self) {
        let result = self.ca_certificates().await;
        self.note("ca-certificates", result);
        let Ok(holder) = Holder::new(&self.target.unit_name) else {
            self.note(
                "enroll",
                Err(skipped("the unit's name does not fit into a certificate")),
            );
            return;
        };
        let first = self.enroll(Operation::SimpleEnroll, &holder).await;
        self.note(
            "enroll",
            match &first {
                Ok(_) => Ok("the key of the request is certified".into()),
                Err(error) => Err(failed(error.to_string())),
            },
        );
        self.note("slow", slow(&first));
        self.judge(first.as_ref().ok(), &holder);
        let made = self.server_key(&holder, first.as_ref().ok()).await;
        self.note("server-key", made);
        let result = self.duplicate(&holder, first.as_ref().ok()).await;
        self.note("duplicate", result);
        if matches!(first, Err(Trouble::Slow(_))) {
            for case in [
                "lost-reply",
                "reenroll",
                "bad-proof",
                "foreign-client",
                "no-client",
            ] {
                self.note(case, Err(skipped("the endpoint does not answer in time")));
            }
            return;
        }
        let result = self.lost_reply().await;
        self.note("lost-reply", result);
        let result = self.reenroll(&holder, first.as_ref().ok()).await;
        self.note("reenroll", result);
        let result = self.bad_proof().await;
        self.note("bad-proof", result);
        let foreign = foreign::identity(OffsetDateTime::now_utc());
        let result = match foreign {
            Some(identity) => self.stranger(Some(&identity)).await,
            None => Err(skipped("no client certificate could be made")),
        };
        self.note("foreign-client", result);
        let result = self.stranger(None).await;
        self.note("no-client", result);
    }

    async fn ca_certificates(&mut self) -> Case {
        let certificates = self
            .client
            .ca_certs()
            .await
            .map_err(|error| failed(error.to_string()))?;
        let issues = |ca: &Certificate| {
            ca.as_der() == self.root.as_der() || (ca.is_ca() && verify_link(ca, self.root).is_ok())
        };
        let leads = certificates.iter().any(issues);
        self.ca_certs = certificates;
        if leads {
            Ok(format!("{} certificate(s)", self.ca_certs.len()))
        } else {
            Err(failed("no certificate of them leads to the vendor's root"))
        }
    }

    /// Asks until the vendor has decided or the patience is over.
    async fn enroll(&self, operation: Operation, holder: &Holder) -> Result<Enrolled, Trouble> {
        let (started, asked_at, mut pending) = (Instant::now(), OffsetDateTime::now_utc(), 0);
        loop {
            match self.client.enroll(operation, &holder.csr).await {
                Ok(Reply::Done(sent)) => {
                    let certificate = of_key(&sent, holder.key.public_key())
                        .map_err(|_| Trouble::Key)?
                        .clone();
                    return Ok(Enrolled {
                        certificate,
                        sent,
                        pending,
                        took: started.elapsed(),
                        asked_at,
                    });
                }
                Ok(Reply::Pending { retry_after }) => {
                    pending += 1;
                    if started.elapsed() + retry_after > self.target.patience {
                        return Err(Trouble::Undecided(self.target.patience));
                    }
                    tokio::time::sleep(retry_after).await;
                }
                Err(EstError::NoAnswer) if started.elapsed() >= self.target.limits.total => {
                    return Err(Trouble::Slow(self.target.limits.total));
                }
                Err(error) => return Err(Trouble::Endpoint(error)),
            }
        }
    }

    /// What the first certificate says.
    fn judge(&mut self, first: Option<&Enrolled>, holder: &Holder) {
        const CASES: [&str; 4] = ["chain", "subject", "key-usage", "clock"];
        let Some(enrolled) = first else {
            for case in CASES {
                self.note(case, Err(skipped("there is no certificate")));
            }
            return;
        };
        let now = OffsetDateTime::now_utc();
        let certificate = &enrolled.certificate;
        let expected = self.expected(holder, enrolled.asked_at);
        let results = [
            chain_to(self.root, certificate, &self.pool(&enrolled.sent), now)
                .map(|issuers| format!("{} issuer(s) up to the vendor's root", issuers.len()))
                .map_err(|fault| failed(fault.to_string())),
            expected
                .check_subject(certificate)
                .map(|()| "the subject of the request, attribute by attribute".to_owned())
                .map_err(|fault| failed(fault.to_string())),
            check_usage(certificate, Use::Signing)
                .map(|()| "a signing certificate".to_owned())
                .map_err(|fault| failed(fault.to_string())),
            expected
                .check_validity(certificate, now)
                .map(|()| {
                    let ahead = (certificate.not_before() - now).whole_seconds();
                    format!("valid from {ahead} s relative to this clock")
                })
                .map_err(|fault| failed(fault.to_string())),
        ];
        for (case, result) in CASES.into_iter().zip(results) {
            self.note(case, result);
        }
    }

    async fn server_key(&self, holder: &Holder, first: Option<&Enrolled>) -> Case {
        let first = first.ok_or_else(|| skipped("there is no signing certificate"))?;
        let ServerKey { key, certificates } = self.make_key(holder).await?;
        let encryption =
            of_key(&certificates, key.public_key()).map_err(|fault| failed(fault.to_string()))?;
        let now = OffsetDateTime::now_utc();
        self.expected(holder, first.asked_at)
            .check(encryption, Use::Encryption, now)
            .and_then(|()| chain_to(self.root, encryption, &self.pool(&certificates), now))
            .map_err(|fault| failed(fault.to_string()))?;
        if is_pair(&first.certificate, encryption) {
            Ok("private key and certificate belong together and pair with the signing certificate".into())
        } else {
            Err(failed("it does not pair with the signing certificate"))
        }
    }

    async fn make_key(&self, holder: &Holder) -> Result<ServerKey, Miss> {
        match self.client.server_key_gen(&holder.csr).await {
            Ok(Reply::Done(made)) => Ok(made),
            Ok(Reply::Pending { .. }) => Err(skipped("the vendor has not decided")),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn duplicate(&self, holder: &Holder, first: Option<&Enrolled>) -> Case {
        let first = first.ok_or_else(|| skipped("there is no certificate"))?;
        let again = self
            .enroll(Operation::SimpleEnroll, holder)
            .await
            .map_err(|trouble| failed(format!("the same request again: {trouble}")))?;
        if again.certificate != first.certificate {
            return Err(failed("the same request was answered with another certificate"));
        }
        let (one, two) = (self.make_key(holder).await?, self.make_key(holder).await?);
        if one.key.public_key() == two.key.public_key() {
            Ok("the same request gives the same certificate and the same key".into())
        } else {
            Err(failed("the same request was answered with another key"))
        }
    }

    /// Hangs up in the middle; then the certificate must be there, and the same one each time.
    async fn lost_reply(&self) -> Case {
        let holder = Holder::new(&self.target.unit_name).map_err(|error| skipped(error.to_string()))?;
        let call = self.client.enroll(Operation::SimpleEnroll, &holder.csr);
        // An answer that comes in time is lost all the same: nobody reads it.
        let hung_up = tokio::time::timeout(HANG_UP_AFTER, call).await.is_err();
        let mut found = Vec::new();
        for _ in 0..2 {
            let enrolled = self
                .enroll(Operation::SimpleEnroll, &holder)
                .await
                .map_err(|trouble| failed(format!("asked again: {trouble}")))?;
            found.push(enrolled.certificate);
        }
        if found[0] != found[1] {
            return Err(failed(
                "asked again, the endpoint gives another certificate each time",
            ));
        }
        Ok(if hung_up {
            "the connection was cut; asked again, the certificate is there".into()
        } else {
            "the answer was thrown away; asked again, the certificate is there".into()
        })
    }

    async fn reenroll(&self, holder: &Holder, first: Option<&Enrolled>) -> Case {
        let first = first.ok_or_else(|| skipped("there is no certificate"))?;
        let enrolled = match self.enroll(Operation::SimpleReenroll, holder).await {
            Ok(enrolled) => enrolled,
            Err(Trouble::Endpoint(EstError::Refused(404 | 405) | EstError::Busy(501))) => {
                return Err(skipped("the endpoint does not offer it"));
            }
            Err(trouble) => return Err(failed(trouble.to_string())),
        };
        self.expected(holder, first.asked_at)
            .check(&enrolled.certificate, Use::Signing, OffsetDateTime::now_utc())
            .map(|()| "a further certificate for the same subject and key".into())
            .map_err(|fault| failed(fault.to_string()))
    }

    async fn bad_proof(&self) -> Case {
        let csr = Holder::new(&self.target.unit_name)
            .ok()
            .and_then(|holder| holder.without_proof());
        let csr = csr.ok_or_else(|| skipped("no request could be made"))?;
        match self.client.enroll(Operation::SimpleEnroll, &csr).await {
            Err(EstError::Rejected(status)) => Ok(format!("refused with HTTP status {status}")),
            Ok(Reply::Done(_)) => Err(failed("a key was certified whose possession was not proved")),
            Ok(Reply::Pending { .. }) => Err(failed("it was taken for a decision instead of refused")),
            Err(error) => Err(failed(format!("HTTP status 400 is due: {error}"))),
        }
    }

    /// A client that the vendor does not know must get nothing.
    async fn stranger(&self, identity: Option<&str>) -> Case {
        let set_up = |_| skipped("the client could not be made");
        let holder = Holder::new(&self.target.unit_name).map_err(|error| skipped(error.to_string()))?;
        let stranger = EstClient::new(&self.target.config, identity, self.target.limits).map_err(set_up)?;
        match stranger.enroll(Operation::SimpleEnroll, &holder.csr).await {
            Ok(_) => Err(failed("a client that the vendor does not know was served")),
            Err(EstError::Refused(status @ (401 | 403))) => Ok(format!("refused with HTTP status {status}")),
            Err(EstError::NoAnswer) => match self.client.ca_certs().await {
                Ok(_) => Ok("refused in the handshake".into()),
                Err(_) => Err(skipped("nobody is answered")),
            },
            Err(error) => Err(failed(format!(
                "a refusal in the handshake, 401 or 403 is due: {error}"
            ))),
        }
    }

    fn expected<'a>(&self, holder: &'a Holder, asked_at: OffsetDateTime) -> Expected<'a> {
        Expected {
            subject: &holder.subject,
            credit_code: None,
            asked_at,
            term_years: self.target.years,
        }
    }

    fn pool(&self, sent: &[Certificate]) -> Vec<Certificate> {
        sent.iter().chain(&self.ca_certs).cloned().collect()
    }
}

fn slow(first: &Result<Enrolled, Trouble>) -> Case {
    match first {
        Ok(Enrolled { pending: 0, took, .. }) => Ok(format!("answered in {} ms", took.as_millis())),
        Ok(Enrolled { pending, took, .. }) => {
            let seconds = took.as_secs();
            Ok(format!(
                "decided after {seconds} s; {pending} time(s) 202 with Retry-After"
            ))
        }
        Err(trouble @ (Trouble::Slow(_) | Trouble::Undecided(_))) => Err(failed(trouble.to_string())),
        Err(_) => Err(skipped("there is no certificate")),
    }
}

/// Why a certificate that was asked for did not come.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Endpoint(EstError),
    #[error("no answer within {} s", .0.as_secs_f32())]
    Slow(Duration),
    #[error("not decided within {} s", .0.as_secs_f32())]
    Undecided(Duration),
    #[error("the answer has not exactly one certificate for the key of the request")]
    Key,
}
