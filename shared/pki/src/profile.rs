//! Certificate profiles as code (GM/T 0015-2012, GB/T 20518-2018): what each kind of certificate says, written as
//! to-be-signed bytes. Signing is another step, so that the bytes can be recorded and linted in between.

use const_oid::ObjectIdentifier;
use rand_core::CryptoRng;
use time::{Date, Duration, OffsetDateTime};

use crate::certificate::{Certificate, KeyUsage, write_sm2_with_sm3};
use crate::der;
use crate::key::{KeyForm, PublicKey};
use crate::name::Name;
use crate::oid;

pub(crate) mod extension;
mod extensions;

/// The kinds of certificates that the platform issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A vendor's self-signed root.
    RootCa,
    /// The CA under the root that issues to subscribers.
    IssuingCa,
    /// A subscriber's signing certificate; its key was made in the token.
    Signing,
    /// A subscriber's encryption certificate; its key was made by the CA and is escrowed.
    Encryption,
    /// Signs answers about the status of an issuing CA's certificates (RFC 6960, 4.2.2.2).
    OcspResponder,
    /// Signs time stamps (RFC 3161, GM/T 0033).
    TimeStamp,
    /// Signs electronic seals (GB/T 38540, the seal maker).
    SealMaker,
    /// A vendor's officer or operator: signs in, and signs what he decides.
    Officer,
    /// Signs the list of trusted CAs (after ETSI TS 119 612, 5.7.1).
    TrustListSigner,
    /// Signs tickets, the platform's permissions for signer agents, which pin it.
    TicketSigner,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 10] = [
        Self::RootCa,
        Self::IssuingCa,
        Self::Signing,
        Self::Encryption,
        Self::OcspResponder,
        Self::TimeStamp,
        Self::SealMaker,
        Self::Officer,
        Self::TrustListSigner,
        Self::TicketSigner,
    ];

    /// The key usage that the profile demands.
    pub fn key_usage(self) -> KeyUsage {
        match self {
            Self::RootCa | Self::IssuingCa => KeyUsage::CA,
            Self::Signing | Self::TimeStamp | Self::SealMaker | Self::Officer | Self::TrustListSigner => {
                KeyUsage::SIGNING
            }
            Self::Encryption => KeyUsage::ENCRYPTION,
            Self::OcspResponder | Self::TicketSigner => KeyUsage(0x80),
        }
    }

    /// The purposes that the profile demands, in their order; empty if the extension is left out.
    pub fn purposes(self) -> &'static [ObjectIdentifier] {
        match self {
            Self::RootCa
            | Self::IssuingCa
            | Self::Signing
            | Self::Encryption
            | Self::SealMaker
            | Self::TicketSigner => &[],
            Self::OcspResponder => &[oid::OCSP_SIGNING],
            Self::TimeStamp => &[oid::TIME_STAMPING],
            Self::Officer => &[oid::CLIENT_AUTH, oid::EMAIL_PROTECTION],
            Self::TrustListSigner => &[oid::TRUST_LIST_SIGNING],
        }
    }

    /// Whether certificates of this profile sign certificates.
    pub fn is_ca(self) -> bool {
        matches!(self, Self::RootCa | Self::IssuingCa)
    }

    /// The longest validity in years.
    pub fn max_years(self) -> u8 {
        match self {
            Self::RootCa => 30,
            Self::IssuingCa => 20,
            Self::Signing | Self::Encryption | Self::TimeStamp => 10,
            Self::SealMaker | Self::TrustListSigner => 5,
            Self::Officer | Self::TicketSigner => 3,
            // It says itself that nobody asks about it, so it must not live long.
            Self::OcspResponder => 1,
        }
    }

    /// Writes the to-be-signed bytes (DER `TBSCertificate`).
    pub fn to_tbs(self, content: &Content<'_>) -> Vec<u8> {
        let validity = der::sequence(&[
            &der::write_time(content.validity.not_before),
            &der::write_time(content.validity.not_after),
        ]);
        der::sequence(&[
            &der::explicit(0, &der::integer(&[2])),
            &der::integer(content.serial.as_bytes()),
            &write_sm2_with_sm3(),
            content.issuer.name.as_der(),
            &validity,
            content.subject.as_der(),
            &content.public_key.to_spki_der_as(content.key_form),
            &der::explicit(3, &extensions::write(self, content)),
        ])
    }
}

/// What a certificate says, apart from what its profile fixes.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The serial number.
    pub serial: &'a Serial,
    /// Who signs.
    pub issuer: &'a Issuer,
    /// The first and the last second.
    pub validity: Validity,
    /// Whom the certificate names.
    pub subject: &'a Name,
    /// The subject's key.
    pub public_key: &'a PublicKey,
    /// How the algorithm of the key is named.
    pub key_form: KeyForm,
    /// The subject's number in a public register, if it has one that the standard provides for.
    pub identity: Option<&'a Identity>,
    /// Where readers ask about the certificate.
    pub services: &'a Services,
}

/// Who signs, as the certificate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    name: Name,
    key_identifier: Vec<u8>,
}

impl Issuer {
    /// A root that signs itself.
    pub fn itself(name: Name, public_key: &PublicKey) -> Self {
        Self {
            name,
            key_identifier: public_key.key_identifier().to_vec(),
        }
    }

    /// The holder of this CA certificate. One without a key identifier gives certificates that their lints refuse.
    pub fn of(certificate: &Certificate) -> Self {
        let key_identifier = certificate.subject_key_identifier().unwrap_or_default().to_vec();
        Self {
            name: certificate.subject().clone(),
            key_identifier,
        }
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }
}

/// A serial number: 16 bytes, positive, 126 random bits, always the same length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serial([u8; 16]);

impl Serial {
    /// A random serial number.
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        // Positive, and no leading zero octet that DER would drop.
        bytes[0] = (bytes[0] & 0x7f) | 0x40;
        Self(bytes)
    }

    /// The big-endian bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Lower-case hexadecimal, 32 characters.
    pub fn to_hex(&self) -> String {
        crate::certificate::hex(&self.0)
    }
}

/// The first and the last second of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: OffsetDateTime,
    /// The last second.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// From this second for whole years: the last second is the one before the anniversary. A term from
    /// 29 February ends at the start of 1 March. `None` beyond the calendar.
    pub fn years(from: OffsetDateTime, years: u8) -> Option<Self> {
        let not_before = from.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).ok()?;
        let year = not_before.year().checked_add(i32::from(years))?;
        let date = match Date::from_calendar_date(year, not_before.month(), not_before.day()) {
            Ok(date) => date,
            Err(_) => Date::from_calendar_date(year, time::Month::March, 1).ok()?,
        };
        let not_after = not_before.replace_date(date).checked_sub(Duration::SECOND)?;
        Some(Self {
            not_before,
            not_after,
        })
    }
}

/// The subject's number in a public register.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity {
    /// A unit: unified social credit code, 18 characters, written as `OrganizationCode`.
    CreditCode(String),
    /// A person: number of the resident identity card.
    ResidentId(String),
    /// A person: number of the military officer's card.
    MilitaryOfficer(String),
    /// A person: number of the passport.
    Passport(String),
    /// A person: number of the social insurance.
    Insurance(String),
    /// A unit: number of the business registration, from before unified codes.
    BusinessRegistration(String),
    /// A unit: number at the tax authority.
    Tax(String),
}

impl Identity {
    /// Whether the number has only characters that its extension can hold, and not too many.
    pub fn is_writable(&self) -> bool {
        let (Self::CreditCode(number)
        | Self::ResidentId(number)
        | Self::MilitaryOfficer(number)
        | Self::Passport(number)
        | Self::Insurance(number)
        | Self::BusinessRegistration(number)
        | Self::Tax(number)) = self;
        let printable = matches!(self, Self::MilitaryOfficer(_)) || der::printable_string(number).is_some();
        printable && (1..=64).contains(&number.chars().count()) && !number.chars().any(char::is_control)
    }
}

// The number identifies a person: only its kind is printed.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CreditCode(_) => "CreditCode(..)",
            Self::ResidentId(_) => "ResidentId(..)",
            Self::MilitaryOfficer(_) => "MilitaryOfficer(..)",
            Self::Passport(_) => "Passport(..)",
            Self::Insurance(_) => "Insurance(..)",
            Self::BusinessRegistration(_) => "BusinessRegistration(..)",
            Self::Tax(_) => "Tax(..)",
        })
    }
}

/// Where readers ask about a certificate, and under which policy it was issued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services {
    /// HTTP URL of the issuer's certificate revocation list.
    pub crl: Option<String>,
    /// HTTP URL of the issuer's OCSP responder.
    pub ocsp: Option<String>,
    /// HTTP URL of the issuer's certificate.
    pub ca_issuers: Option<String>,
    /// The vendor's policy.
    pub policy: Option<ObjectIdentifier>,
}

/// Puts recorded to-be-signed bytes and a DER signature together: the certificate, DER.
pub fn assemble(tbs: &[u8], signature: &[u8]) -> Vec<u8> {
    der::sequence(&[tbs, &write_sm2_with_sm3(), &der::bit_string(0, signature)])
}
