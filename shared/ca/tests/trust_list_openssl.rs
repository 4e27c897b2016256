//! The signature of the trust list, checked by OpenSSL over the attributes as they stand in the document.
//! Skipped where OpenSSL is not installed, unless `REQUIRE_OPENSSL` is set.
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::process::Command;
use std::sync::Arc;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::macros::datetime;
use yinxin_ca::ceremony::{self, Above};
use yinxin_ca::trust_list::{ListSigner, StoredTrustList, sign};
use yinxin_ca::{Signer, SoftwareKey};
use yinxin_pki::der::{Tlv, tag};
use yinxin_pki::profile::Profile;
use yinxin_pki::{SigningKey, pem};

#[tokio::test]
async fn openssl_verifies_the_signature_of_a_trust_list() {
    let (now, mut rng) = (datetime!(2026-04-07 02:00 UTC), UnwrapErr(SysRng));
    let made = ceremony::init("platform", "印信平台", now, &mut rng).unwrap();
    let key: Arc<dyn Signer> = Arc::new(SoftwareKey::new(SigningKey::generate(&mut rng)));
    let above = Above {
        certificate: &made.root.certificate,
        key: &SoftwareKey::new(made.root.key.clone()),
    };
    let name = ceremony::name("印信平台", "trust list signer").unwrap();
    let profile = Profile::TrustListSigner;
    let certificate = ceremony::certify(profile, &name, key.public_key(), &above, now, 5, &mut rng)
        .await
        .unwrap();
    let mut stored = StoredTrustList::new(now);
    stored.record(now).unwrap();
    let record = stored.recorded.unwrap();
    let signer = ListSigner {
        certificate,
        key: key.clone(),
    };
    let document = sign(&signer, &record.content, record.signing_time).await.unwrap();

    // GM/T 0010: what is signed is the attributes with the tag of a SET, in the order in which they stand.
    let mut content_info = Tlv::whole(&document).unwrap().reader();
    content_info.any().unwrap();
    let mut signed_data = Tlv::whole(content_info.any().unwrap().value).unwrap().reader();
    let mut signer_infos = signed_data.any().unwrap();
    while !signed_data.is_empty() {
        signer_infos = signed_data.any().unwrap();
    }
    let mut signer_info = Tlv::whole(signer_infos.value).unwrap().reader();
    let fields: Vec<Tlv<'_>> = std::iter::from_fn(|| signer_info.any().ok()).collect();
    let mut attributes = fields[3].raw.to_vec();
    attributes[0] = tag::SET;
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    write("attributes", &attributes);
    write("signature", fields[5].value);
    write(
        "key.pem",
        pem::encode("PUBLIC KEY", &key.public_key().to_spki_der()).as_bytes(),
    );
    let verify = || {
        Command::new("openssl")
            .args([
                "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pubin", "-inkey", "key.pem",
            ])
            .args(["-in", "attributes", "-sigfile", "signature"])
            .args(["-pkeyopt", "distid:1234567812345678"])
            .current_dir(directory.path())
            .output()
    };
    let answer = match verify() {
        Ok(answer) => answer,
        Err(_) if std::env::var_os("REQUIRE_OPENSSL").is_none() => return,
        Err(error) => panic!("openssl does not run: {error}"),
    };
    assert!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    attributes[40] ^= 1;
    write("attributes", &attributes);
    assert!(!verify().unwrap().status.success());
}
