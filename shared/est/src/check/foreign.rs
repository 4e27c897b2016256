//! A client certificate that nobody has heard of: self-signed, ECDSA P-256, made for the moment.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use time::{Duration, OffsetDateTime};
use yinxin_pki::name::Attribute;
use yinxin_pki::{Name, der, oid, pem};

/// Certificate and private key, PEM; `None` if the machine has no randomness.
pub(super) fn identity(now: OffsetDateTime) -> Option<String> {
    let rng = SystemRandom::new();
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok()?;
    let name = Name::new([Attribute::new(oid::COMMON_NAME, "TEST ONLY unknown client")]).ok()?;
    let algorithm = der::sequence(&[&der::oid(oid::ECDSA_WITH_SHA256)]);
    let spki = der::sequence(&[
        &der::sequence(&[&der::oid(oid::EC_PUBLIC_KEY), &der::oid(oid::P256)]),
        &der::bit_string(0, key.public_key().as_ref()),
    ]);
    let validity = der::sequence(&[
        &der::write_time(now - Duration::HOUR),
        &der::write_time(now + Duration::DAY),
    ]);
    let tbs = der::sequence(&[
        &der::explicit(0, &der::integer(&[2])),
        &der::integer(&[1]),
        &algorithm,
        name.as_der(),
        &validity,
        name.as_der(),
        &spki,
    ]);
    let signature = key.sign(&rng, &tbs).ok()?;
    let certificate = der::sequence(&[&tbs, &algorithm, &der::bit_string(0, signature.as_ref())]);
    let private = key.private_key().as_der().ok()?;
    // RFC 5915: what `as_der` gives.
    Some(pem::encode(pem::CERTIFICATE, &certificate) + &pem::encode("EC PRIVATE KEY", private.as_ref()))
}
