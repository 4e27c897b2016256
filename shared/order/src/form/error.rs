//! Why a form is refused as a whole, though each of its values may be well-formed.
use crate::identifiers::{InvalidIdentifier, coded_error};

coded_error! {
    /// Values of a form that do not fit together.
    Contradiction {
        AccountName => "account-name-differs", "the company account must be held under the unit's name";
        InvoiceTitle => "invoice-title-personal", "an invoice with a tax number must not be made out to 个人";
        InvoiceTaxNumber => "invoice-tax-number-missing", "an invoice that is made out to an employer needs the employer's tax number";
        SealType => "seal-type-unfit", "this type of seal belongs to the other kind of subject";
    }
}

/// Why a form is refused. The first two read like serde's own errors, because that is what they are to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidForm {
    /// A field that the form's subject or method needs is missing.
    #[error("missing field `{0}`")]
    Missing(&'static str),
    /// A field that the form's subject or method does not have.
    #[error("unknown field `{0}`, it does not go with the chosen subject or method")]
    Unknown(&'static str),
    /// Values that do not fit together.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// A value that is malformed in this place.
    #[error(transparent)]
    Identifier(#[from] InvalidIdentifier),
}
