//! Making and opening GM/T 0010-2012 `EnvelopedData`: a session key under SM2, the content under SM4-CBC.
//!
//! Opening is split so that the private key can stay in a token: [`Envelope::session_key_for`] gives what the token
//! decrypts, [`Envelope::open`] takes what came out. Where the session key is to stay there too, the token decrypts the blocks of
//! [`Envelope::ciphertext`] under it, and [`Envelope::open_blocks`] takes those.
//!
//! ```text
//! RecipientInfo ::= SEQUENCE { version INTEGER(1), issuerAndSerialNumber, keyEncryptionAlgorithm, encryptedKey OCTET STRING }
//! EncryptedContentInfo ::= SEQUENCE { contentType, contentEncryptionAlgorithm, encryptedContent [0] IMPLICIT OCTET STRING }
//! ```

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::cipher::CipherError;
use crate::cms::{CmsError, MAX_BYTES, MAX_PARTS, SignerId};
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::oid;
use crate::symmetric::{BLOCK_BYTES, KEY_BYTES, sm4_cbc_chain, sm4_cbc_decrypt, sm4_cbc_encrypt};

/// Why a message does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is no message at all, or one of another kind.
    #[error("the message is no enveloped data")]
    Message(#[from] CmsError),
    /// An algorithm other than SM2 with SM4-CBC.
    #[error("the enveloped data uses an unsupported cipher")]
    Cipher,
    /// Its content is kept elsewhere.
    #[error("the enveloped data has no content")]
    NoContent,
    /// The session key or the padding does not fit; one error for both.
    #[error("the enveloped data does not open with this session key")]
    CannotOpen,
}

impl From<DerError> for EnvelopeError {
    fn from(error: DerError) -> Self {
        Self::Message(CmsError::Malformed(error))
    }
}

/// A message that was read and not yet opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who can open it, with the session key as DER `SM2Cipher`.
    recipients: Vec<(SignerId, Vec<u8>)>,
    iv: [u8; BLOCK_BYTES],
    ciphertext: Vec<u8>,
}

impl Envelope {
    /// Reads a DER message.
    pub fn from_der(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_BYTES {
            return Err(CmsError::TooLarge.into());
        }
        let mut info = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let kind = der::object_identifier(info.any()?)?;
        if ![oid::GM_ENVELOPED_DATA, oid::PKCS7_ENVELOPED_DATA].contains(&kind) {
            return Err(CmsError::Type.into());
        }
        let content = info.expect(0xa0)?;
        info.finish()?;
        let mut fields = Tlv::whole_of(tag::SEQUENCE, content.value)?.reader();
        fields.expect(tag::INTEGER)?;
        // originatorInfo of RFC 5652.
        fields.optional(0xa0)?;
        let recipients = recipients(fields.expect(tag::SET)?.reader())?;
        let mut encrypted = fields.expect(tag::SEQUENCE)?.reader();
        der::object_identifier(encrypted.any()?)?;
        let iv = initial_vector(encrypted.expect(tag::SEQUENCE)?.reader())?;
        let ciphertext = match encrypted.peek() {
            Some(0x80) => encrypted.any()?.value.to_vec(),
            Some(0xa0) => segments(encrypted.any()?.reader())?,
            _ => return Err(EnvelopeError::NoContent),
        };
        Ok(Self {
            recipients,
            iv,
            ciphertext,
        })
    }

    /// The session key for the holder of this certificate: DER `SM2Cipher`, for the token to decrypt.
    pub fn session_key_for(&self, certificate: &Certificate) -> Option<&[u8]> {
        self.recipients
            .iter()
            .find(|(id, _)| id.names(certificate))
            .map(|(_, key)| key.as_slice())
    }

    /// The content, with the session key that the token decrypted.
    pub fn open(&self, session_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let key: &[u8; KEY_BYTES] = session_key.try_into().map_err(|_| EnvelopeError::CannotOpen)?;
        sm4_cbc_decrypt(key, &self.iv, &self.ciphertext).map_err(|_| EnvelopeError::CannotOpen)
    }

    /// The encrypted content: blocks of SM4, if it is well formed.
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// The content, with what the blocks of [`Self::ciphertext`] each decrypt to under the session key (SM4-ECB).
    pub fn open_blocks(&self, blocks: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        sm4_cbc_chain(blocks, &self.iv, &self.ciphertext).map_err(|_| EnvelopeError::CannotOpen)
    }
}

/// Envelopes a content to the holder of an SM2 encryption certificate; `None` for a certificate with another key.
pub fn seal(content: &[u8], to: &Certificate, rng: &mut (impl CryptoRng + ?Sized)) -> Option<Vec<u8>> {
    let mut session_key = Zeroizing::new([0; KEY_BYTES]);
    rng.fill_bytes(&mut session_key[..]);
    let mut iv = [0; BLOCK_BYTES];
    rng.fill_bytes(&mut iv);
    let encrypted_key = match to.public_key()?.encrypt(&session_key[..], rng) {
        Ok(encrypted) => encrypted,
        Err(CipherError::Empty | CipherError::CannotDecrypt) => return None,
    };
    let one = der::integer(&[1]);
    let serial = der::tlv(tag::INTEGER, to.serial_content());
    let recipient = der::sequence(&[
        &one,
        &der::sequence(&[to.issuer().as_der(), &serial]),
        &der::sequence(&[&der::oid(oid::SM2_ENCRYPT)]),
        &der::octet_string(&encrypted_key),
    ]);
    let encrypted = der::sequence(&[
        &der::oid(oid::GM_DATA),
        &der::sequence(&[&der::oid(oid::SM4_CBC), &der::octet_string(&iv)]),
        &der::context(0, &sm4_cbc_encrypt(&session_key, &iv, content)),
    ]);
    let enveloped = der::sequence(&[&one, &der::set(&[&recipient]), &encrypted]);
    Some(der::sequence(&[
        &der::oid(oid::GM_ENVELOPED_DATA),
        &der::explicit(0, &enveloped),
    ]))
}

fn recipients(mut set: Reader<'_>) -> Result<Vec<(SignerId, Vec<u8>)>, EnvelopeError> {
    let mut list = Vec::new();
    while !set.is_empty() {
        if list.len() == MAX_PARTS {
            return Err(CmsError::TooLarge.into());
        }
        let mut fields = set.expect(tag::SEQUENCE)?.reader();
        fields.expect(tag::INTEGER)?;
        let id = SignerId::read(fields.any()?)?;
        let algorithm = der::object_identifier(fields.expect(tag::SEQUENCE)?.reader().any()?)?;
        let key = fields.expect(tag::OCTET_STRING)?.value.to_vec();
        fields.finish()?;
        // Recipients with other keys are others' business.
        if [oid::SM2_ENCRYPT, oid::SM2].contains(&algorithm) {
            list.push((id, key));
        }
    }
    Ok(list)
}

/// SM4-CBC and its IV; the bare identifier of SM4 with an IV means the same (seen in CFCA's messages).
fn initial_vector(mut algorithm: Reader<'_>) -> Result<[u8; BLOCK_BYTES], EnvelopeError> {
    let cipher = der::object_identifier(algorithm.any()?)?;
    if ![oid::SM4_CBC, oid::SM4].contains(&cipher) || algorithm.peek() != Some(tag::OCTET_STRING) {
        return Err(EnvelopeError::Cipher);
    }
    let iv = algorithm.any()?.value;
    iv.try_into().map_err(|_| EnvelopeError::Cipher)
}

/// BER writes a long string in parts.
fn segments(mut parts: Reader<'_>) -> Result<Vec<u8>, DerError> {
    let mut whole = Vec::new();
    while !parts.is_empty() {
        whole.extend_from_slice(parts.expect(tag::OCTET_STRING)?.value);
    }
    Ok(whole)
}
