//! Deliveries that do not fit are refused before anything of them is written.
use yinxin_agent::{
    personalise::{PersonaliseError, delivery::DeliveryError},
    token::{Token as _, TokenError, Usage, vault::rng},
};
use yinxin_pki::{EnvelopedKey, SigningKey};

use crate::{
    authority::{Authority, Parts},
    world::World,
};

async fn refusal(tamper: fn(&mut Parts, &Authority)) -> PersonaliseError {
    let world = World::new();
    world.platform.records().tamper = Some(tamper);
    let Err(error) = world.run().await else {
        panic!("a delivery that does not fit was written")
    };
    let token = world.token();
    assert!(token.certificate(Usage::Signing).unwrap().is_none());
    assert!(token.certificate(Usage::Encryption).unwrap().is_none());
    assert!(token.public_key(Usage::Encryption).unwrap().is_none());
    assert!(world.platform.records().reports.is_empty());
    error
}

#[tokio::test]
async fn a_signing_certificate_for_another_key() {
    let error = refusal(|parts, authority| {
        let other = SigningKey::generate(&mut rng());
        parts.signing = authority
            .issue_for(parts.signing.subject(), other.public_key())
            .signing;
    });
    assert!(matches!(
        error.await,
        PersonaliseError::Delivery(DeliveryError::OtherToken)
    ));
}

#[tokio::test]
async fn an_encryption_certificate_for_another_key() {
    let error = refusal(|parts, authority| {
        parts.encryption = authority
            .issue_for(parts.signing.subject(), parts.signing.public_key().unwrap())
            .encryption;
    });
    assert!(matches!(
        error.await,
        PersonaliseError::Delivery(DeliveryError::OtherEncryptionKey)
    ));
}

#[tokio::test]
async fn an_enveloped_key_for_another_token() {
    let error = refusal(|parts, authority| {
        let other = SigningKey::generate(&mut rng());
        let others = authority.issue_for(parts.signing.subject(), other.public_key());
        parts.encryption = others.encryption;
        parts.enveloped_key = others.enveloped_key;
    });
    assert!(matches!(
        error.await,
        PersonaliseError::Token(TokenError::Envelope(_))
    ));
}

#[tokio::test]
async fn one_key_for_both_uses() {
    let error = refusal(|parts, authority| {
        let same = SigningKey::generate(&mut rng());
        let issued = authority.issue_for(parts.signing.subject(), same.public_key());
        parts.enveloped_key = EnvelopedKey::seal(&same, parts.signing.public_key().unwrap(), &mut rng());
        parts.encryption = issued.signing;
    });
    assert!(matches!(
        error.await,
        PersonaliseError::Delivery(DeliveryError::Usage)
    ));
}

#[tokio::test]
async fn a_chain_of_another_authority() {
    let error = refusal(|parts, _| {
        let impostor = Authority::new();
        parts.chain = impostor
            .issue_for(parts.signing.subject(), parts.signing.public_key().unwrap())
            .chain;
    });
    assert!(matches!(
        error.await,
        PersonaliseError::Delivery(DeliveryError::Chain { .. })
    ));
}

#[tokio::test]
async fn a_chain_without_its_root() {
    let error = refusal(|parts, _| parts.chain.truncate(1));
    assert!(matches!(
        error.await,
        PersonaliseError::Delivery(DeliveryError::Chain { .. })
    ));
}
