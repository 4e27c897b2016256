//! The profiles beside the double certificates, subjects, and numbers in registers.

use super::*;
use crate::Attribute;
use crate::oid::{COMMON_NAME, COUNTRY, LOCALITY, ORGANIZATION, ORGANIZATIONAL_UNIT, STATE};

const OTHERS: [Profile; 6] = [
    Profile::OcspResponder,
    Profile::TimeStamp,
    Profile::SealMaker,
    Profile::Officer,
    Profile::TrustListSigner,
    Profile::TicketSigner,
];

fn named(attributes: &[(oid::ObjectIdentifier, &str)]) -> Name {
    Name::new(attributes.iter().map(|(oid, value)| Attribute::new(*oid, *value))).unwrap()
}

#[test]
fn every_profile_is_clean_with_its_services() {
    let mut world = world();
    world.services.ca_issuers = Some("http://ca.example/1.cer".into());
    world.services.policy = Some(oid::ObjectIdentifier::new_unwrap("1.2.156.112554.1.1"));
    for profile in OTHERS {
        let tbs = world.tbs(profile, |_| ());
        assert_eq!(world.findings(profile, &tbs), [""; 0], "{profile:?}");
        let parsed = TbsCertificate::from_der(&tbs).unwrap();
        for oid in [
            oid::CRL_DISTRIBUTION_POINTS,
            oid::AUTHORITY_INFO_ACCESS,
            oid::CERTIFICATE_POLICIES,
        ] {
            assert!(parsed.extension(oid).is_some(), "{profile:?}");
        }
        for other in OTHERS.into_iter().filter(|other| *other != profile) {
            assert!(
                !world.findings(other, &tbs).is_empty(),
                "{profile:?} as {other:?}"
            );
        }
    }
}

#[test]
fn wrong_purposes_are_found() {
    let world = world();
    let stamp = world.tbs(Profile::TimeStamp, |_| ());
    let other = replaced(&stamp, &der::oid(oid::TIME_STAMPING), &der::oid(oid::CLIENT_AUTH));
    assert_eq!(world.findings(Profile::TimeStamp, &other), ["extended-key-usage"]);
    let no_check = [der::octet_string(&der::null()), der::octet_string(&[1, 0])];
    let responder = world.tbs(Profile::OcspResponder, |_| ());
    let other = replaced(&responder, &no_check[0], &no_check[1]);
    assert!(
        world
            .findings(Profile::OcspResponder, &other)
            .contains(&"ocsp-no-check")
    );
    let signing = world.tbs(Profile::Signing, |_| ());
    assert_eq!(
        world.findings(Profile::SealMaker, &signing),
        [""; 0],
        "they differ in their subjects alone"
    );
    assert_eq!(world.findings(Profile::Officer, &signing), ["extended-key-usage"]);
}

#[test]
fn a_profile_has_its_own_longest_term() {
    let world = world();
    for profile in OTHERS {
        let with = |years| {
            world.tbs(profile, |content| {
                content.validity = Validity::years(NOW, years).unwrap();
            })
        };
        let longest = profile.max_years();
        assert_eq!(world.findings(profile, &with(longest)), [""; 0], "{profile:?}");
        assert_eq!(
            world.findings(profile, &with(longest + 1)),
            ["validity-term"],
            "{profile:?}"
        );
    }
}

#[test]
fn a_name_out_of_order_or_with_hidden_characters_is_found() {
    let world = world();
    let findings = |name: &Name| {
        let tbs = world.tbs(Profile::Signing, |content| content.subject = name);
        world.findings(Profile::Signing, &tbs)
    };
    let whole = [
        (COUNTRY, "CN"),
        (STATE, "江苏省"),
        (LOCALITY, "南京市"),
        (ORGANIZATION, "南京测试有限公司"),
        (ORGANIZATIONAL_UNIT, "财务部"),
        (ORGANIZATIONAL_UNIT, "出纳"),
        (COMMON_NAME, "南京测试有限公司"),
    ];
    assert_eq!(findings(&named(&whole)), [""; 0]);
    let backwards = [
        (COUNTRY, "CN"),
        (COMMON_NAME, "南京测试有限公司"),
        (ORGANIZATION, "南京测试有限公司"),
    ];
    assert_eq!(findings(&named(&backwards)), ["name-order"]);
    let twice = [(COUNTRY, "CN"), (COMMON_NAME, "张三"), (COMMON_NAME, "李四")];
    assert_eq!(findings(&named(&twice)), ["name-order"]);
    for hidden in ["张\u{200b}三", "\u{202e}三张", "张\u{e000}", "张\u{fffd}"] {
        let name = named(&[(COUNTRY, "CN"), (COMMON_NAME, hidden)]);
        assert_eq!(findings(&name), ["name-characters"], "{hidden:?}");
    }
    // Rare ideographs beyond the first plane are names of real people.
    let rare = named(&[(COUNTRY, "CN"), (COMMON_NAME, "张\u{20bb7}·\u{4dae}")]);
    assert_eq!(findings(&rare), [""; 0]);
}

#[test]
fn a_subject_that_does_not_go_with_its_number_is_found() {
    let world = world();
    let code = Identity::CreditCode("91320100MA1TEST00X".into());
    let person = Name::person("张三", Some("南京测试有限公司")).unwrap();
    let tbs = world.tbs(Profile::Signing, |content| {
        (content.identity, content.subject) = (Some(&code), &person);
    });
    assert_eq!(world.findings(Profile::Signing, &tbs), ["subject-unit"]);
    let alone = Name::person("张三", None).unwrap();
    for profile in OTHERS {
        let tbs = world.tbs(profile, |content| content.subject = &alone);
        assert_eq!(
            world.findings(profile, &tbs),
            ["subject-organization"],
            "{profile:?}"
        );
    }
    let tbs = world.tbs(Profile::Officer, |content| content.subject = &person);
    assert_eq!(world.findings(Profile::Officer, &tbs), [""; 0]);
}

#[test]
fn numbers_of_a_unit_and_of_a_person_exclude_each_other() {
    let world = world();
    let insurance = Identity::Insurance("320100197001010000".into());
    let tbs = world.tbs(Profile::Signing, |content| content.identity = Some(&insurance));
    let extension = |oid, number| {
        der::sequence(&[
            &der::oid(oid),
            &der::octet_string(&der::printable_string(number).unwrap()),
        ])
    };
    assert_eq!(world.findings(Profile::Signing, &tbs), [""; 0]);
    let tax = Identity::Tax("320100MA1TEST00X".into());
    let mixed = world.tbs(Profile::Signing, |content| content.identity = Some(&tax));
    let access = extension(oid::TAX_NUMBER, "320100MA1TEST00X");
    assert!(mixed.windows(access.len()).any(|window| window == access));
    // A second extension, put behind the first, with all lengths around it written anew.
    let mut list = TbsCertificate::from_der(&mixed).unwrap();
    list.extensions.push(crate::certificate::Extension {
        oid: oid::INSURANCE_NUMBER,
        critical: false,
        value: der::printable_string("1").unwrap(),
    });
    let mut findings = Findings::default();
    identity::check(&mut findings, Profile::Signing, &list);
    assert_eq!(rules(&findings.0), ["subject-kind"]);
}

#[test]
fn wrong_numbers_in_registers_are_found() {
    let world = world();
    for number in ["320100 1970", "", &"1".repeat(65)] {
        for identity in [
            Identity::Insurance(number.into()),
            Identity::BusinessRegistration(number.into()),
            Identity::Tax(number.into()),
        ] {
            let tbs = world.tbs(Profile::Signing, |content| content.identity = Some(&identity));
            assert_eq!(
                world.findings(Profile::Signing, &tbs),
                ["register-number"],
                "{identity:?}"
            );
        }
    }
}

#[test]
fn a_ca_under_a_ca_that_may_have_none_is_found() {
    let world = world();
    let tbs = world.tbs(Profile::IssuingCa, |_| ());
    assert_eq!(world.findings(Profile::IssuingCa, &tbs), ["issuer-path-length"]);
    assert_eq!(
        rules(&lint(Profile::IssuingCa, &tbs, Some(&world.root))),
        ["issuer-name", "authority-key-identifier"]
    );
}
