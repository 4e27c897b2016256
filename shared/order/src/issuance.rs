//! What personalisation leaves on an order: request, certificates, the confirmed write.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The certificate request that an operator's agent made in a UKey.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmittedCsr {
    /// The PKCS#10 request, PEM.
    pub pem: String,
    /// SM3 of its subject public key info, hex: tells one key from another.
    pub key_sm3: String,
}

/// The dual certificates and what belongs to them.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certificates {
    /// The signing certificate, PEM.
    pub signing_certificate: String,
    /// The encryption certificate, PEM.
    pub encryption_certificate: String,
    /// The issuing CA first, the root last, PEM each.
    pub chain: Vec<String>,
    /// The encryption key pair as `SM2EnvelopedKey` (GM/T 0009), DER in base64.
    pub enveloped_key: String,
    /// SM3 of the signing certificate's DER, hex.
    pub signing_certificate_sm3: String,
    /// SM3 of the encryption certificate's DER, hex.
    pub encryption_certificate_sm3: String,
}

/// What the agent read back from the UKey.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenToken {
    /// The UKey's serial number (介质号).
    pub token_serial: String,
    /// SM3 of the signing certificate that was read back, hex.
    pub signing_certificate_sm3: String,
    /// SM3 of the encryption certificate that was read back, hex.
    pub encryption_certificate_sm3: String,
    /// Which report it was: a repeated one is the same, one with another password is not.
    pub report: String,
}
