//! Each lint finds its mistake, and nothing in what the profiles write.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::macros::datetime;

use super::*;
use crate::certificate::KeyUsage;
use crate::der;
use crate::profile::{Content, Identity, Issuer, Serial, Services, Validity, assemble};
use crate::{KeyForm, Name, SigningKey, oid};

mod lists;
mod profiles;

const NOW: time::OffsetDateTime = datetime!(2026-11-23 08:00:00 UTC);

struct World {
    root: Certificate,
    issuing: Certificate,
    issuer: Issuer,
    issuing_key: SigningKey,
    subscriber: SigningKey,
    serial: Serial,
    services: Services,
    subject: Name,
}

fn world() -> World {
    let rng = &mut UnwrapErr(SysRng);
    let (root_key, issuing_key) = (SigningKey::generate(rng), SigningKey::generate(rng));
    let name = |text| Name::unit(text, None).unwrap();
    let root_name = name("测试根");
    let root_tbs = Profile::RootCa.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer: &Issuer::itself(root_name.clone(), root_key.public_key()),
        validity: Validity::years(NOW, 30).unwrap(),
        subject: &root_name,
        public_key: root_key.public_key(),
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    assert_eq!(lint(Profile::RootCa, &root_tbs, None), []);
    let root = Certificate::from_der(&assemble(&root_tbs, &root_key.sign(&root_tbs).unwrap())).unwrap();
    let issuing_tbs = Profile::IssuingCa.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer: &Issuer::of(&root),
        validity: Validity::years(NOW, 20).unwrap(),
        subject: &name("测试签发"),
        public_key: issuing_key.public_key(),
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    assert_eq!(lint(Profile::IssuingCa, &issuing_tbs, Some(&root)), []);
    let signature = root_key.sign(&issuing_tbs).unwrap();
    let issuing = Certificate::from_der(&assemble(&issuing_tbs, &signature)).unwrap();
    World {
        issuer: Issuer::of(&issuing),
        issuing,
        issuing_key,
        root,
        subscriber: SigningKey::generate(rng),
        serial: Serial::random(rng),
        services: Services {
            crl: Some("http://ca.example/1.crl".into()),
            ocsp: Some("http://ca.example/ocsp".into()),
            ..Services::default()
        },
        subject: name("南京测试有限公司"),
    }
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    let mut rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    rules.dedup();
    rules
}

impl World {
    fn tbs<'a>(&'a self, profile: Profile, change: impl FnOnce(&mut Content<'a>)) -> Vec<u8> {
        let mut content = Content {
            serial: &self.serial,
            issuer: &self.issuer,
            validity: Validity::years(NOW, 1).unwrap(),
            subject: &self.subject,
            public_key: self.subscriber.public_key(),
            key_form: KeyForm::EcPublicKey,
            identity: None,
            services: &self.services,
        };
        change(&mut content);
        profile.to_tbs(&content)
    }

    fn findings(&self, profile: Profile, tbs: &[u8]) -> Vec<&'static str> {
        rules(&lint(profile, tbs, Some(&self.issuing)))
    }
}

fn replaced(tbs: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = tbs.windows(from.len()).position(|window| window == from).unwrap();
    [&tbs[..at], to, &tbs[at + from.len()..]].concat()
}

#[test]
fn what_the_profiles_write_is_clean() {
    let identities = [
        Identity::CreditCode("91320100MA1TEST00X".into()),
        Identity::ResidentId("11010519491231002X".into()),
        Identity::MilitaryOfficer("军字第0000001号".into()),
        Identity::Passport("E12345678".into()),
    ];
    let world = world();
    for profile in [Profile::Signing, Profile::Encryption] {
        assert_eq!(world.findings(profile, &world.tbs(profile, |_| ())), [""; 0]);
        for identity in &identities {
            let tbs = world.tbs(profile, |content| content.identity = Some(identity));
            assert_eq!(world.findings(profile, &tbs), [""; 0]);
        }
    }
}

#[test]
fn a_certificate_of_another_profile_is_found() {
    let world = world();
    let tbs = world.tbs(Profile::Signing, |_| ());
    assert_eq!(world.findings(Profile::Encryption, &tbs), ["key-usage"]);
    let found = world.findings(Profile::IssuingCa, &tbs);
    assert_eq!(
        found,
        [
            "key-usage",
            "basic-constraints",
            "path-length",
            "issuer-path-length"
        ]
    );
    let ca = world.tbs(Profile::IssuingCa, |_| ());
    assert!(
        world
            .findings(Profile::Signing, &ca)
            .contains(&"extension-unknown")
    );
}

#[test]
fn a_validity_beyond_the_issuer_or_the_profile_is_found() {
    let world = world();
    let with = |years| {
        world.tbs(Profile::Signing, |content| {
            content.validity = Validity::years(NOW, years).unwrap();
        })
    };
    assert_eq!(world.findings(Profile::Signing, &with(10)), [""; 0]);
    assert_eq!(world.findings(Profile::Signing, &with(11)), ["validity-term"]);
    assert_eq!(
        world.findings(Profile::Signing, &with(21)),
        ["validity-term", "validity-nested"]
    );
    let backwards = world.tbs(Profile::Signing, |content| {
        content.validity = Validity {
            not_before: NOW,
            not_after: NOW,
        };
    });
    assert_eq!(world.findings(Profile::Signing, &backwards), ["validity-order"]);
}

#[test]
fn another_issuer_is_found() {
    let world = world();
    let tbs = world.tbs(Profile::Signing, |_| ());
    let findings = lint(Profile::Signing, &tbs, Some(&world.root));
    assert_eq!(rules(&findings), ["issuer-name", "authority-key-identifier"]);
    assert!(rules(&lint(Profile::Signing, &tbs, None)).contains(&"issuer-known"));
    let own = world.tbs(Profile::Signing, |content| {
        content.public_key = world.issuing.public_key().unwrap();
    });
    assert_eq!(world.findings(Profile::Signing, &own), ["own-key"]);
}

#[test]
fn a_changed_key_or_identifier_is_found() {
    let world = world();
    let tbs = world.tbs(Profile::Signing, |_| ());
    let identifier = world.subscriber.public_key().key_identifier();
    let changed = replaced(&tbs, &identifier, &[7; 20]);
    assert_eq!(
        world.findings(Profile::Signing, &changed),
        ["subject-key-identifier"]
    );
    let point = world.subscriber.public_key().to_sec1();
    let mut outside = point;
    outside[64] ^= 1;
    assert_eq!(
        world.findings(Profile::Signing, &replaced(&tbs, &point, &outside)),
        ["structure"]
    );
}

#[test]
fn just_an_encryption_certificate_may_name_sm2_as_its_algorithm() {
    let world = world();
    let with = |profile| world.tbs(profile, |content| content.key_form = KeyForm::Sm2);
    assert_eq!(
        world.findings(Profile::Encryption, &with(Profile::Encryption)),
        [""; 0]
    );
    assert_eq!(
        world.findings(Profile::Signing, &with(Profile::Signing)),
        ["public-key-form"]
    );
}

#[test]
fn a_serial_number_that_is_not_random_positive_or_short_enough_is_found() {
    let world = world();
    let tbs = world.tbs(Profile::Signing, |_| ());
    let serial = world.serial.as_bytes();
    assert_eq!(
        world.findings(Profile::Signing, &replaced(&tbs, serial, &[1; 16])),
        ["serial-entropy"]
    );
    let mut negative = *serial;
    negative[0] |= 0x80;
    assert_eq!(
        world.findings(Profile::Signing, &replaced(&tbs, serial, &negative)),
        ["serial-positive"]
    );
}

#[test]
fn wrong_string_types_and_times_are_found() {
    let world = world();
    let tbs = world.tbs(Profile::Signing, |_| ());
    let printable = replaced(&tbs, &[tag(0x13), b"CN"].concat(), &[tag(0x0c), b"CN"].concat());
    assert_eq!(
        world.findings(Profile::Signing, &printable),
        ["name-string-type", "issuer-name"]
    );
    let late = time::macros::datetime!(2055-01-01 00:00:00 UTC);
    let time = der::write_time(late);
    assert_eq!(&time[..6], &[0x18, 15, b'2', b'0', b'5', b'5']);
    let early = der::write_time(NOW);
    assert_eq!(&early[..4], &[0x17, 13, b'2', b'6']);
}

fn tag(tag: u8) -> &'static [u8] {
    if tag == 0x13 { &[0x13, 2] } else { &[0x0c, 2] }
}

#[test]
fn extensions_marked_or_encoded_wrong_are_found() {
    let world = world();
    let tbs = world.tbs(Profile::Signing, |_| ());
    let usage = [0x03, 0x02, 0x06, KeyUsage::SIGNING.0];
    let loose = replaced(&tbs, &usage, &[0x03, 0x02, 0x00, KeyUsage::SIGNING.0]);
    assert_eq!(world.findings(Profile::Signing, &loose), ["key-usage-encoding"]);
    let unknown = replaced(
        &tbs,
        &der::oid(oid::AUTHORITY_INFO_ACCESS),
        &der::oid(oid::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.2")),
    );
    assert_eq!(world.findings(Profile::Signing, &unknown), ["extension-unknown"]);
    let secure = replaced(&tbs, b"http://ca.example/ocsp", b"https://ca.exampl/ocsp");
    assert_eq!(world.findings(Profile::Signing, &secure), ["url"]);
    let not_true = replaced(&tbs, &[0x01, 0x01, 0xff], &[0x01, 0x01, 0x01]);
    assert_eq!(world.findings(Profile::Signing, &not_true), ["der"]);
    let twice = replaced(
        &tbs,
        &der::oid(oid::SUBJECT_KEY_IDENTIFIER),
        &der::oid(oid::AUTHORITY_KEY_IDENTIFIER),
    );
    assert!(
        world
            .findings(Profile::Signing, &twice)
            .contains(&"extension-twice")
    );
}

#[test]
fn a_wrong_credit_code_is_found() {
    let codes = ["91320100MA1TEST00", "91320100ma1test00x", "91320100MA1TEST00 "];
    let identities = codes.map(|code| Identity::CreditCode(code.into()));
    let world = world();
    for identity in &identities {
        let tbs = world.tbs(Profile::Signing, |content| content.identity = Some(identity));
        assert_eq!(world.findings(Profile::Signing, &tbs), ["organization-code"]);
    }
}

#[test]
fn names_hold_to_their_limits() {
    use crate::name::NameError;
    assert!(Name::unit(&"司".repeat(64), None).is_ok());
    assert_eq!(
        Name::unit(&"司".repeat(65), None),
        Err(NameError::TooLong { max: 64 })
    );
    assert_eq!(Name::person(" ", None), Err(NameError::Value));
    assert_eq!(Name::person("张\n三", None), Err(NameError::Value));
}

#[test]
fn a_term_ends_one_second_before_its_anniversary() {
    let years = |from, years| Validity::years(from, years).unwrap().not_after;
    assert_eq!(
        years(datetime!(2026-11-23 08:00:00.5 UTC), 1),
        datetime!(2027-11-23 07:59:59 UTC)
    );
    assert_eq!(
        years(datetime!(2028-02-29 12:00:00 UTC), 1),
        datetime!(2029-03-01 11:59:59 UTC)
    );
    assert_eq!(
        years(datetime!(2028-02-29 12:00:00 UTC), 4),
        datetime!(2032-02-29 11:59:59 UTC)
    );
}
