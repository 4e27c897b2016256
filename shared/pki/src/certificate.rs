//! Certificates as they come: read leniently, raw bytes kept, never re-encoded.

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use crate::algorithm::{SignatureAlgorithm, SubjectKey, VerifyError};
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::key::{KeyError, PublicKey};
use crate::name::Name;
use crate::oid;
use crate::pem;

/// A certificate larger than this is not read.
pub const MAX_BYTES: usize = 64 * 1024;

/// Why bytes are not a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is larger than [`MAX_BYTES`].
    #[error("the certificate is too large")]
    TooLarge,
    /// The structure is broken.
    #[error("the certificate is malformed")]
    Malformed(#[source] DerError),
    /// The text is not a PEM certificate.
    #[error("the text is not a PEM certificate")]
    Pem,
    /// The public key is malformed, or an SM2 key that is not usable.
    #[error("the key of the certificate is not usable")]
    Key(#[source] KeyError),
    /// Its two algorithm fields differ.
    #[error("the certificate names two different signature algorithms")]
    Algorithm,
}

impl From<DerError> for CertificateError {
    fn from(error: DerError) -> Self {
        Self::Malformed(error)
    }
}

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub oid: ObjectIdentifier,
    /// Whether a reader that does not know it must refuse the certificate.
    pub critical: bool,
    /// The content of extnValue.
    pub value: Vec<u8>,
}

/// What is to be signed, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TbsCertificate {
    pub(crate) der: Vec<u8>,
    pub(crate) version: u8,
    pub(crate) serial: Vec<u8>,
    pub(crate) signature_algorithm: SignatureAlgorithm,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) issuer: Name,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Name,
    pub(crate) spki: Vec<u8>,
    pub(crate) key: SubjectKey,
    pub(crate) extensions: Vec<Extension>,
}

/// A certificate: to-be-signed part, signature, and the bytes as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: TbsCertificate,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads a DER certificate. Nothing is verified yet.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > MAX_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let tbs = fields.expect(tag::SEQUENCE)?;
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature = fields.expect(tag::BIT_STRING)?.whole_bits()?.to_vec();
        fields.finish()?;
        let tbs = TbsCertificate::from_der(tbs.raw)?;
        // RFC 5280, 4.1.1.2: the inner and the outer identifier must be the same.
        if algorithm.raw != tbs.algorithm {
            return Err(CertificateError::Algorithm);
        }
        Ok(Self {
            der: bytes.to_vec(),
            tbs,
            signature,
        })
    }

    /// Reads the one PEM certificate of a text.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let der = pem::decode_one(pem::CERTIFICATE, text).map_err(|_| CertificateError::Pem)?;
        Self::from_der(&der)
    }

    /// The certificate as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, &self.der)
    }

    /// The to-be-signed part.
    pub fn tbs(&self) -> &TbsCertificate {
        &self.tbs
    }

    /// The DER signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The serial number as the content octets of its INTEGER, so that negative ones, which CAs of old have issued, stay apart.
    pub fn serial_content(&self) -> &[u8] {
        &self.tbs.serial
    }

    /// The serial number: big-endian, without leading zeros.
    pub fn serial(&self) -> &[u8] {
        self.tbs.serial_magnitude()
    }

    /// The serial number in lower-case hexadecimal.
    pub fn serial_hex(&self) -> String {
        self.tbs.serial_hex()
    }

    /// The subject.
    pub fn subject(&self) -> &Name {
        &self.tbs.subject
    }

    /// The issuer.
    pub fn issuer(&self) -> &Name {
        &self.tbs.issuer
    }

    /// The subject's key.
    pub fn key(&self) -> &SubjectKey {
        &self.tbs.key
    }

    /// The subject's key, if it is an SM2 key.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.tbs.key.sm2()
    }

    /// How the issuer signed.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.tbs.signature_algorithm
    }

    /// Verifies the issuer's signature with the issuer's key, and nothing else.
    pub fn verify_signature(&self, issuer: &SubjectKey) -> Result<(), VerifyError> {
        issuer.verify(self.signature_algorithm(), &self.tbs.der, &self.signature)
    }

    /// The first second of validity.
    pub fn not_before(&self) -> OffsetDateTime {
        self.tbs.not_before
    }

    /// The last second of validity.
    pub fn not_after(&self) -> OffsetDateTime {
        self.tbs.not_after
    }

    /// The bits of the key usage.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.tbs.key_usage()
    }

    /// Whether the basic constraints say that this is a CA.
    pub fn is_ca(&self) -> bool {
        self.tbs.is_ca()
    }

    /// The subject key identifier.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.tbs.subject_key_identifier()
    }

    /// The content of the extension of this type.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.tbs.extension(oid)
    }

    /// The unified social credit code that the certificate names (GM/T 0015, `OrganizationCode`), whichever
    /// string type its CA chose.
    pub fn organization_code(&self) -> Option<String> {
        let value = &self.extension(oid::ORGANIZATION_CODE)?.value;
        Tlv::whole(value).and_then(der::text).ok()
    }
}

impl TbsCertificate {
    /// Reads the DER of a to-be-signed certificate.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let version = match fields.optional(0xa0)? {
            Some(explicit) => match der::unsigned(Tlv::whole_of(tag::INTEGER, explicit.value)?)? {
                [] => 0,
                [version] => *version,
                _ => return Err(DerError::Value.into()),
            },
            None => 0,
        };
        let serial = fields.expect(tag::INTEGER)?.value;
        if serial.is_empty() {
            return Err(DerError::Value.into());
        }
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature_algorithm = SignatureAlgorithm::from_der(algorithm)?;
        let issuer = Name::from_der(fields.expect(tag::SEQUENCE)?.raw)?;
        let validity = fields.expect(tag::SEQUENCE)?;
        let mut times = validity.reader();
        let (not_before, not_after) = (der::time(times.any()?)?, der::time(times.any()?)?);
        times.finish()?;
        let subject = Name::from_der(fields.expect(tag::SEQUENCE)?.raw)?;
        let spki = fields.expect(tag::SEQUENCE)?.raw;
        let key = SubjectKey::from_spki_der(spki).map_err(CertificateError::Key)?;
        fields.optional(0x81)?;
        fields.optional(0x82)?;
        let extensions = match fields.optional(0xa3)? {
            Some(explicit) => read_extensions(Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader())?,
            None => Vec::new(),
        };
        fields.finish()?;
        Ok(Self {
            der: bytes.to_vec(),
            version,
            serial: serial.to_vec(),
            signature_algorithm,
            algorithm: algorithm.raw.to_vec(),
            issuer,
            not_before,
            not_after,
            validity: validity.raw.to_vec(),
            subject,
            spki: spki.to_vec(),
            key,
            extensions,
        })
    }

    /// The bytes that are signed.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The serial number in lower-case hexadecimal.
    pub fn serial_hex(&self) -> String {
        hex(self.serial_magnitude())
    }

    fn serial_magnitude(&self) -> &[u8] {
        let zeros = self.serial.iter().take_while(|octet| **octet == 0).count();
        &self.serial[zeros..]
    }

    /// The subject.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The subject's key, if it is an SM2 key.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.key.sm2()
    }

    /// The subject's key as its `SubjectPublicKeyInfo`, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// All extensions in their order.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The extension of this type.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// The bits of the key usage; `None` if absent or not a bit string.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        let bits = Tlv::whole_of(tag::BIT_STRING, &self.extension(oid::KEY_USAGE)?.value)
            .ok()?
            .value;
        // Unused bits are not checked: real certificates carry them wrong (`03 02 00 C0`).
        bits.get(1).copied().map(KeyUsage)
    }

    /// Whether the basic constraints say that this is a CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints().is_some_and(|constraints| constraints.0)
    }

    /// The number of further CAs that may follow, if limited.
    pub fn path_length(&self) -> Option<u8> {
        self.basic_constraints().and_then(|constraints| constraints.1)
    }

    /// The subject key identifier.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        let value = &self.extension(oid::SUBJECT_KEY_IDENTIFIER)?.value;
        Some(Tlv::whole_of(tag::OCTET_STRING, value).ok()?.value)
    }

    /// The key identifier of the issuer's key.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        key_identifier(&self.extension(oid::AUTHORITY_KEY_IDENTIFIER)?.value)
    }

    fn basic_constraints(&self) -> Option<(bool, Option<u8>)> {
        let value = &self.extension(oid::BASIC_CONSTRAINTS)?.value;
        let mut fields = Tlv::whole_of(tag::SEQUENCE, value).ok()?.reader();
        let ca = match fields.optional(tag::BOOLEAN).ok()? {
            Some(element) => der::boolean(element).ok()?,
            None => false,
        };
        let path_length = match fields.optional(tag::INTEGER).ok()? {
            Some(element) => match der::unsigned(element).ok()? {
                [] => Some(0),
                [length] => Some(*length),
                _ => return None,
            },
            None => None,
        };
        Some((ca, path_length))
    }
}

/// The first eight bits of keyUsage (RFC 5280, 4.2.1.3), digitalSignature highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage(pub u8);

impl KeyUsage {
    /// digitalSignature and nonRepudiation: a signing certificate.
    pub const SIGNING: Self = Self(0xc0);
    /// keyEncipherment, dataEncipherment and keyAgreement: an encryption certificate.
    pub const ENCRYPTION: Self = Self(0x38);
    /// keyCertSign and cRLSign: a CA.
    pub const CA: Self = Self(0x06);

    /// Whether all these bits are set.
    pub fn contains(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// Whether the key signs for its holder.
    pub fn signs(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Whether the key only decrypts: in a double certificate, the encryption one.
    pub fn only_decrypts(self) -> bool {
        self.0 & 0x30 != 0 && !self.signs()
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
        text
    })
}

/// The keyIdentifier `[0]` of an `AuthorityKeyIdentifier`.
pub(crate) fn key_identifier(value: &[u8]) -> Option<&[u8]> {
    let mut fields = Tlv::whole_of(tag::SEQUENCE, value).ok()?.reader();
    Some(fields.optional(0x80).ok()??.value)
}

/// SEQUENCE OF Extension.
pub(crate) fn read_extensions(mut list: Reader<'_>) -> Result<Vec<Extension>, DerError> {
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut fields = list.expect(tag::SEQUENCE)?.reader();
        let oid = der::object_identifier(fields.any()?)?;
        let critical = fields.optional(tag::BOOLEAN)?.map_or(Ok(false), der::boolean)?;
        let value = fields.expect(tag::OCTET_STRING)?.value.to_vec();
        fields.finish()?;
        extensions.push(Extension { oid, critical, value });
    }
    Ok(extensions)
}

/// Whether an `AlgorithmIdentifier` is SM2 with SM3; its parameters may be absent or NULL.
pub(crate) fn sm2_with_sm3(algorithm: Tlv<'_>) -> bool {
    let mut fields = algorithm.reader();
    let known = fields.any().and_then(der::object_identifier) == Ok(oid::SM2_WITH_SM3);
    known && fields.optional(tag::NULL).is_ok() && fields.is_empty()
}

/// `AlgorithmIdentifier` of SM2 with SM3, parameters absent.
pub(crate) fn write_sm2_with_sm3() -> Vec<u8> {
    der::sequence(&[&der::oid(oid::SM2_WITH_SM3)])
}
