//! Why a certificate was revoked, and the bits that limit a list to some reasons.

/// Why a certificate was revoked (RFC 5280, 5.3.1, `CRLReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing is said; written by leaving the reason out.
    Unspecified,
    /// The private key is known to others, or may be.
    KeyCompromise,
    /// The same of a CA's key.
    CaCompromise,
    /// Something that the certificate says of its holder has changed.
    AffiliationChanged,
    /// Another certificate stands in its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// Suspended; the one reason that can be taken back.
    CertificateHold,
    /// In a list of changes: the certificate is no longer suspended, or has expired.
    RemoveFromCrl,
    /// A right that the certificate gives was withdrawn.
    PrivilegeWithdrawn,
    /// The same as a key compromise, of an attribute authority.
    AaCompromise,
}

impl Reason {
    /// All reasons, by code.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The reason with this code; 7 is not in use.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The code of `CRLReason`.
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The name in the standard.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}

/// The reasons that a distribution point covers (RFC 5280, 4.2.1.13, `ReasonFlags`): bit 0 of the BIT STRING highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ReasonFlags(pub u16);

impl ReasonFlags {
    /// All reasons that have a bit: all but "unused", bit 0.
    pub const ALL: Self = Self(0x7f80);

    /// From the content octets of a BIT STRING, whatever its unused bits; bits beyond the ninth are dropped.
    pub fn from_bit_string(value: &[u8]) -> Self {
        let octet = |at: usize| value.get(at).copied().unwrap_or(0);
        Self(u16::from_be_bytes([octet(1), octet(2)]) & 0xff80)
    }

    /// Whether all these reasons are among them.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The reasons of either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The reasons of both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
