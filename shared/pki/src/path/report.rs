//! What was checked, with which outcome, and why.

use std::fmt;

use crate::certificate::Certificate;

/// How a check ended, and how all of them together did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It can be told neither way with what is at hand.
    Indeterminate,
    /// It does not hold.
    Failed,
}

impl Outcome {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Indeterminate => "indeterminate",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        /// What a check is about. The ids are stable: programs may compare them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])* $name,)* }

        impl Rule {
            /// All rules, in the order in which they are checked.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable id.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

rules! {
    /// A path leads from the certificate to a trust anchor.
    Path = "path";
    /// The trust anchor may issue certificates and is valid at the time.
    TrustAnchor = "trust-anchor";
    /// Version 3 where there are extensions; each extension once and readable.
    Structure = "structure";
    /// The digest of the signature resists collisions.
    WeakSignature = "weak-signature";
    /// The issuer's key made the signature (RFC 5280, 6.1.3 a 1).
    Signature = "signature";
    /// The time lies within the validity (6.1.3 a 2).
    Validity = "validity";
    /// Issuer and subject names chain (6.1.3 a 4).
    NameChaining = "name-chaining";
    /// Subject and alternative names keep to the name constraints of all CAs above (6.1.3 b and c).
    NameConstraints = "name-constraints";
    /// An acceptable policy is left where one is required (6.1.3 d to f, 6.1.5).
    Policy = "policy";
    /// Mappings do not touch anyPolicy (6.1.4 a).
    PolicyMapping = "policy-mapping";
    /// An issuer is a CA (6.1.4 k).
    BasicConstraints = "basic-constraints";
    /// No more CAs follow than the path length allows (6.1.4 l and m).
    PathLength = "path-length";
    /// An issuer's key may sign certificates (6.1.4 n); the last one's may do what it is used for.
    KeyUsage = "key-usage";
    /// The extended key usage allows what the certificate is used for.
    ExtendedKeyUsage = "extended-key-usage";
    /// Every critical extension is understood (6.1.4 o, 6.1.5 f).
    CriticalExtension = "critical-extension";
    /// Who signed a list, an answer or a message is known and may sign it.
    Signer = "signer";
    /// A list or an answer is current at the time.
    Freshness = "freshness";
    /// A message's content is at hand and the one that was signed.
    Content = "content";
    /// The sender of a request holds the private key.
    Possession = "possession";
    /// The certificate was not revoked at the time (6.1.3 a 3, 6.3; RFC 6960).
    Revocation = "revocation";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// One check of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub rule: Rule,
    /// Whose: the place in [`Report::path`]; `None` is the trust anchor or the path as a whole.
    pub certificate: Option<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in one sentence without names of people.
    pub reason: String,
}

/// Everything about one certificate at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Passed if every check is; failed if one is.
    pub verdict: Outcome,
    /// The path: the certificate first, then its issuers up to below the trust anchor.
    pub path: Vec<Certificate>,
    /// The place of the trust anchor among those given.
    pub anchor: Option<usize>,
    /// All checks, the anchor's first, then from the anchor down.
    pub checks: Vec<Check>,
    /// What was not checked, and what else a reader should know.
    pub notes: Vec<String>,
}

impl Report {
    /// The checks that did not pass.
    pub fn problems(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.outcome != Outcome::Passed)
    }

    /// The rules that failed.
    pub fn failed(&self) -> Vec<Rule> {
        let failed = |check: &&Check| check.outcome == Outcome::Failed;
        self.checks
            .iter()
            .filter(failed)
            .map(|check| check.rule)
            .collect()
    }
}

/// Checks of a path while it is walked.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) list: Vec<Check>,
}

impl Checks {
    pub(super) fn add(
        &mut self,
        rule: Rule,
        certificate: Option<usize>,
        outcome: Outcome,
        reason: impl Into<String>,
    ) {
        let reason = reason.into();
        self.list.push(Check {
            rule,
            certificate,
            outcome,
            reason,
        });
    }

    /// Passed with one reason, or failed with the other.
    pub(super) fn require(
        &mut self,
        rule: Rule,
        certificate: Option<usize>,
        holds: bool,
        reasons: (&str, &str),
    ) {
        if holds {
            self.add(rule, certificate, Outcome::Passed, reasons.0);
        } else {
            self.add(rule, certificate, Outcome::Failed, reasons.1);
        }
    }

    /// How many did not pass.
    pub(super) fn problems(&self) -> usize {
        let problem = |check: &&Check| check.outcome != Outcome::Passed;
        self.list.iter().filter(problem).count()
    }

    /// The worst outcome; nothing checked is nothing known.
    pub(super) fn verdict(&self) -> Outcome {
        let worst = self.list.iter().map(|check| check.outcome).max();
        worst.unwrap_or(Outcome::Indeterminate)
    }
}
