//! A token that is pulled out at each call of a renewal in turn: either the old certificates work or the new ones, what was
//! encrypted to the old ones opens, and the next run completes the order.
use std::{fs, sync::PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_agent::{
    operations::renewal::{Renewal, request},
    personalise::journal::CHAIN_RECORD,
    token::{SkfToken, Token as _, Usage, containers::select_addressee, vault::rng},
};
use yinxin_pki::{
    Certificate, Csr, EnvelopedKey, Name,
    chain::verify_chain,
    cms_envelope::{self, Envelope},
    pem,
};

use crate::{
    authority::{Authority, Parts},
    pulled::{ALONE, CALLS, CHANGES, lose, open, tell},
    soft_token::SoftToken,
    world::{ADMIN_PIN, PIN, pin},
};

const ORDER: &str = "20261123A48201937";
const OTHER_ORDER: &str = "20261124A00000001";
/// For which order the program asks for new keys.
const REQUEST: &str = "YINXIN_TEST_REQUEST";
/// What the program writes.
const RENEWAL: &str = "YINXIN_TEST_RENEWAL";
const PROGRAM: &str = "pulled_renewals::one_step_of_a_renewal";

#[test]
#[ignore = "run by the tests below as a program of its own"]
fn one_step_of_a_renewal() {
    let requested = std::env::var(REQUEST).ok();
    let renewal = std::env::var(RENEWAL).ok();
    if requested.is_none() && renewal.is_none() {
        return;
    }
    let result = match open() {
        Some(Ok(mut token)) => step(&mut token, requested.as_deref(), renewal.as_deref()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("the token is not there".to_owned()),
    };
    tell(&result);
}

fn step(token: &mut SkfToken, requested: Option<&str>, renewal: Option<&str>) -> Result<(), String> {
    token.lock().map_err(|error| error.to_string())?;
    token.login(&pin(PIN)).map_err(|error| error.to_string())?;
    if let Some(order) = requested {
        let csr = request(token, order).map_err(|error| error.to_string())?;
        println!("{}", csr.replace('\n', " "));
    }
    if let Some(renewal) = renewal {
        write(token, &read(renewal)).map_err(|error| error.to_string())?;
    }
    token.logout();
    Ok(())
}

fn write(token: &mut SkfToken, renewal: &Renewal) -> Result<(), yinxin_agent::operations::OperationError> {
    renewal.write(token, ORDER, OffsetDateTime::now_utc()).map(drop)
}

/// A renewal as the program is given it.
fn told(renewal: &Renewal) -> String {
    json!({
        "signing": renewal.signing.to_pem(),
        "encryption": renewal.encryption.to_pem(),
        "chain": pem::encode_chain(&renewal.chain),
        "enveloped_key": renewal.enveloped_key.as_ref().map(|key| STANDARD.encode(key.as_der())),
    })
    .to_string()
}

fn read(told: &str) -> Renewal {
    let told: Value = serde_json::from_str(told).unwrap();
    let certificate = |field: &str| Certificate::from_pem(told[field].as_str().unwrap()).unwrap();
    Renewal {
        signing: certificate("signing"),
        encryption: certificate("encryption"),
        chain: pem::decode_chain(told["chain"].as_str().unwrap()).unwrap(),
        enveloped_key: told["enveloped_key"]
            .as_str()
            .map(|key| EnvelopedKey::from_der(&STANDARD.decode(key).unwrap()).unwrap()),
    }
}

/// A token with certificates of one CA, which another one renews.
struct Held {
    soft_token: SoftToken,
    old: Parts,
    authority: Authority,
    /// To the old encryption certificate.
    letter: Vec<u8>,
}

impl Held {
    fn new() -> Self {
        let soft_token = SoftToken::new("Old", PIN, ADMIN_PIN);
        let mut token = soft_token.open();
        token.login(&pin(PIN)).unwrap();
        let key = token.generate_signing_key().unwrap();
        let old = Authority::new().issue_for(&holder(), &key);
        token.import_enveloped_key(&old.enveloped_key).unwrap();
        token.import_certificate(Usage::Signing, &old.signing).unwrap();
        token
            .import_certificate(Usage::Encryption, &old.encryption)
            .unwrap();
        token
            .write_record(CHAIN_RECORD, pem::encode_chain(&old.chain).as_bytes())
            .unwrap();
        drop(token);
        Self {
            letter: cms_envelope::seal(b"a bid", &old.encryption, &mut rng()).unwrap(),
            authority: Authority::new(),
            soft_token,
            old,
        }
    }

    fn logged_in(&self) -> SkfToken {
        let mut token = self.soft_token.open();
        token.login(&pin(PIN)).unwrap();
        token
    }

    fn for_the_same_keys(&self) -> Renewal {
        let key = |certificate: &Certificate| certificate.public_key().unwrap().clone();
        let keys = (key(&self.old.signing), key(&self.old.encryption));
        let [signing, encryption] = self.authority.renew(&holder(), &keys.0, &keys.1, 2);
        Renewal {
            signing,
            encryption,
            chain: self.authority.chain(),
            enveloped_key: None,
        }
    }

    fn for_new_keys(&self, csr: &str) -> Renewal {
        let parts = self.authority.issue(&Csr::from_pem(csr).unwrap());
        Renewal {
            signing: parts.signing,
            encryption: parts.encryption,
            chain: parts.chain,
            enveloped_key: Some(parts.enveloped_key),
        }
    }

    /// Pulls the token, which is each time as it is now, at each call of the program, and has it judged after each.
    fn pull_everywhere(&self, variable: (&str, &str), judge: impl Fn(&str)) -> usize {
        let before = fs::read(self.soft_token.file()).unwrap();
        let mut pulled = 0;
        for call in CALLS.into_iter().chain(["SKF_DeleteContainer"]) {
            let after = CHANGES.contains(&call).then_some(":lost");
            for moment in std::iter::once("").chain(after) {
                for number in 1.. {
                    fs::write(self.soft_token.file(), &before).unwrap();
                    let fault = format!("{call}:{number}{moment}");
                    let (was_pulled, told) = lose(PROGRAM, &self.soft_token.serial, &fault, &[variable]);
                    if !was_pulled {
                        assert_eq!(told, "done", "{fault}");
                        break;
                    }
                    pulled += 1;
                    let is_plain = ["done", "the token is not there"].contains(&told.as_str());
                    assert!(is_plain || told.contains("pulled out"), "{fault}: {told}");
                    judge(&fault);
                }
            }
        }
        pulled
    }

    /// What holds at every moment: signing certificate, key and CA certificates belong together, the encryption certificate
    /// that is shown decrypts, and the old letter opens. The two certificates.
    fn assert_works(&self, fault: &str) -> (Certificate, Certificate) {
        let mut token = self.logged_in();
        let held = |usage| token.certificate(usage).unwrap().expect("a certificate");
        let (signing, encryption) = (held(Usage::Signing), held(Usage::Encryption));
        let signature = token.sign(b"message").unwrap();
        let key = signing.public_key().unwrap();
        assert!(key.verify(b"message", &signature).is_ok(), "{fault}");
        let record = token.record(CHAIN_RECORD).unwrap().unwrap();
        let record = pem::decode_chain(std::str::from_utf8(&record).unwrap()).unwrap();
        for certificate in [&signing, &encryption] {
            let chain = above(certificate, &record);
            verify_chain(certificate, &chain, OffsetDateTime::now_utc())
                .unwrap_or_else(|error| panic!("{fault}: {error}"));
        }
        let letter = cms_envelope::seal(b"another bid", &encryption, &mut rng()).unwrap();
        assert_eq!(opened(&mut token, &letter), b"another bid", "{fault}");
        assert_eq!(opened(&mut token, &self.letter), b"a bid", "{fault}");
        (signing, encryption)
    }

    fn assert_is_old(&self, fault: &str) {
        let held = self.assert_works(fault);
        assert!(
            held == (self.old.signing.clone(), self.old.encryption.clone()),
            "{fault}"
        );
    }

    fn assert_is_new(&self, renewal: &Renewal, fault: &str) {
        let held = self.assert_works(fault);
        assert!(
            held == (renewal.signing.clone(), renewal.encryption.clone()),
            "{fault}"
        );
    }
}

fn holder() -> Name {
    Name::unit("示例建筑有限公司", None).unwrap()
}

/// The certificates above one, from a heap of them.
fn above(certificate: &Certificate, heap: &[Certificate]) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    while chain.len() < heap.len() {
        let last = chain.last().unwrap_or(certificate);
        // Both CAs of these tests have the same names.
        let issuer = heap
            .iter()
            .find(|issuer| yinxin_pki::chain::verify_link(last, issuer).is_ok());
        match issuer {
            Some(issuer) if issuer != last => chain.push(issuer.clone()),
            _ => break,
        }
    }
    chain
}

/// Opens a letter as the service does: in the container that it is addressed to.
fn opened(token: &mut SkfToken, letter: &[u8]) -> Vec<u8> {
    let letter = Envelope::from_der(letter).unwrap();
    let is_addressee = |certificate: &Certificate| letter.session_key_for(certificate).is_some();
    let certificate = select_addressee(token, is_addressee)
        .unwrap()
        .expect("an addressee");
    let session_key = letter.session_key_for(&certificate).unwrap();
    let blocks = token.decrypt_under(session_key, letter.ciphertext()).unwrap();
    letter.open_blocks(blocks).unwrap().to_vec()
}

#[test]
fn renewed_certificates_for_the_same_keys_survive_a_pull_at_any_call() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let held = Held::new();
    let renewal = held.for_the_same_keys();
    let pulled = held.pull_everywhere((RENEWAL, &told(&renewal)), |fault| {
        let (signing, encryption) = held.assert_works(fault);
        // Two imports: for a moment one may be new and the other old, both for the keys that are there.
        assert!(
            [&held.old.signing, &renewal.signing].contains(&&signing),
            "{fault}"
        );
        assert!(
            [&held.old.encryption, &renewal.encryption].contains(&&encryption),
            "{fault}"
        );
        write(&mut held.logged_in(), &renewal).unwrap_or_else(|error| panic!("{fault}: {error}"));
        held.assert_is_new(&renewal, fault);
    });
    assert!(pulled > 80, "only {pulled} calls were lost");
}

#[test]
fn asking_for_new_keys_survives_a_pull_at_any_call() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let held = Held::new();
    let pulled = held.pull_everywhere((REQUEST, ORDER), |fault| {
        held.assert_is_old(fault);
        let ask = || request(&mut held.logged_in(), ORDER).unwrap_or_else(|error| panic!("{fault}: {error}"));
        let csr = ask();
        assert_eq!(ask(), csr, "{fault}");
        let containers = held.logged_in().containers().unwrap();
        assert_eq!(containers.len(), 2, "{fault}: {containers:?}");
        let renewal = held.for_new_keys(&csr);
        write(&mut held.logged_in(), &renewal).unwrap_or_else(|error| panic!("{fault}: {error}"));
        held.assert_is_new(&renewal, fault);
    });
    assert!(pulled > 60, "only {pulled} calls were lost");
}

#[test]
fn giving_up_an_abandoned_renewal_survives_a_pull_at_any_call() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let held = Held::new();
    request(&mut held.logged_in(), OTHER_ORDER).unwrap();
    let pulled = held.pull_everywhere((REQUEST, ORDER), |fault| {
        held.assert_is_old(fault);
        let csr = request(&mut held.logged_in(), ORDER).unwrap_or_else(|error| panic!("{fault}: {error}"));
        let containers = held.logged_in().containers().unwrap();
        assert_eq!(containers.len(), 2, "{fault}: {containers:?}");
        let renewal = held.for_new_keys(&csr);
        write(&mut held.logged_in(), &renewal).unwrap_or_else(|error| panic!("{fault}: {error}"));
        held.assert_is_new(&renewal, fault);
    });
    assert!(pulled > 70, "only {pulled} calls were lost");
}

#[test]
fn certificates_for_new_keys_survive_a_pull_at_any_call() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let held = Held::new();
    let csr = request(&mut held.logged_in(), ORDER).unwrap();
    let renewal = held.for_new_keys(&csr);
    let pulled = held.pull_everywhere((RENEWAL, &told(&renewal)), |fault| {
        let certificates = held.assert_works(fault);
        if certificates.0 == renewal.signing {
            held.assert_is_new(&renewal, fault);
        } else {
            held.assert_is_old(fault);
        }
        write(&mut held.logged_in(), &renewal).unwrap_or_else(|error| panic!("{fault}: {error}"));
        held.assert_is_new(&renewal, fault);
        // Afterwards the order is finished, wherever it was broken.
        assert!(request(&mut held.logged_in(), ORDER).is_err(), "{fault}");
    });
    assert!(pulled > 90, "only {pulled} calls were lost");
}
