//! What the API shows of a recovery.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tracing::error;
use utoipa::ToSchema;
use yinxin_lambda::Problem;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::timestamp;
use yinxin_order::recovery::{PATIENCE, Recovery, RecoveryState, Step};
use yinxin_pki::skf_blob::Layout;
use yinxin_pki::{EnvelopedKey, EnvelopedKeyBlob};
use yinxin_store::audits::AuditEntry;

/// A recovery as officers see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryView {
    /// Its id.
    recovery_id: String,
    /// Where it stands.
    state: RecoveryState,
    /// The order that the key was issued for.
    order_id: String,
    /// The encryption certificate's serial number, hexadecimal.
    serial: String,
    /// Why the key is needed.
    reason: Option<String>,
    /// Who asked.
    requested: StepView,
    /// Who approved.
    approved: Option<StepView>,
    /// Who rejected.
    rejected: Option<StepView>,
    /// Why it was rejected.
    rejection: Option<String>,
    /// When the key was enveloped, RFC 3339.
    recovered_at: Option<String>,
    /// When it expires if the next step is not taken, RFC 3339.
    expires_at: Option<String>,
    /// SM3 of the new token's subject public key info, hexadecimal: what the officers compare with the token.
    token_key_sm3: Option<String>,
    /// What the audit trail says of it, oldest first; only where one recovery is shown.
    trail: Vec<TrailView>,
    /// The recovered key, where one recovery is shown.
    delivery: Option<DeliveryView>,
}

/// Who did something, and when.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepView {
    /// The officer's account.
    account: String,
    /// When, RFC 3339.
    at: String,
}

/// An entry of the audit trail.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrailView {
    /// When, RFC 3339.
    at: String,
    /// The account, or the platform's function.
    by: String,
    /// What was done.
    action: String,
}

/// A recovered key.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// How the enveloped key is written.
    form: Form,
    /// The key pair enveloped to the new token's signing key, base64.
    enveloped_key: String,
    /// The encryption certificate, PEM.
    encryption_certificate: String,
}

/// How an enveloped key is written.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// DER of `SM2EnvelopedKey` (GM/T 0009-2012, 7.4).
    Der,
    /// `ENVELOPEDKEYBLOB` (GM/T 0016-2012, 6.4).
    Skf,
}

/// Where the encrypted key stands in an `ENVELOPEDKEYBLOB`. The third variant in the field needs the session key,
/// which only the token has; a token that wants it reads the same bytes of `a`.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Variant {
    /// Right-aligned.
    A,
    /// Left-aligned.
    C,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        StepView {
            account: step.account.clone(),
            at: timestamp(step.at),
        }
    }
}

impl RecoveryView {
    /// A recovery as it stands at `now`, without trail and key.
    pub(crate) fn of(recovery: &Recovery, now: OffsetDateTime) -> Self {
        let private = recovery.private.as_ref();
        let waits_since = match recovery.state {
            RecoveryState::Requested => Some(&recovery.requested),
            RecoveryState::Approved => recovery.approved.as_ref(),
            _ => None,
        };
        RecoveryView {
            recovery_id: recovery.id.to_string(),
            state: recovery.state_at(now),
            order_id: recovery.key.order.to_string(),
            serial: recovery.key.serial.clone(),
            reason: private.map(|private| private.reason.clone().into()),
            requested: StepView::from(&recovery.requested),
            approved: recovery.approved.as_ref().map(StepView::from),
            rejected: recovery.rejected.as_ref().map(StepView::from),
            rejection: private.and_then(|private| private.rejection.clone().map(String::from)),
            recovered_at: recovery.recovered_at.map(timestamp),
            expires_at: waits_since.map(|step| timestamp(step.at + PATIENCE)),
            token_key_sm3: private.map(|private| private.csr.key_sm3.clone()),
            trail: Vec::new(),
            delivery: None,
        }
    }

    /// With the entries of the audit trail that are about this recovery.
    pub(crate) fn with_trail(mut self, recovery: &Recovery, trail: Vec<AuditEntry>) -> Self {
        let is_about = |entry: &AuditEntry| {
            entry.detail.get("recovery").map(String::as_str) == Some(recovery.id.as_str())
        };
        self.trail = trail
            .into_iter()
            .filter(is_about)
            .map(|entry| TrailView {
                at: timestamp(entry.at),
                by: entry.by,
                action: entry.action,
            })
            .collect();
        self
    }

    /// With the recovered key, if it is there.
    pub(crate) fn with_delivery(
        mut self,
        recovery: &Recovery,
        form: Form,
        variant: Variant,
    ) -> Result<Self, Problem> {
        let delivery = recovery
            .private
            .as_ref()
            .and_then(|private| private.delivery.as_ref());
        let Some(delivery) = delivery else {
            return Ok(self);
        };
        let enveloped_key = match form {
            Form::Der => delivery.enveloped_key.clone(),
            Form::Skf => blob(&delivery.enveloped_key, variant).ok_or_else(|| {
                let id = &recovery.id;
                error!(recovery.id = %id, "the enveloped key of recovery {id} cannot be laid out");
                Problem::new(Code::Internal)
            })?,
        };
        self.delivery = Some(DeliveryView {
            form,
            enveloped_key,
            encryption_certificate: delivery.encryption_certificate.clone(),
        });
        Ok(self)
    }
}

/// The same enveloped key as a token's import function takes it, base64.
fn blob(enveloped_key: &str, variant: Variant) -> Option<String> {
    let layout = match variant {
        Variant::A => Layout::RightAligned,
        Variant::C => Layout::LeftAligned,
    };
    let enveloped = EnvelopedKey::from_der(&STANDARD.decode(enveloped_key).ok()?).ok()?;
    let blob = EnvelopedKeyBlob::new(&enveloped, layout).ok()?;
    Some(STANDARD.encode(blob.as_bytes()))
}
