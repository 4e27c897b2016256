//! Signed and enveloped messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_pki::cms::{Cms, MAX_PARTS};
use yinxin_pki::key::DEFAULT_ID;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Cms::from_der(bytes) else {
        return;
    };
    if let Cms::Enveloped(envelope) | Cms::SignedAndEnveloped(envelope, _) = &message {
        assert!(envelope.recipients.len() <= MAX_PARTS);
    }
    if let Cms::Signed(signed) | Cms::SignedAndEnveloped(_, signed) = &message {
        assert!(signed.signers.len() <= MAX_PARTS && signed.certificates.len() <= MAX_PARTS);
        let content = signed.content.as_deref().unwrap_or_default();
        for signer in signed.signers.iter().take(4) {
            for certificate in signed.certificates.iter().take(4) {
                signer.id.names(certificate);
                signer.verify(content, certificate.key(), DEFAULT_ID).ok();
            }
        }
    }
});
