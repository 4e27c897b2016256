//! A program in C loads the library and walks the usual call orders; what it made is judged by OpenSSL.
#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]
mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use common::*;
use tempfile::TempDir;
use time::OffsetDateTime;
use yinxin_pki::{
    Certificate, KeyForm, Name, PublicKey, SigningKey,
    key::signature_from_raw,
    profile::{Content, Identity, Issuer, Profile, Serial, Services, Validity, assemble},
};
use yinxin_softskf::{Cost, NewDevice, Settings, blob::EccCipher, make_device};

/// Of the vector that the program imports.
const ENCRYPTION_D: &str = "4b431c5df04991ecfb26d86c7c747e011e95d23ed76e164e640e8424f895d345";

struct Walk {
    /// The devices.
    tokens: TempDir,
    /// The program, and what it and this test give each other.
    work: TempDir,
}

/// Where cargo puts the shared library: beside this test.
fn library() -> PathBuf {
    let path = std::env::current_exe()
        .unwrap()
        .with_file_name(if cfg!(target_os = "macos") {
            "libyinxin_softskf.dylib"
        } else {
            "libyinxin_softskf.so"
        });
    assert!(path.is_file(), "{} is not built", path.display());
    path
}

fn compile(directory: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1"])
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("tests/c/walk.c"))
        .arg("-o")
        .arg(directory.join("walk"))
        .arg("-ldl")
        .output()
        .expect("a C compiler is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Walk {
    fn new() -> Self {
        let walk = Self {
            tokens: tempfile::tempdir().unwrap(),
            work: tempfile::tempdir().unwrap(),
        };
        compile(walk.work.path());
        let new = NewDevice {
            label: LABEL,
            serial: Some(SERIAL),
            auth_key: Some(AUTH_KEY),
            cost: Cost::new(10).unwrap(),
            application: None,
        };
        make_device(&Settings::new(walk.tokens.path()), &new).unwrap();
        walk
    }

    fn run(&self, part: &str, variables: &[(&str, &str)]) -> Output {
        Command::new(self.work.path().join("walk"))
            .arg(library())
            .arg(part)
            .arg(self.work.path())
            .env("YINXIN_SOFTSKF_DIR", self.tokens.path())
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    fn go(&self, part: &str, variables: &[(&str, &str)]) {
        let output = self.run(part, variables);
        assert!(
            output.status.success(),
            "{part}: {:?} {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.work.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.work.path().join(name), bytes).unwrap();
    }

    fn signing_key(&self) -> PublicKey {
        let blob = self.read("signing-key");
        PublicKey::from_sec1(&[&[4], &blob[36..68], &blob[100..132]].concat()).unwrap()
    }
}

fn certificate(profile: Profile, key: &PublicKey) -> Certificate {
    let rng = &mut yinxin_pki::rand_core::UnwrapErr(getrandom::SysRng);
    let ca = SigningKey::generate(rng);
    let tbs = profile.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer: &Issuer::itself(Name::unit("测试签发证书", None).unwrap(), ca.public_key()),
        validity: Validity::years(OffsetDateTime::now_utc(), 1).unwrap(),
        subject: &Name::unit("南京测试有限公司", Some("江苏省")).unwrap(),
        public_key: key,
        key_form: KeyForm::EcPublicKey,
        identity: Some(&Identity::CreditCode("91320100MA1TEST00X".into())),
        services: &Services {
            crl: Some("http://ca.example/issuing.crl".into()),
            ocsp: None,
            ca_issuers: None,
            policy: None,
        },
    });
    Certificate::from_der(&assemble(&tbs, &ca.sign(&tbs).unwrap())).unwrap()
}

#[test]
fn a_c_program_walks_the_call_orders_and_openssl_agrees() {
    let walk = Walk::new();
    walk.go("make", &[]);
    let key = walk.signing_key();
    let signature = walk.read("signature");
    let raw: [u8; 64] = [&signature[32..64], &signature[96..128]]
        .concat()
        .try_into()
        .unwrap();
    let signature = signature_from_raw(&raw).unwrap();
    assert_eq!(key.verify(b"walked by C", &signature), Ok(()));
    let has_openssl = !openssl_is_missing();
    if has_openssl {
        assert!(openssl_verifies(&key.to_spki_der(), b"walked by C", &signature));
        assert!(!openssl_verifies(&key.to_spki_der(), b"walked by D", &signature));
    }

    let scalar: [u8; 32] = hex::decode(ENCRYPTION_D).unwrap().try_into().unwrap();
    let encryption = SigningKey::from_scalar(&scalar).unwrap();
    walk.write("signing.cer", certificate(Profile::Signing, &key).as_der());
    walk.write(
        "encryption.cer",
        certificate(Profile::Encryption, encryption.public_key()).as_der(),
    );
    walk.write("plain", b"sixteen bytes ok");
    walk.write("encryption.pem", encryption.to_pkcs8_pem().as_bytes());
    let cipher = if has_openssl {
        let arguments = ["pkeyutl", "-encrypt", "-inkey", "encryption.pem", "-in", "plain"];
        openssl(walk.work.path(), &arguments).unwrap()
    } else {
        let rng = &mut yinxin_pki::rand_core::UnwrapErr(getrandom::SysRng);
        encryption.public_key().encrypt(b"sixteen bytes ok", rng).unwrap()
    };
    walk.write(
        "cipher",
        &EccCipher::from_der(&cipher).unwrap().to_blob().unwrap(),
    );
    walk.go("import", &[]);
    if has_openssl {
        walk.write(
            "out.der",
            &EccCipher::from_blob(&walk.read("cipher-out")).unwrap().to_der(),
        );
        let arguments = [
            "pkeyutl",
            "-decrypt",
            "-inkey",
            "encryption.pem",
            "-in",
            "out.der",
        ];
        assert_eq!(openssl(walk.work.path(), &arguments).unwrap(), b"to be opened");
    }

    walk.go("lock", &[]);
    walk.go("pull", &[("YINXIN_SOFTSKF_FAULT", "SKF_ECCSignData:2")]);
}

#[test]
fn a_fault_that_cannot_be_read_stops_every_call_instead_of_being_forgotten() {
    let walk = Walk::new();
    let output = walk.run("make", &[("YINXIN_SOFTSKF_FAULT", "ImportCertificate:1")]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.trim_end().ends_with(": 0A00000C"), "{message}");
}
