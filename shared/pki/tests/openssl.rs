//! What this crate makes is read by OpenSSL, and the other way round. Skipped where `openssl` is not installed,
//! unless `REQUIRE_OPENSSL` is set.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::path::Path;
use std::process::Command;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::OffsetDateTime;
use yinxin_pki::chain::{ChainError, is_pair, verify_chain, verify_link};
use yinxin_pki::profile::{Content, Identity, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::{Certificate, Csr, CsrBuilder, KeyForm, Name, SigningKey, lint, pem};

const DISTID: &str = "distid:1234567812345678";

struct Party {
    key: SigningKey,
    certificate: Certificate,
}

fn issue(
    profile: Profile,
    subject: &Name,
    by: Option<&Party>,
    identity: Option<&Identity>,
    years: u8,
) -> Party {
    let rng = &mut UnwrapErr(SysRng);
    let key = SigningKey::generate(rng);
    let issuer = by.map_or_else(
        || Issuer::itself(subject.clone(), key.public_key()),
        |party| Issuer::of(&party.certificate),
    );
    let services = Services {
        crl: Some("http://ca.example/issuing.crl".into()),
        ocsp: Some("http://ca.example/ocsp".into()),
        ca_issuers: Some("http://ca.example/issuing.cer".into()),
        policy: None,
    };
    let tbs = profile.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer: &issuer,
        validity: Validity::years(OffsetDateTime::now_utc(), years).unwrap(),
        subject,
        public_key: key.public_key(),
        key_form: if profile == Profile::Encryption {
            KeyForm::Sm2
        } else {
            KeyForm::EcPublicKey
        },
        identity,
        services: &services,
    });
    if by.is_none_or(|party| party.certificate.is_ca()) {
        assert_eq!(lint::lint(profile, &tbs, by.map(|party| &party.certificate)), []);
    }
    let signature = by.map_or(&key, |party| &party.key).sign(&tbs).unwrap();
    Party {
        certificate: Certificate::from_der(&assemble(&tbs, &signature)).unwrap(),
        key,
    }
}

/// Root, issuing CA, signing and encryption certificate of a unit.
fn chain() -> [Party; 4] {
    let root = issue(
        Profile::RootCa,
        &Name::unit("测试根证书", None).unwrap(),
        None,
        None,
        30,
    );
    let issuing = issue(
        Profile::IssuingCa,
        &Name::unit("测试签发证书", None).unwrap(),
        Some(&root),
        None,
        20,
    );
    let subject = Name::unit("南京测试有限公司", Some("江苏省")).unwrap();
    let code = Identity::CreditCode("91320100MA1TEST00X".into());
    let signing = issue(Profile::Signing, &subject, Some(&issuing), Some(&code), 1);
    let encryption = issue(Profile::Encryption, &subject, Some(&issuing), Some(&code), 1);
    [root, issuing, signing, encryption]
}

fn openssl_is_missing() -> bool {
    let missing = Command::new("openssl").arg("version").output().is_err();
    assert!(
        !missing || std::env::var_os("REQUIRE_OPENSSL").is_none(),
        "openssl is not installed"
    );
    missing
}

/// Runs openssl in a directory; its standard output, or what it complained about.
fn openssl(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

#[test]
fn the_chain_verifies_here() {
    let [root, issuing, signing, encryption] = chain().map(|party| party.certificate);
    let now = OffsetDateTime::now_utc();
    let issuers = [issuing.clone(), root.clone()];
    assert_eq!(verify_chain(&signing, &issuers, now), Ok(()));
    assert_eq!(verify_chain(&encryption, &issuers, now), Ok(()));
    assert!(is_pair(&signing, &encryption) && !is_pair(&encryption, &signing));
    assert_eq!(signing.organization_code().as_deref(), Some("91320100MA1TEST00X"));

    assert_eq!(verify_chain(&signing, &[], now), Err(ChainError::Length));
    assert_eq!(verify_chain(&signing, &issuers[..1], now), Err(ChainError::Root));
    assert_eq!(
        verify_chain(&signing, &issuers[1..], now),
        Err(ChainError::Issuer)
    );
    assert_eq!(verify_link(&signing, &encryption), Err(ChainError::Issuer));
    let late = signing.not_after() + time::Duration::SECOND;
    assert_eq!(verify_chain(&signing, &issuers, signing.not_after()), Ok(()));
    assert_eq!(verify_chain(&signing, &issuers, late), Err(ChainError::Expired));
    let early = signing.not_before() - time::Duration::SECOND;
    assert_eq!(verify_chain(&signing, &issuers, early), Err(ChainError::Expired));

    let text = pem::encode_chain(&issuers);
    assert_eq!(pem::decode_chain(&text).unwrap(), issuers);
}

#[test]
fn a_forged_certificate_does_not_verify() {
    let [_, issuing, signing, _] = chain();
    let other = issue(Profile::RootCa, issuing.certificate.subject(), None, None, 1);
    let forged = other.key.sign(signing.certificate.tbs().as_der()).unwrap();
    let forged = Certificate::from_der(&assemble(signing.certificate.tbs().as_der(), &forged)).unwrap();
    assert_eq!(
        verify_link(&forged, &issuing.certificate),
        Err(ChainError::Signature)
    );
    assert_eq!(verify_link(&forged, &other.certificate), Err(ChainError::Issuer));
    // A subscriber's key signs no certificates.
    let child = issue(
        Profile::Signing,
        issuing.certificate.subject(),
        Some(&signing),
        None,
        1,
    );
    assert_eq!(
        verify_link(&child.certificate, &signing.certificate),
        Err(ChainError::NotAnIssuer)
    );
}

#[test]
fn openssl_verifies_the_chain_link_by_link() {
    if openssl_is_missing() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let names = ["root", "issuing", "signing", "encryption"];
    let parties = chain();
    for (name, party) in names.iter().zip(&parties) {
        std::fs::write(
            directory.path().join(format!("{name}.pem")),
            party.certificate.to_pem(),
        )
        .unwrap();
    }
    // OpenSSL applies the identity to the target only: one link at a time.
    for (issuer, target) in [
        ("root", "issuing"),
        ("issuing", "signing"),
        ("issuing", "encryption"),
    ] {
        let (issuer, target) = (format!("{issuer}.pem"), format!("{target}.pem"));
        let arguments = [
            "verify",
            "-partial_chain",
            "-x509_strict",
            "-vfyopt",
            DISTID,
            "-CAfile",
            &issuer,
            &target,
        ];
        openssl(directory.path(), &arguments).unwrap();
    }
    let wrong = [
        "verify",
        "-partial_chain",
        "-vfyopt",
        DISTID,
        "-CAfile",
        "root.pem",
        "signing.pem",
    ];
    openssl(directory.path(), &wrong).unwrap_err();
}

#[test]
fn openssl_verifies_the_request() {
    if openssl_is_missing() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(&mut UnwrapErr(SysRng));
    let subject = Name::person("张三", Some("南京测试有限公司")).unwrap();
    let der = CsrBuilder::new(&subject, key.public_key())
        .sign_with(|info| key.sign_hedged(info, &mut UnwrapErr(SysRng)))
        .unwrap();
    std::fs::write(directory.path().join("request.der"), der).unwrap();
    let verify = [
        "req",
        "-inform",
        "DER",
        "-in",
        "request.der",
        "-noout",
        "-verify",
        "-vfyopt",
        DISTID,
    ];
    openssl(directory.path(), &verify).unwrap();
    let without = ["req", "-inform", "DER", "-in", "request.der", "-noout", "-verify"];
    let refused = openssl(directory.path(), &without).map_or_else(|text| text, |_| "failure".into());
    assert!(refused.contains("fail"), "{refused}");
}

#[test]
fn a_request_of_openssl_is_accepted_with_the_default_identity_only() {
    if openssl_is_missing() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(&mut UnwrapErr(SysRng));
    std::fs::write(directory.path().join("key.pem"), key.to_pkcs8_pem()).unwrap();
    let request = |extra: &[&str]| {
        let base = [
            "req",
            "-new",
            "-sm3",
            "-key",
            "key.pem",
            "-subj",
            "/C=CN/CN=Test",
            "-outform",
            "PEM",
        ];
        String::from_utf8(openssl(directory.path(), &[&base[..], extra].concat()).unwrap()).unwrap()
    };
    let csr = Csr::from_pem(&request(&["-sigopt", DISTID])).unwrap();
    assert_eq!(csr.public_key(), key.public_key());
    assert_eq!(csr.subject().common_name(), Some("Test"));
    // OpenSSL's own default identity is empty.
    assert_eq!(
        Csr::from_pem(&request(&[])),
        Err(yinxin_pki::csr::CsrError::Proof)
    );
}

#[test]
fn ciphertexts_and_keys_travel_both_ways() {
    if openssl_is_missing() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(directory.path().join(name), content).unwrap();
    let rng = &mut UnwrapErr(SysRng);
    let key = SigningKey::generate(rng);
    write("key.pem", key.to_pkcs8_pem().as_bytes());
    write(
        "cipher.der",
        &key.public_key().encrypt(b"sixteen bytes ok", rng).unwrap(),
    );
    let plaintext = openssl(
        directory.path(),
        &["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "cipher.der"],
    )
    .unwrap();
    assert_eq!(plaintext, b"sixteen bytes ok");
    write("plain", b"another message");
    let ciphertext = openssl(
        directory.path(),
        &["pkeyutl", "-encrypt", "-inkey", "key.pem", "-in", "plain"],
    )
    .unwrap();
    assert_eq!(key.decrypt(&ciphertext).unwrap().as_slice(), b"another message");
    let made = openssl(directory.path(), &["genpkey", "-algorithm", "SM2"]).unwrap();
    let made = SigningKey::from_pkcs8_pem(&String::from_utf8(made).unwrap()).unwrap();
    write("made.pem", made.to_pkcs8_pem().as_bytes());
    write("signature", &made.sign(b"another message").unwrap());
    let verify = [
        "pkeyutl",
        "-verify",
        "-rawin",
        "-digest",
        "sm3",
        "-inkey",
        "made.pem",
        "-in",
        "plain",
        "-sigfile",
        "signature",
        "-pkeyopt",
        DISTID,
    ];
    openssl(directory.path(), &verify).unwrap();
}
