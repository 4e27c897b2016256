//! Intakes: what the registration platform hands over, and what a form may not differ from.
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use time::Duration;
use tracing::info;
use utoipa::ToSchema;
use yinxin_lambda::idempotency::{IdempotencyKey, made_before};
use yinxin_lambda::problem::Code;
use yinxin_lambda::{Bearer, Json, Problem};
use yinxin_order::form::{ApplicationForm, Contradiction, Mailing, SealType, Subject, UnitCheck, UnitForm};
use yinxin_order::identifiers::{
    AccountName, BankAccount, BankName, Email, IdDocument, IdType, InvalidIdentifier, Mobile, PersonName,
    ResidentId, Role, UnitName,
};
use yinxin_store::StoreError;
use yinxin_store::intakes::Intake;
use yinxin_store::vault::random_bytes;

use crate::App;

/// How long an intake can be used: orders take weeks, and corrections come late.
const INTAKE_LIFETIME: Duration = Duration::days(365);

/// What the registration platform knows of a unit that wants a certificate.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntakeValues {
    /// The unit's name.
    unit_name: UnitName,
    /// The legal representative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    legal_representative: Option<LegalRepresentative>,
    /// The company account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bank: Option<CompanyAccount>,
    /// What is applied for.
    request_type: RequestType,
    /// The seal.
    seal_type: SealType,
    /// Where the UKey is mailed.
    mailing: Mailing,
    /// Who acts for the unit.
    handler: IntakeHandler,
}

/// A unit's legal representative.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LegalRepresentative {
    name: PersonName,
    id_number: ResidentId,
    mobile: Mobile,
}

/// A unit's account.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompanyAccount {
    /// The bank.
    name: BankName,
    /// The number.
    account: BankAccount,
    /// The name that it is held under.
    account_name: AccountName,
}

/// Who acts for the unit.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IntakeHandler {
    name: PersonName,
    #[serde(default = "resident_id")]
    id_type: IdType,
    /// In the form of its type.
    id_number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    mobile: Mobile,
    email: Email,
}

fn resident_id() -> IdType {
    IdType::ResidentId
}

impl IntakeHandler {
    fn id_document(&self) -> Result<IdDocument, InvalidIdentifier> {
        IdDocument::new(self.id_type, &self.id_number)
    }
}

/// What an intake applies for (申请类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestType {
    /// A new certificate (新办).
    New,
    /// A lost or broken UKey is replaced (丢失/补办).
    Replacement,
    /// The unit's name changed (变更).
    Change,
}

/// A kept intake.
#[derive(Serialize, ToSchema)]
pub struct IntakeCreated {
    /// Its id.
    uid: String,
    /// Where the user's browser goes.
    portal_url: String,
}

/// Keeps the registered values of a unit; the user continues at the portal.
#[utoipa::path(post, path = "/api/intakes", tag = "registration platform", security(("system" = [])),
    params(("Idempotency-Key" = String, Header, description = "16 to 128 characters; a repeated call is answered as the first one")),
    request_body = IntakeValues,
    responses((status = 201, body = IntakeCreated), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn create_intake(
    State(app): State<App>,
    bearer: Bearer,
    key: IdempotencyKey,
    Json(values): Json<IntakeValues>,
) -> Result<(StatusCode, Json<IntakeCreated>), Problem> {
    let platform = &app.platform;
    let system = platform.system(&bearer).await?;
    values
        .handler
        .id_document()
        .map_err(|invalid| Problem::from(invalid).at("/handler/id_number"))?;
    if values.seal_type.subject() != Subject::Unit {
        return Err(Problem::from(Contradiction::SealType).at("/seal_type"));
    }
    let now = platform.now();
    let values = serde_json::to_string(&values).map_err(|_| Problem::new(Code::Internal))?;
    let uid = hex::encode(random_bytes::<16>());
    let hashes = platform.vault.hashes().await?;
    let claim = key.claim(&hashes, &format!("intakes of {system}"), &values, &uid, now);
    if let Some(uid) = made_before(platform.orders.as_ref(), &claim, now).await? {
        return Ok(app.intake_answer(uid));
    }
    let intake = Intake {
        uid,
        system,
        values,
        expires_at: (now + INTAKE_LIFETIME).unix_timestamp(),
    };
    match platform.intakes.put_intake(&intake, &claim).await {
        Ok(()) => {
            info!(
                intake = intake.uid,
                system = intake.system,
                "intake {} was kept",
                intake.uid
            );
            Ok(app.intake_answer(intake.uid))
        }
        // The same call was first in another process.
        Err(StoreError::Claimed("idempotency")) => {
            match made_before(platform.orders.as_ref(), &claim, now).await? {
                Some(uid) => Ok(app.intake_answer(uid)),
                None => Err(Problem::new(Code::Busy)),
            }
        }
        Err(error) => Err(error.into()),
    }
}

impl App {
    fn intake_answer(&self, uid: String) -> (StatusCode, Json<IntakeCreated>) {
        let portal_url = format!("{}/?intake={uid}", self.platform.settings.public_url);
        (StatusCode::CREATED, Json(IntakeCreated { uid, portal_url }))
    }

    /// Refuses a form whose values differ from those that the registration platform handed over.
    pub async fn compare_with_intake(&self, uid: &str, form: &ApplicationForm) -> Result<(), Problem> {
        let unknown = || Problem::new(Code::NoSuchIntake).at("/intake");
        let is_uid = uid.len() == 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_uid {
            return Err(unknown());
        }
        let intake = match self.platform.intakes.intake(uid).await {
            Err(StoreError::NotFound) => return Err(unknown()),
            found => found?,
        };
        // DynamoDB forgets expired items when it likes, so the age is judged here.
        if intake.expires_at <= self.platform.now().unix_timestamp() {
            return Err(unknown());
        }
        let values: IntakeValues = serde_json::from_str(&intake.values)
            .map_err(|_| StoreError::Corrupt("the values of an intake".to_owned()))?;
        if values.request_type != RequestType::New {
            return Err(Problem::new(Code::IntakeDiffers)
                .because("the intake is not for a new certificate")
                .at("/intake"));
        }
        match values.difference(form) {
            None => Ok(()),
            Some(pointer) => Err(Problem::new(Code::IntakeDiffers).at(pointer)),
        }
    }
}

impl IntakeValues {
    /// The first place where the form differs.
    fn difference(&self, form: &ApplicationForm) -> Option<&'static str> {
        let ApplicationForm::Unit(form) = form else {
            return Some("/form/subject");
        };
        let handler = &form.handler;
        let same_document = self
            .handler
            .id_document()
            .is_ok_and(|document| document == handler.id_document);
        let same_role = self
            .handler
            .role
            .as_ref()
            .is_none_or(|role| Some(role) == handler.role.as_ref());
        let comparisons = [
            ("/form/unit_name", self.unit_name.is_same(form.unit_name.as_str())),
            (
                "/form/handler/name",
                self.handler.name.is_same(handler.name.as_str()),
            ),
            ("/form/handler/id_document", same_document),
            ("/form/handler/role", same_role),
            ("/form/handler/mobile", self.handler.mobile == handler.mobile),
            ("/form/handler/email", self.handler.email == handler.email),
            ("/form/seal_type", self.seal_type == form.seal_type),
            ("/form/mailing", self.mailing == form.mailing),
        ];
        let different = comparisons.into_iter().find(|(_, same)| !same);
        different
            .map(|(pointer, _)| pointer)
            .or_else(|| self.check_difference(form))
    }

    /// The unit's check may go only by what is registered, where something is.
    fn check_difference(&self, form: &UnitForm) -> Option<&'static str> {
        match &form.unit_check {
            UnitCheck::LegalRepresentativeMobile {
                name,
                id_number,
                mobile,
            } => {
                let registered = self.legal_representative.as_ref()?;
                if !registered.is(name, id_number) {
                    Some("/form/unit_check")
                } else if registered.mobile != *mobile {
                    Some("/form/unit_check/mobile")
                } else {
                    None
                }
            }
            // The mobile is the one that the bank knows, which need not be the registered one.
            UnitCheck::LegalRepresentativeCard { name, id_number, .. } => {
                let registered = self.legal_representative.as_ref()?;
                (!registered.is(name, id_number)).then_some("/form/unit_check")
            }
            UnitCheck::CompanyAccount {
                account_name,
                account_number,
                bank,
                ..
            } => {
                let registered = self.bank.as_ref()?;
                let is_same = registered.account == *account_number
                    && registered.name == *bank
                    && registered.account_name == *account_name;
                (!is_same).then_some("/form/unit_check")
            }
        }
    }
}

impl LegalRepresentative {
    fn is(&self, name: &PersonName, id_number: &ResidentId) -> bool {
        self.name.is_same(name.as_str()) && self.id_number == *id_number
    }
}
