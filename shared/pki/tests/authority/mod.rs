//! A CA for tests: a certificate of every profile, a request, a revocation list and status answers. All keys are made anew.

#![allow(dead_code, reason = "each test file uses its part")]

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::{Duration, OffsetDateTime};
use yinxin_pki::crl::{CrlContent, Reason, Revocation};
use yinxin_pki::lint::{lint, lint_crl, lint_ocsp};
use yinxin_pki::ocsp::{
    CertId, CertStatus, OcspHash, ResponderId, ResponseContent, SingleResponse, assemble_response,
};
use yinxin_pki::oid::ObjectIdentifier;
use yinxin_pki::profile::{Content, Identity, Issuer, Profile, Serial, Services, Validity, assemble};
use yinxin_pki::{Attribute, Certificate, Crl, CsrBuilder, KeyForm, Name, SigningKey, oid};

/// The URL of the one list, in the certificates and in the list.
pub const CRL_URL: &str = "http://ca.example/1.crl";

/// A key and its certificate.
pub struct Party {
    /// The key.
    pub key: SigningKey,
    /// The certificate.
    pub certificate: Certificate,
}

/// The parties of one CA.
pub struct Authority {
    /// When all of it was made.
    pub now: OffsetDateTime,
    /// Name of a file and party: every profile; encryption in both forms of the key.
    pub parties: Vec<(&'static str, Party)>,
}

fn named(attributes: &[(ObjectIdentifier, &str)]) -> Name {
    Name::new(attributes.iter().map(|(oid, value)| Attribute::new(*oid, *value))).unwrap()
}

impl Authority {
    /// Issues everything, valid from this second.
    pub fn new(now: OffsetDateTime) -> Self {
        let mut authority = Self {
            now: now.replace_nanosecond(0).unwrap(),
            parties: Vec::new(),
        };
        let unit = Name::unit("南京测试有限公司", Some("江苏省")).unwrap();
        let code = Identity::CreditCode("91320100MA1TEST00X".into());
        let resident = Identity::ResidentId("11010519491231002X".into());
        let person = Name::person("张三", Some("南京测试有限公司")).unwrap();
        let office = |name| {
            named(&[
                (oid::COUNTRY, "CN"),
                (oid::ORGANIZATION, "测试数字证书认证有限公司"),
                (oid::COMMON_NAME, name),
            ])
        };
        authority.issue("root", Profile::RootCa, &office("测试根证书"), None, 30);
        authority.issue("issuing", Profile::IssuingCa, &office("测试签发证书"), None, 20);
        authority.issue("unit-sign", Profile::Signing, &unit, Some(&code), 1);
        authority.issue("unit-encrypt", Profile::Encryption, &unit, Some(&code), 1);
        authority.issue("unit-encrypt-ec", Profile::Encryption, &unit, Some(&code), 1);
        authority.issue("person-sign", Profile::Signing, &person, Some(&resident), 1);
        authority.issue("responder", Profile::OcspResponder, &office("状态查询"), None, 1);
        authority.issue("stamp", Profile::TimeStamp, &office("时间戳"), None, 5);
        authority.issue("seal", Profile::SealMaker, &office("印章制作"), None, 5);
        authority.issue("officer", Profile::Officer, &office("李四"), None, 3);
        authority.issue("trust", Profile::TrustListSigner, &office("信任列表"), None, 5);
        authority.issue("ticket", Profile::TicketSigner, &office("操作凭证"), None, 3);
        authority
    }

    /// The party whose file has this name.
    pub fn party(&self, name: &str) -> &Party {
        &self.parties.iter().find(|(found, _)| *found == name).unwrap().1
    }

    fn issue(
        &mut self,
        file: &'static str,
        profile: Profile,
        subject: &Name,
        identity: Option<&Identity>,
        years: u8,
    ) {
        let rng = &mut UnwrapErr(SysRng);
        let key = SigningKey::generate(rng);
        let by = match profile {
            Profile::RootCa => None,
            Profile::IssuingCa => Some(self.party("root")),
            _ => Some(self.party("issuing")),
        };
        let issuer = by.map_or_else(
            || Issuer::itself(subject.clone(), key.public_key()),
            |party| Issuer::of(&party.certificate),
        );
        let tbs = profile.to_tbs(&Content {
            serial: &Serial::random(rng),
            issuer: &issuer,
            validity: Validity::years(self.now, years).unwrap(),
            subject,
            public_key: key.public_key(),
            key_form: if file == "unit-encrypt" {
                KeyForm::Sm2
            } else {
                KeyForm::EcPublicKey
            },
            identity,
            services: &Services {
                crl: Some(CRL_URL.into()),
                ocsp: Some("http://ca.example/ocsp".into()),
                ca_issuers: Some("http://ca.example/issuing.cer".into()),
                policy: Some(ObjectIdentifier::new_unwrap("1.3.6.1.4.1.55555.1")),
            },
        });
        assert_eq!(
            lint(profile, &tbs, by.map(|party| &party.certificate)),
            [],
            "{file}"
        );
        let signature = by.map_or(&key, |party| &party.key).sign(&tbs).unwrap();
        let certificate = Certificate::from_der(&assemble(&tbs, &signature)).unwrap();
        self.parties.push((file, Party { key, certificate }));
    }

    /// The request for the unit's signing certificate.
    pub fn request(&self) -> Vec<u8> {
        let unit = self.party("unit-sign");
        CsrBuilder::new(unit.certificate.subject(), unit.key.public_key())
            .sign_with(|info| unit.key.sign(info))
            .unwrap()
    }

    /// The issuing CA's list: the person's certificate, and another one, are revoked.
    pub fn crl(&self) -> Crl {
        let revoked = [
            Revocation {
                serial: self.party("person-sign").certificate.serial().to_vec(),
                at: self.now,
                reason: Reason::KeyCompromise,
                invalidity_date: Some(self.now - Duration::DAY),
            },
            Revocation {
                serial: vec![0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48],
                at: self.now,
                reason: Reason::Unspecified,
                invalidity_date: None,
            },
        ];
        self.list("issuing", Some(CRL_URL), &revoked)
    }

    /// The root's list, the one of all its certificates; nothing is revoked.
    pub fn root_crl(&self) -> Crl {
        self.list("root", None, &[])
    }

    fn list(&self, issuer: &str, distribution_point: Option<&str>, revoked: &[Revocation]) -> Crl {
        let issuer = self.party(issuer);
        let tbs = CrlContent {
            issuer: &Issuer::of(&issuer.certificate),
            number: 1,
            this_update: self.now,
            next_update: self.now + Duration::days(7),
            distribution_point,
            revoked,
        }
        .to_tbs();
        assert_eq!(lint_crl(&tbs, &issuer.certificate), []);
        Crl::from_der(&assemble(&tbs, &issuer.key.sign(&tbs).unwrap())).unwrap()
    }

    /// The responder's answer: the unit's certificate is good, the person's revoked, a third one unknown.
    pub fn answer(&self, hash: OcspHash, nonce: Option<&[u8]>) -> Vec<u8> {
        let (issuing, responder) = (self.party("issuing"), self.party("responder"));
        let single = |serial: &[u8], status| SingleResponse {
            cert_id: CertId::of(&issuing.certificate, serial, hash),
            status,
            this_update: self.now,
            next_update: Some(self.now + Duration::DAY),
            unknown_critical: false,
        };
        let revoked = CertStatus::Revoked {
            at: self.now,
            reason: Some(Reason::KeyCompromise),
        };
        let responses = [
            single(
                self.party("unit-sign").certificate.serial_content(),
                CertStatus::Good,
            ),
            single(self.party("person-sign").certificate.serial_content(), revoked),
            single(&[0x41, 0x42, 0x43], CertStatus::Unknown),
        ];
        let tbs = ResponseContent {
            responder: &ResponderId::key_of(&responder.certificate),
            produced_at: self.now,
            responses: &responses,
            nonce,
        }
        .to_tbs();
        assert_eq!(lint_ocsp(&tbs, &responder.certificate), []);
        let signature = responder.key.sign(&tbs).unwrap();
        assemble_response(&tbs, &signature, &[&responder.certificate])
    }
}
