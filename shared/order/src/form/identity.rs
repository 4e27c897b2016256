//! What the identity checks of a form ask a provider, in the order in which they are to be asked.
use super::{ApplicationForm, HandlerCheck, PersonCheck, UnitCheck};
use crate::identifiers::{BankCard, CreditCode, IdDocument, Mobile, PersonName, UnitName};
use crate::order::MaskedValues;

/// One question to an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityCheck<'a> {
    /// The part of the form that is at fault if the answer is no, as a JSON pointer.
    pub pointer: &'static str,
    /// What must belong together.
    pub elements: Elements<'a>,
}

/// Values that must belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elements<'a> {
    /// A unit's name and code, and its legal representative where the form names one.
    Unit {
        /// The unit's name.
        name: &'a UnitName,
        /// Its credit code.
        credit_code: &'a CreditCode,
        /// The legal representative's name and identity document.
        legal_representative: Option<(&'a PersonName, IdDocument)>,
    },
    /// A person's name and document.
    Person {
        /// The name.
        name: &'a PersonName,
        /// The document.
        id_document: IdDocument,
    },
    /// A person and a mobile.
    Mobile {
        /// The name.
        name: &'a PersonName,
        /// The document.
        id_document: IdDocument,
        /// The mobile.
        mobile: &'a Mobile,
    },
    /// A person, a bank card, and the mobile that the bank knows.
    Card {
        /// The name.
        name: &'a PersonName,
        /// The document.
        id_document: IdDocument,
        /// The card.
        card: &'a BankCard,
        /// The mobile.
        mobile: &'a Mobile,
    },
}

impl Elements<'_> {
    /// The person's document, where the question is about a person.
    pub fn id_document(&self) -> Option<&IdDocument> {
        match self {
            Self::Unit {
                legal_representative, ..
            } => legal_representative.as_ref().map(|(_, document)| document),
            Self::Person { id_document, .. }
            | Self::Mobile { id_document, .. }
            | Self::Card { id_document, .. } => Some(id_document),
        }
    }

    /// The mobile, where the question is about one.
    pub fn mobile(&self) -> Option<&Mobile> {
        match self {
            Self::Unit { .. } | Self::Person { .. } => None,
            Self::Mobile { mobile, .. } | Self::Card { mobile, .. } => Some(mobile),
        }
    }

    /// What may be kept of the values with the evidence that they were checked.
    pub fn masked(&self) -> MaskedValues {
        let card = match self {
            Self::Card { card, .. } => Some(card),
            Self::Unit { .. } | Self::Person { .. } | Self::Mobile { .. } => None,
        };
        MaskedValues {
            id_number: self
                .id_document()
                .map(|document| starred(document.number(), 3, 4)),
            mobile: self.mobile().map(|mobile| starred(mobile.as_str(), 3, 4)),
            card_ending: card.map(|card| {
                let digits = card.as_str();
                digits[digits.len().saturating_sub(CARD_ENDING)..].to_owned()
            }),
        }
    }
}

/// So much of a card's number may be kept; card numbers are digits.
const CARD_ENDING: usize = 4;

/// Keeps `head` characters in front and `tail` at the end; of a short text nothing.
fn starred(text: &str, head: usize, tail: usize) -> String {
    let count = text.chars().count();
    let keeps = count >= MIN_STARRED;
    text.chars()
        .enumerate()
        .map(|(place, c)| {
            let is_shown = keeps && (place < head || place >= count - tail);
            if is_shown { c } else { '*' }
        })
        .collect()
}

/// A number that is shorter than a mobile would be nearly whole with its ends shown.
const MIN_STARRED: usize = 11;

impl ApplicationForm {
    /// What to ask an identity provider before an order is created.
    pub fn identity_checks(&self) -> Vec<IdentityCheck<'_>> {
        match self {
            Self::Unit(form) => {
                let mut checks = Vec::with_capacity(3);
                let unit = |legal_representative| IdentityCheck {
                    pointer: "/credit_code",
                    elements: Elements::Unit {
                        name: &form.unit_name,
                        credit_code: &form.credit_code,
                        legal_representative,
                    },
                };
                let mut ask = |pointer, elements| checks.push(IdentityCheck { pointer, elements });
                match &form.unit_check {
                    UnitCheck::LegalRepresentativeMobile {
                        name,
                        id_number,
                        mobile,
                    } => {
                        let id_document = IdDocument::ResidentId(id_number.clone());
                        let question = unit(Some((name, id_document.clone())));
                        ask(question.pointer, question.elements);
                        ask(
                            "/unit_check",
                            Elements::Mobile {
                                name,
                                id_document,
                                mobile,
                            },
                        );
                    }
                    UnitCheck::LegalRepresentativeCard {
                        name,
                        id_number,
                        card_number,
                        mobile,
                    } => {
                        let id_document = IdDocument::ResidentId(id_number.clone());
                        let question = unit(Some((name, id_document.clone())));
                        ask(question.pointer, question.elements);
                        ask(
                            "/unit_check",
                            Elements::Card {
                                name,
                                id_document,
                                card: card_number,
                                mobile,
                            },
                        );
                    }
                    // The account itself is proven by the transfer whose memo the unit must read.
                    UnitCheck::CompanyAccount { .. } => {
                        let question = unit(None);
                        ask(question.pointer, question.elements);
                    }
                }
                let (name, mobile) = (&form.handler.name, &form.handler.mobile);
                let id_document = form.handler.id_document.clone();
                let elements = match &form.handler_check {
                    HandlerCheck::Mobile => Elements::Mobile {
                        name,
                        id_document,
                        mobile,
                    },
                    HandlerCheck::BankCard { card_number: card } => Elements::Card {
                        name,
                        id_document,
                        card,
                        mobile,
                    },
                };
                ask("/handler_check", elements);
                checks
            }
            Self::Person(form) => {
                let (name, mobile) = (&form.name, &form.mobile);
                let id_document = form.id_document.clone();
                let elements = match &form.identity_check {
                    PersonCheck::Mobile => Elements::Mobile {
                        name,
                        id_document,
                        mobile,
                    },
                    PersonCheck::BankCard { card_number: card } => Elements::Card {
                        name,
                        id_document,
                        card,
                        mobile,
                    },
                    // The account itself is proven by the transfer whose memo the person must read.
                    PersonCheck::BankAccount { .. } => Elements::Person { name, id_document },
                };
                vec![IdentityCheck {
                    pointer: "/identity_check",
                    elements,
                }]
            }
        }
    }
}
