//! Arbitrary and damaged bytes: the parsers refuse them, they never panic.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use getrandom::SysRng;
use proptest::prelude::*;
use rand_core::UnwrapErr;
use yinxin_pki::cms::Cms;
use yinxin_pki::crl::IssuingDistributionPoint;
use yinxin_pki::lint::{lint, lint_crl, lint_ocsp};
use yinxin_pki::ocsp::{CertId, OcspHash};
use yinxin_pki::profile::Profile;
use yinxin_pki::skf_blob::{EnvelopedKeyBlob, Layout};
use yinxin_pki::{
    Certificate, Crl, Csr, CsrBuilder, EnvelopedKey, Name, OcspRequest, OcspResponse, PublicKey, SigningKey,
    cms_write, pem,
};

use authority::Authority;

mod authority;

fn read_everything(bytes: &[u8]) {
    let key = SigningKey::from_scalar(&[1; 32]).unwrap();
    for profile in [Profile::RootCa, Profile::Signing] {
        assert!(!lint(profile, bytes, None).is_empty());
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        certificate.organization_code();
        certificate.key_usage();
        certificate.is_ca();
    }
    if let Ok(crl) = Crl::from_der(bytes) {
        drop(crl.issuing_distribution_point());
        assert_eq!(crl.find(&[]), None);
        assert_eq!(Crl::from_pem(&crl.to_pem()), Ok(crl));
    }
    drop(IssuingDistributionPoint::from_der(bytes));
    if let Ok(response) = OcspResponse::from_der(bytes) {
        assert_eq!(response.as_der(), bytes);
    }
    if let Ok(request) = OcspRequest::from_der(bytes) {
        assert!(!request.cert_ids().is_empty());
    }
    drop(Csr::from_der(bytes));
    drop(EnvelopedKey::from_der(bytes).and_then(|enveloped| enveloped.open(&key)));
    drop(EnvelopedKeyBlob::from_bytes(bytes).and_then(|blob| blob.to_enveloped_key()));
    drop(Cms::from_der(bytes));
    drop(Name::from_der(bytes));
    drop(PublicKey::from_spki_der(bytes));
    drop(PublicKey::from_sec1(bytes));
    drop(SigningKey::from_pkcs8_der(bytes));
    drop(key.decrypt(bytes));
    assert!(key.public_key().verify(b"", bytes).is_err());
    let text = String::from_utf8_lossy(bytes);
    drop(pem::decode_chain(&text));
    drop(pem::decode_chain(&pem::encode(pem::CERTIFICATE, bytes)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        read_everything(&bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_a_plausible_header_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let inner = yinxin_pki::der::sequence(&[&bytes]);
        read_everything(&inner);
        read_everything(&yinxin_pki::der::sequence(&[&inner, &inner]));
    }

    #[test]
    fn a_damaged_request_never_panics(at in 0_usize..400, octet in any::<u8>(), cut in 0_usize..400) {
        let key = SigningKey::generate(&mut UnwrapErr(SysRng));
        let subject = Name::person("测试", Some("单位")).unwrap();
        let mut der = CsrBuilder::new(&subject, key.public_key()).sign_with(|info| key.sign(info)).unwrap();
        let at = at % der.len();
        let whole = der.clone();
        der[at] = octet;
        prop_assert!(der == whole || Csr::from_der(&der).is_err());
        der.truncate(cut);
        read_everything(&der);
    }

    #[test]
    fn damaged_certificates_lists_and_answers_never_panic(
        at in 0_usize..2000, octets in proptest::collection::vec(any::<u8>(), 0..4), cut in 0_usize..2000,
    ) {
        let (authority, wholes) = self::wholes();
        let responder = &authority.party("responder").certificate;
        for whole in wholes {
            let at = at % whole.len();
            let end = (at + octets.len()).min(whole.len());
            // The same octets in place of others, then in front of them, which breaks all lengths around.
            for rest in [end, at] {
                let mut changed = [&whole[..at], &octets[..], &whole[rest..]].concat();
                read_everything(&changed);
                drop(lint_crl(&changed, responder));
                drop(lint_ocsp(&changed, responder));
                changed.truncate(cut);
                read_everything(&changed);
            }
        }
    }
}

/// One of each signed object, made once.
fn wholes() -> &'static (Authority, Vec<Vec<u8>>) {
    static WHOLES: std::sync::OnceLock<(Authority, Vec<Vec<u8>>)> = std::sync::OnceLock::new();
    WHOLES.get_or_init(|| {
        let authority = Authority::new(time::macros::datetime!(2026-11-23 08:00:00 UTC));
        let crl = authority.crl();
        let answer = authority.answer(OcspHash::Sm3, Some(&[7; 32]));
        let basic = OcspResponse::from_der(&answer).unwrap().basic.unwrap();
        let wholes = vec![
            authority.party("unit-sign").certificate.as_der().to_vec(),
            crl.as_der().to_vec(),
            crl.tbs_der().to_vec(),
            basic.tbs_der().to_vec(),
            answer,
            message(&authority),
            blob(&authority).as_bytes().to_vec(),
        ];
        (authority, wholes)
    })
}

/// A message that the unit has signed.
fn message(authority: &Authority) -> Vec<u8> {
    let unit = authority.party("unit-sign");
    let attributes = cms_write::attributes(b"content", authority.now);
    let signature = unit.key.sign(&attributes).unwrap();
    cms_write::assemble(b"content", &unit.certificate, &attributes, &signature)
}

/// The unit's encryption key, as its token takes it.
fn blob(authority: &Authority) -> EnvelopedKeyBlob {
    let (signing, encryption) = (authority.party("unit-sign"), authority.party("unit-encrypt"));
    let enveloped = EnvelopedKey::seal(&encryption.key, signing.key.public_key(), &mut UnwrapErr(SysRng));
    EnvelopedKeyBlob::new(&enveloped, Layout::RightAligned).unwrap()
}

/// What is given to path validation at once, as its fuzz target takes it apart: a chain, and of the rest what has one of the roles.
fn judged(authority: &Authority, options: u8, target: &str, roles: &[u8]) -> Vec<u8> {
    let certificate = |name: &str| authority.party(name).certificate.as_der().to_vec();
    let pieces = [
        (0, certificate(target)),
        (1, certificate("issuing")),
        (2, certificate("root")),
        (4, authority.crl().as_der().to_vec()),
        (4, authority.root_crl().as_der().to_vec()),
        (5, authority.answer(OcspHash::Sha1, None)),
        (6, message(authority)),
        (7, authority.request()),
    ];
    let chosen = pieces
        .iter()
        .filter(|(role, _)| *role < 4 || roles.contains(role));
    let pieces = chosen.flat_map(|(role, piece)| {
        let [high, low] = u16::try_from(piece.len()).unwrap().to_be_bytes();
        [&[*role, high, low], &piece[..]].concat()
    });
    std::iter::once(options).chain(pieces).collect()
}

/// With `YINXIN_FUZZ_CORPUS` they are written there, one directory for each fuzz target: it starts from them.
#[test]
fn whole_objects_are_read() {
    let authority = Authority::new(time::macros::datetime!(2026-11-23 08:00:00 UTC));
    let unit = authority.party("unit-sign");
    let (signing, encryption) = (&unit.key, &authority.party("unit-encrypt").key);
    let enveloped = EnvelopedKey::seal(encryption, signing.public_key(), &mut UnwrapErr(SysRng));
    let cert_id = CertId::of(
        &authority.party("issuing").certificate,
        unit.certificate.serial_content(),
        OcspHash::Sm3,
    );
    let request = OcspRequest::new(vec![cert_id], Some(&[7; 16]));
    let (crl, answer) = (authority.crl(), authority.answer(OcspHash::Sha1, Some(&[7; 32])));
    let basic = OcspResponse::from_der(&answer).unwrap().basic.unwrap();
    assert!(Certificate::from_der(unit.certificate.as_der()).is_ok());
    assert!(Csr::from_der(&authority.request()).is_ok());
    assert!(Crl::from_der(crl.as_der()).is_ok());
    assert!(OcspRequest::from_der(request.as_der()).is_ok());
    assert!(EnvelopedKey::from_der(enveloped.as_der()).is_ok());
    assert!(Name::from_der(unit.certificate.subject().as_der()).is_ok());
    assert!(Cms::from_der(&message(&authority)).is_ok());
    assert!(EnvelopedKeyBlob::from_bytes(blob(&authority).as_bytes()).is_ok());
    let Some(corpus) = std::env::var_os("YINXIN_FUZZ_CORPUS").map(std::path::PathBuf::from) else {
        return;
    };
    let write = |target: &str, file: &str, bytes: &[u8]| {
        let directory = corpus.join(target);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(file), bytes).unwrap();
    };
    for (name, party) in &authority.parties {
        write("certificate", name, party.certificate.as_der());
        write("lint", name, party.certificate.as_der());
        write("name", name, party.certificate.subject().as_der());
    }
    write("lint", "list", crl.tbs_der());
    write("lint", "answer", basic.tbs_der());
    write("csr", "request", &authority.request());
    write("crl", "list", crl.as_der());
    write("ocsp_request", "request", request.as_der());
    write("ocsp_response", "answer", &answer);
    write("enveloped_key", "enveloped", enveloped.as_der());
    write("skf_blob", "blob", blob(&authority).as_bytes());
    write("cms", "message", &message(&authority));
    for target in ["unit-sign", "person-sign"] {
        for (name, options, roles) in [
            ("alone", 0, &[][..]),
            ("lists", 3, &[4]),
            ("answer", 2, &[5]),
            ("rest", 0, &[6, 7]),
        ] {
            let input = judged(&authority, options, target, roles);
            write("path", &format!("{target}-{name}"), &input);
        }
    }
}
