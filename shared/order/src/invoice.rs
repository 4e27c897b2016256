//! The electronic invoice (数电发票) of an order: due once the money stays, asked for, issued, or left to people.
//!
//! The tax office forgets nothing: an invoice that was issued is never issued again, whoever asks how often.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::command::Command;
use crate::effect::Effect;
use crate::identifiers::InvoiceNumber;
use crate::order::Order;
use crate::refusal::Refusal;

/// The most times that an invoice is asked for: the first time, and again by officers after failures.
pub const MAX_ROUNDS: u8 = 20;
/// The most bytes that one file of an invoice has.
pub const MAX_FILE_BYTES: usize = 3 * 1024 * 1024;

/// The invoice of one order.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// How it stands.
    pub status: InvoiceStatus,
    /// When it came to stand so.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// 1 for the first time that it is asked for. An officer has it asked for again after a failure.
    pub round: u8,
}

/// How an invoice stands.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// The provider has to be asked.
    Due,
    /// The provider took it on, and has not said yet what became of it.
    Issuing {
        /// The provider's number of the request.
        serial: String,
    },
    /// No provider is asked: an officer makes it and uploads it.
    ByHand,
    /// The provider does not issue it: an officer looks at it.
    Failed {
        /// A word or the provider's code; its sentence, which may name people, is with the personal data.
        reason: String,
    },
    /// It exists.
    Issued(IssuedInvoice),
}

/// An invoice that exists.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedInvoice {
    /// Its number.
    pub number: InvoiceNumber,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// The files that the platform keeps of it; the PDF is always among them.
    pub files: Vec<InvoiceFormat>,
}

/// The formats of an invoice's files.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceFormat {
    /// For people.
    Pdf,
    /// GB/T 33190, for the books.
    Ofd,
    /// The data themselves.
    Xml,
}

impl InvoiceFormat {
    /// Every format.
    pub const ALL: &'static [InvoiceFormat] = &[InvoiceFormat::Pdf, InvoiceFormat::Ofd, InvoiceFormat::Xml];

    /// The name as stored and shown, and the end of file names.
    pub fn as_str(self) -> &'static str {
        match self {
            InvoiceFormat::Pdf => "pdf",
            InvoiceFormat::Ofd => "ofd",
            InvoiceFormat::Xml => "xml",
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            InvoiceFormat::Pdf => "application/pdf",
            InvoiceFormat::Ofd => "application/ofd",
            InvoiceFormat::Xml => "application/xml",
        }
    }

    /// Whether a file begins as one of this format does, and is not too large. An OFD is a ZIP archive.
    pub fn fits(self, bytes: &[u8]) -> bool {
        let begins = match self {
            InvoiceFormat::Pdf => bytes.starts_with(b"%PDF-"),
            InvoiceFormat::Ofd => bytes.starts_with(b"PK\x03\x04"),
            InvoiceFormat::Xml => bytes
                .strip_prefix(b"\xEF\xBB\xBF")
                .unwrap_or(bytes)
                .starts_with(b"<"),
        };
        begins && bytes.len() <= MAX_FILE_BYTES
    }
}

impl Invoice {
    /// An invoice that nobody has asked for yet.
    pub fn due(now: OffsetDateTime) -> Self {
        Invoice {
            status: InvoiceStatus::Due,
            since: now,
            round: 1,
        }
    }

    /// Whether the platform has to do something for it.
    pub fn is_pending(&self) -> bool {
        matches!(self.status, InvoiceStatus::Due | InvoiceStatus::Issuing { .. })
    }

    /// What was issued.
    pub fn issued(&self) -> Option<&IssuedInvoice> {
        match &self.status {
            InvoiceStatus::Issued(issued) => Some(issued),
            _ => None,
        }
    }

    /// Whether `command` tells what the invoice knows already.
    pub(crate) fn knows(&self, command: &Command) -> bool {
        match (command, &self.status) {
            (Command::RecordInvoiceRequest { serial }, InvoiceStatus::Issuing { serial: known }) => {
                serial == known
            }
            (Command::RecordInvoiceRequest { .. }, InvoiceStatus::Issued(_))
            | (Command::LeaveInvoice, InvoiceStatus::ByHand)
            | (Command::ReportInvoiceFailure { .. }, InvoiceStatus::Failed { .. }) => true,
            (
                Command::RecordInvoice { invoice } | Command::UploadInvoice { invoice },
                InvoiceStatus::Issued(known),
            ) => invoice.number == known.number,
            _ => false,
        }
    }
}

/// Changes the invoice of `order`; refused where it stands otherwise than the command thinks.
pub(crate) fn change(
    order: &mut Order,
    command: &Command,
    now: OffsetDateTime,
) -> Result<Vec<Effect>, Refusal> {
    let invoice = order.invoice.as_mut().ok_or(Refusal::InvoiceNotDue)?;
    let (status, effects) = match (command, &invoice.status) {
        // After a failure too: another try of the same errand may have heard otherwise.
        (Command::RecordInvoiceRequest { serial }, InvoiceStatus::Due | InvoiceStatus::Failed { .. }) => {
            let serial = serial.clone();
            (InvoiceStatus::Issuing { serial }, Vec::new())
        }
        (Command::LeaveInvoice, InvoiceStatus::Due) => (InvoiceStatus::ByHand, Vec::new()),
        (
            Command::RecordInvoice { invoice },
            InvoiceStatus::Due | InvoiceStatus::Issuing { .. } | InvoiceStatus::Failed { .. },
        )
        // While the provider is at work a second invoice could come into the world.
        | (Command::UploadInvoice { invoice }, InvoiceStatus::ByHand | InvoiceStatus::Failed { .. }) => {
            (InvoiceStatus::Issued(invoice.clone()), vec![Effect::SendInvoice])
        }
        (
            Command::ReportInvoiceFailure { reason, .. },
            InvoiceStatus::Due | InvoiceStatus::Issuing { .. },
        ) => {
            let reason = reason.clone();
            (InvoiceStatus::Failed { reason }, Vec::new())
        }
        (Command::RetryInvoice, InvoiceStatus::ByHand | InvoiceStatus::Failed { .. })
            if invoice.round < MAX_ROUNDS =>
        {
            invoice.round += 1;
            (InvoiceStatus::Due, vec![Effect::IssueInvoice])
        }
        _ => return Err(Refusal::InvoiceNotDue),
    };
    invoice.status = status;
    invoice.since = now;
    if invoice.is_pending() {
        order.reminders = 0;
    }
    if let Some(personal) = &mut order.personal {
        personal.invoice_failure = match command {
            Command::ReportInvoiceFailure { detail, .. } => detail.clone(),
            _ => None,
        };
    }
    Ok(effects)
}

#[cfg(test)]
mod tests {
    use super::InvoiceFormat;

    #[test]
    fn a_file_is_known_by_how_it_begins() {
        for (format, bytes) in [
            (InvoiceFormat::Pdf, b"%PDF-1.7\n".as_slice()),
            (InvoiceFormat::Ofd, b"PK\x03\x04\x14\x00"),
            (InvoiceFormat::Xml, b"\xEF\xBB\xBF<?xml version=\"1.0\"?>"),
        ] {
            for &other in InvoiceFormat::ALL {
                assert_eq!(other.fits(bytes), other == format, "{format:?} as {other:?}");
            }
            assert!(!format.fits(b""), "nothing is no {format:?}");
            assert!(!format.fits(b"<html>maintenance</html>") || format == InvoiceFormat::Xml);
        }
    }

    #[test]
    fn a_file_that_is_too_large_does_not_fit() {
        let mut bytes = b"%PDF-1.7\n".to_vec();
        bytes.resize(super::MAX_FILE_BYTES, 0);
        assert!(InvoiceFormat::Pdf.fits(&bytes));
        bytes.push(0);
        assert!(!InvoiceFormat::Pdf.fits(&bytes));
    }
}
