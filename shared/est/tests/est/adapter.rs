//! What the adapter makes of a vendor's answers.
use std::time::Duration;

use yinxin_ca::{
    Answer, CaError, CertificateAuthority as _, CertificateStatus, IssuedPair, Record, RequestError,
    Revocation, RevocationRequest, VendorFault,
};
use yinxin_est::EstAuthority;
use yinxin_pki::chain::{is_pair, verify_chain};
use yinxin_pki::{Certificate, EnvelopedKey, SigningKey};

use crate::vendor::{Vendor, now, request, rng};

async fn step(ca: &EstAuthority, record: &Record) -> Result<Answer, CaError> {
    ca.complete(record, now(), &mut rng()).await
}

async fn progress(ca: &EstAuthority, record: &Record) -> Record {
    match step(ca, record).await.unwrap() {
        Answer::Progress(next) => next,
        other => panic!("the step gives no record: {other:?}"),
    }
}

async fn pair(ca: &EstAuthority, record: &Record) -> IssuedPair {
    match step(ca, record).await.unwrap() {
        Answer::Issued(pair) => *pair,
        other => panic!("the step gives no pair: {other:?}"),
    }
}

fn prepared(ca: &EstAuthority) -> (SigningKey, Record) {
    let (key, csr, request) = request();
    let preparation = ca.prepare(&request, &csr, now(), &mut rng()).unwrap();
    assert!(preparation.serials.is_empty());
    (key, preparation.record)
}

fn assert_fits(pair: &IssuedPair, key: &SigningKey, root: &str) {
    let read = |der: &[u8]| Certificate::from_der(der).unwrap();
    let (signing, encryption) = (read(&pair.signing), read(&pair.encryption));
    let chain: Vec<_> = pair.chain.iter().map(|der| read(der)).collect();
    assert!(is_pair(&signing, &encryption));
    for leaf in [&signing, &encryption] {
        verify_chain(leaf, &chain, now()).unwrap();
    }
    assert_eq!(
        *chain.last().unwrap(),
        Certificate::from_pem(root.trim()).unwrap()
    );
    assert_eq!(signing.public_key(), Some(key.public_key()));
    let opened = EnvelopedKey::from_der(&pair.enveloped_key)
        .unwrap()
        .open(key)
        .unwrap();
    assert_eq!(encryption.public_key(), Some(opened.public_key()));
}

#[tokio::test]
async fn a_pair_comes_in_three_recorded_steps() {
    for faults in [&[][..], &["gm_oids"]] {
        let Some(mut vendor) = Vendor::start(faults) else {
            return;
        };
        vendor.config.label = Some("sm2-units".into());
        let ca = vendor.authority();
        let (key, asking) = prepared(&ca);
        let enrolled = progress(&ca, &asking).await;
        let delivered = progress(&ca, &enrolled).await;
        let issued = pair(&ca, &delivered).await;
        assert_fits(&issued, &key, &vendor.config.vendor_root);
        ca.confirm(&delivered).await.unwrap();
        // The last step asks nobody.
        drop(vendor);
        assert_eq!(pair(&ca, &delivered).await, issued);
    }
}

#[tokio::test]
async fn a_step_whose_reply_was_lost_gives_the_same_certificates_again() {
    let Some(vendor) = Vendor::start(&["drop=1"]) else {
        return;
    };
    let ca = vendor.authority();
    let (_, asking) = prepared(&ca);
    // The vendor issued; the reply never came.
    assert_eq!(step(&ca, &asking).await, Err(CaError::Unavailable));
    let enrolled = progress(&ca, &asking).await;
    assert_eq!(progress(&ca, &asking).await, enrolled);
    // The reply came and the process ended before it was recorded.
    let (lost, kept) = (progress(&ca, &enrolled).await, progress(&ca, &enrolled).await);
    let (lost, kept) = (pair(&ca, &lost).await, pair(&ca, &kept).await);
    assert_eq!((lost.signing, lost.encryption), (kept.signing, kept.encryption));
}

#[tokio::test]
async fn a_vendor_that_has_not_decided_is_asked_again_with_the_same_record() {
    let Some(vendor) = Vendor::start(&["pending=2"]) else {
        return;
    };
    let ca = vendor.authority();
    let (_, asking) = prepared(&ca);
    for _ in 0..2 {
        let retry_after = Duration::from_secs(1);
        assert_eq!(step(&ca, &asking).await, Ok(Answer::Pending { retry_after }));
    }
    let enrolled = progress(&ca, &asking).await;
    progress(&ca, &enrolled).await;
}

#[tokio::test]
async fn nothing_wrong_is_taken_for_a_signing_certificate() {
    let vendor_fault = |wanted: VendorFault| CaError::Vendor(wanted);
    let cases = [
        ("slow", CaError::Unavailable),
        ("down", CaError::Unavailable),
        ("drop", CaError::Unavailable),
        ("unauthorized", CaError::Refused(403)),
        ("wrong_subject", vendor_fault(VendorFault::Subject)),
        ("clock_ahead", vendor_fault(VendorFault::Validity)),
        ("too_long", vendor_fault(VendorFault::Validity)),
        ("wrong_usage", vendor_fault(VendorFault::Usage)),
        ("wrong_signing_key", vendor_fault(VendorFault::Key)),
        (
            "bad_base64",
            vendor_fault(VendorFault::Form("the answer is not base64")),
        ),
        ("huge", vendor_fault(VendorFault::Form("the answer is too large"))),
    ];
    for (fault, wanted) in cases {
        let Some(vendor) = Vendor::start(&[fault]) else {
            return;
        };
        let ca = vendor.authority();
        let (_, asking) = prepared(&ca);
        assert_eq!(step(&ca, &asking).await, Err(wanted), "{fault}");
    }
    let Some(vendor) = Vendor::start(&["wrong_chain"]) else {
        return;
    };
    let ca = vendor.authority();
    let refused = step(&ca, &prepared(&ca).1).await;
    assert!(matches!(refused, Err(CaError::Vendor(VendorFault::Chain(_)))));
}

#[tokio::test]
async fn nothing_wrong_is_taken_for_an_encryption_key() {
    for (fault, wanted) in [
        ("wrong_key", VendorFault::Key),
        (
            "bad_multipart",
            VendorFault::Form("the answer is no whole multipart message"),
        ),
    ] {
        let Some(vendor) = Vendor::start(&[fault]) else {
            return;
        };
        let ca = vendor.authority();
        let enrolled = progress(&ca, &prepared(&ca).1).await;
        assert_eq!(
            step(&ca, &enrolled).await,
            Err(CaError::Vendor(wanted)),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_vendor_that_issues_twice_for_one_request_is_found_out() {
    let Some(vendor) = Vendor::start(&["another"]) else {
        return;
    };
    let ca = vendor.authority();
    let (key, asking) = prepared(&ca);
    let enrolled = progress(&ca, &asking).await;
    assert_eq!(
        ca.confirm(&enrolled).await,
        Err(CaError::Vendor(VendorFault::Another))
    );
    // What is recorded is kept, and not asked for again.
    let delivered = progress(&ca, &enrolled).await;
    assert_fits(&pair(&ca, &delivered).await, &key, &vendor.config.vendor_root);
    assert_eq!(ca.confirm(&asking).await, Err(CaError::Record));
}

#[tokio::test]
async fn a_vendor_that_refuses_a_request_sends_it_back_to_a_person() {
    let Some(vendor) = Vendor::start(&["refuse_repeat"]) else {
        return;
    };
    let ca = vendor.authority();
    let (_, asking) = prepared(&ca);
    let enrolled = progress(&ca, &asking).await;
    let refused = step(&ca, &asking).await;
    assert_eq!(refused, Err(CaError::Request(RequestError::Refused)));
    // With one certificate issued it is no longer the operator's turn: another request would waste it.
    progress(&ca, &enrolled).await;
    let refused = step(&ca, &enrolled).await;
    assert!(matches!(refused, Err(CaError::Vendor(VendorFault::Form(_)))));
}

#[tokio::test]
async fn a_server_that_another_ca_vouches_for_learns_nothing() {
    let Some(mut vendor) = Vendor::start(&[]) else {
        return;
    };
    vendor.config.server_ca = std::fs::read_to_string(vendor.file("foreign-client.pem")).unwrap();
    let ca = vendor.authority();
    assert_eq!(step(&ca, &prepared(&ca).1).await, Err(CaError::Unavailable));
}

#[tokio::test]
async fn est_says_that_it_has_neither_revocation_nor_status() {
    let Some(vendor) = Vendor::start(&[]) else { return };
    let ca = vendor.authority();
    let certificate = &Certificate::from_pem(vendor.config.vendor_root.trim()).unwrap();
    let request = RevocationRequest {
        certificate,
        reason: 1,
        invalid_since: None,
    };
    assert_eq!(ca.revoke(&request).await, Ok(Revocation::NotOffered));
    assert_eq!(ca.status(certificate).await, Ok(CertificateStatus::NotOffered));
}
