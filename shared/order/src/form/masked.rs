//! What others than the applicant see of a form.
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApplicationForm, SealType, Subject};

/// A form with its personal values masked, for lists and progress pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MaskedForm {
    /// The kind of holder.
    pub subject: Subject,
    /// The holder's name: a unit's whole, a person's as `测*`.
    #[schema(example = "测*")]
    pub holder_name: String,
    /// The holder's number as `430...97`.
    #[schema(example = "430...97")]
    pub holder_number: String,
    /// The handler's or the person's name.
    #[schema(example = "测*")]
    pub contact_name: String,
    /// The number of the handler's or the person's identity document.
    #[schema(example = "430...97")]
    pub contact_id_number: String,
    /// The handler's or the person's mobile.
    #[schema(example = "151****0305")]
    pub contact_mobile: String,
    /// The handler's or the person's e-mail address.
    #[schema(example = "h***@example.com")]
    pub contact_email: String,
    /// The seal.
    pub seal_type: SealType,
}

impl ApplicationForm {
    /// The view for others.
    pub fn masked(&self) -> MaskedForm {
        let (holder_name, holder_number) = match self {
            // A unit's name is public: registers and certificates bear it.
            Self::Unit(form) => (form.unit_name.as_str().to_owned(), form.credit_code.masked()),
            Self::Person(form) => (form.name.masked(), form.id_document.masked()),
        };
        MaskedForm {
            subject: self.subject(),
            holder_name,
            holder_number,
            contact_name: self.contact_name().masked(),
            contact_id_number: self.contact_document().masked(),
            contact_mobile: self.notice_mobile().masked(),
            contact_email: self.notice_email().masked(),
            seal_type: self.seal_type(),
        }
    }
}
