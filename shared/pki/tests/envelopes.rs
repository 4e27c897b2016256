//! GM/T 0010 `EnvelopedData`: one of gmsm, and our own.
//!
//! `envelopes/gmsm.der` was made by gmsm v0.29.0 with `pkcs7.EncryptSM(pkcs.SM4CBC, "投标报价", recipient.pem)`; the same version
//! opened a message of `cms_envelope::seal` with `PKCS7.Decrypt`, and verified attached and detached messages of `cms_write` with
//! `PKCS7.Verify`. The key is for tests and was never used for anything else.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use getrandom::SysRng;
use rand_core::UnwrapErr;
use yinxin_pki::cms::CmsError;
use yinxin_pki::cms_envelope::{Envelope, EnvelopeError, seal};
use yinxin_pki::{Certificate, SigningKey};

const CONTENT: &str = "投标报价";
const GMSM: &[u8] = include_bytes!("envelopes/gmsm.der");

fn recipient() -> (Certificate, SigningKey) {
    (
        Certificate::from_pem(include_str!("envelopes/recipient.pem")).unwrap(),
        SigningKey::from_pkcs8_pem(include_str!("envelopes/test-only-recipient.key.pem")).unwrap(),
    )
}

fn opened(message: &[u8]) -> Option<Vec<u8>> {
    let (certificate, key) = recipient();
    let envelope = Envelope::from_der(message).ok()?;
    let session_key = key.decrypt(envelope.session_key_for(&certificate)?).ok()?;
    Some(envelope.open(&session_key).ok()?.to_vec())
}

#[test]
fn a_message_of_gmsm_opens() {
    assert_eq!(opened(GMSM).as_deref(), Some(CONTENT.as_bytes()));
}

#[test]
fn our_own_message_opens() {
    let (certificate, _) = recipient();
    for content in [CONTENT.as_bytes(), b"", &[7; 1000]] {
        let message = seal(content, &certificate, &mut UnwrapErr(SysRng)).unwrap();
        assert_eq!(opened(&message).as_deref(), Some(content));
    }
}

#[test]
fn a_message_for_somebody_else_has_no_session_key() {
    let other = Certificate::from_pem(include_str!("envelopes/recipient.pem")).unwrap();
    let envelope = Envelope::from_der(GMSM).unwrap();
    assert!(envelope.session_key_for(&other).is_some());
    let mut changed = other.as_der().to_vec();
    let serial = other.serial_content();
    let at = changed
        .windows(serial.len())
        .position(|window| window == serial)
        .unwrap();
    changed[at + 5] ^= 1;
    let other = Certificate::from_der(&changed).unwrap();
    assert_eq!(envelope.session_key_for(&other), None);
}

#[test]
fn broken_messages_and_other_kinds_are_refused() {
    for length in 0..GMSM.len() {
        assert!(Envelope::from_der(&GMSM[..length]).is_err(), "{length}");
    }
    // The content type: signedData in place of envelopedData.
    let mut other = GMSM.to_vec();
    let at = other
        .windows(3)
        .position(|window| window == [0x04, 0x02, 0x03])
        .unwrap();
    other[at + 2] = 0x02;
    assert_eq!(
        Envelope::from_der(&other),
        Err(EnvelopeError::Message(CmsError::Type))
    );
}

#[test]
fn a_changed_session_key_does_not_open() {
    let (certificate, _) = recipient();
    let envelope = Envelope::from_der(GMSM).unwrap();
    let key = envelope.session_key_for(&certificate).unwrap();
    let start = GMSM.windows(key.len()).position(|window| window == key).unwrap();
    for at in start..start + key.len() {
        let mut changed = GMSM.to_vec();
        changed[at] ^= 1;
        assert_eq!(opened(&changed), None, "{at}");
    }
}
