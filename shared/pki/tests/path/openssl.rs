//! A CA of two levels that OpenSSL runs in a folder of its own.

use std::path::Path;
use std::process::Command;

use yinxin_pki::{Certificate, Crl, OcspResponse, pem};

/// Algorithms of a chain.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Rsa(&'static str),
    RsaPss(&'static str),
    RsaSha1,
    P256,
    P384,
    P521,
    EcSha1,
    Ed25519,
    Sm2,
    Sm2As(&'static str),
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Rsa("sha256"),
        Self::Rsa("sha512"),
        Self::RsaPss("sha256"),
        Self::RsaPss("sha384"),
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Ed25519,
        Self::Sm2,
    ];

    fn key(self) -> Vec<&'static str> {
        match self {
            Self::Rsa(_) | Self::RsaPss(_) | Self::RsaSha1 => {
                vec!["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            }
            Self::P256 | Self::EcSha1 => vec!["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Self::P384 => vec!["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            Self::P521 => vec!["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
            Self::Ed25519 => vec!["-algorithm", "ED25519"],
            Self::Sm2 | Self::Sm2As(_) => vec!["-algorithm", "SM2"],
        }
    }

    fn digest(self) -> &'static str {
        match self {
            Self::Rsa(digest) | Self::RsaPss(digest) => digest,
            Self::RsaSha1 | Self::EcSha1 => "sha1",
            Self::P256 => "sha256",
            Self::P384 => "sha384",
            Self::P521 => "sha512",
            Self::Ed25519 => "default",
            Self::Sm2 | Self::Sm2As(_) => "sm3",
        }
    }

    /// How `ca` signs; OpenSSL's own identity of SM2 signers is the empty one.
    fn signing(self) -> Vec<String> {
        let option = |value: &str| vec!["-sigopt".to_owned(), value.to_owned()];
        match self {
            Self::RsaPss(_) => [option("rsa_padding_mode:pss"), option("rsa_pss_saltlen:digest")].concat(),
            Self::Sm2 => option("distid:1234567812345678"),
            Self::Sm2As(id) => option(&format!("distid:{id}")),
            _ => Vec::new(),
        }
    }
}

pub struct Authority {
    folder: tempfile::TempDir,
    kind: Kind,
    pub root: Certificate,
    pub issuing: Certificate,
}

const CONFIGURATION: &str = "
[ca]
default_ca = issuing
[common]
new_certs_dir = .
policy = any
default_days = 365
default_crl_days = 30
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
";

impl Authority {
    pub fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let mut configuration = CONFIGURATION.to_owned();
        for ca in ["root", "issuing"] {
            let section = format!(
                "[{ca}]\ndatabase = {ca}.index\nserial = {ca}.serial\ncertificate = {ca}.pem\nprivate_key = {ca}.key\n\
                 default_md = {}\nnew_certs_dir = .\npolicy = any\ndefault_days = 365\ndefault_crl_days = 30\n\
                 unique_subject = no\n",
                kind.digest()
            );
            configuration.push_str(&section);
            std::fs::write(path.join(format!("{ca}.index")), "").unwrap();
            std::fs::write(path.join(format!("{ca}.serial")), "41A0\n").unwrap();
        }
        std::fs::write(path.join("ca.cnf"), configuration).unwrap();
        request(path, kind, "root");
        request(path, kind, "issuing");
        sign(path, kind, "root", "root", "authority", true);
        sign(path, kind, "root", "issuing", "authority", false);
        let (root, issuing) = (read(path, "root"), read(path, "issuing"));
        Self {
            folder,
            kind,
            root,
            issuing,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate of the issuing CA, with further extensions.
    pub fn issue(&self, name: &str, extensions: &[&str]) -> Certificate {
        request(self.path(), self.kind, name);
        let mut section = format!("[{name}]\nkeyUsage = critical,digitalSignature,nonRepudiation\n");
        for extension in extensions {
            section.extend([extension, "\n"]);
        }
        append(self.path(), &section);
        sign(self.path(), self.kind, "issuing", name, name, false);
        read(self.path(), name)
    }

    /// What the holder of a certificate signs without being a CA.
    pub fn issue_by(&self, signer: &str, name: &str) -> Certificate {
        request(self.path(), self.kind, name);
        let (signer, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let (csr, out) = (format!("{name}.csr"), format!("{name}.pem"));
        let arguments = [
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            &signer,
            "-CAkey",
            &key,
            "-set_serial",
            "7",
            "-days",
            "30",
            "-out",
            &out,
        ];
        run(self.path(), &arguments);
        read(self.path(), name)
    }

    pub fn revoke(&self, name: &str) {
        let certificate = format!("{name}.pem");
        let arguments = [
            "ca",
            "-config",
            "ca.cnf",
            "-name",
            "issuing",
            "-revoke",
            &certificate,
        ];
        run(self.path(), &arguments);
    }

    /// The list of one of the CAs, made now.
    pub fn list(&self, ca: &str) -> Crl {
        let options = self.kind.signing();
        let mut arguments = vec![
            "ca", "-config", "ca.cnf", "-name", ca, "-gencrl", "-out", "list.pem",
        ];
        arguments.extend(options.iter().map(String::as_str));
        run(self.path(), &arguments);
        Crl::from_pem(&std::fs::read_to_string(self.path().join("list.pem")).unwrap()).unwrap()
    }

    /// An answer about a certificate, signed by somebody.
    pub fn answer(&self, name: &str, responder: &str) -> OcspResponse {
        let (certificate, signer, key) = (
            format!("{name}.pem"),
            format!("{responder}.pem"),
            format!("{responder}.key"),
        );
        let arguments = [
            "ocsp",
            "-index",
            "issuing.index",
            "-CA",
            "issuing.pem",
            "-rsigner",
            &signer,
            "-rkey",
            &key,
            "-issuer",
            "issuing.pem",
            "-cert",
            &certificate,
            "-ndays",
            "3",
            "-respout",
            "answer.der",
            "-noverify",
        ];
        run(self.path(), &arguments);
        OcspResponse::from_der(&std::fs::read(self.path().join("answer.der")).unwrap()).unwrap()
    }
}

fn request(path: &Path, kind: Kind, name: &str) {
    let (key, csr, subject) = (
        format!("{name}.key"),
        format!("{name}.csr"),
        format!("/CN=Test {name}"),
    );
    let made = [vec!["genpkey"], kind.key(), vec!["-out", &key]].concat();
    run(path, &made);
    run(
        path,
        &[
            "req", "-new", "-config", "ca.cnf", "-key", &key, "-subj", &subject, "-out", &csr,
        ],
    );
}

fn sign(path: &Path, kind: Kind, ca: &str, name: &str, section: &str, itself: bool) {
    let (csr, out) = (format!("{name}.csr"), format!("{name}.pem"));
    let options = kind.signing();
    let mut arguments = vec![
        "ca",
        "-batch",
        "-config",
        "ca.cnf",
        "-name",
        ca,
        "-in",
        &csr,
        "-out",
        &out,
        "-notext",
        "-extensions",
        section,
        "-startdate",
        "20200101000000Z",
    ];
    if section == "authority" {
        arguments.extend(["-days", "3650"]);
    }
    if itself {
        arguments.push("-selfsign");
    }
    arguments.extend(options.iter().map(String::as_str));
    run(path, &arguments);
}

fn append(path: &Path, text: &str) {
    let configuration = path.join("ca.cnf");
    let whole = std::fs::read_to_string(&configuration).unwrap() + text;
    std::fs::write(configuration, whole).unwrap();
}

fn read(path: &Path, name: &str) -> Certificate {
    let text = std::fs::read_to_string(path.join(format!("{name}.pem"))).unwrap();
    pem::decode_chain(&text).unwrap().remove(0)
}

pub fn is_missing() -> bool {
    let missing = Command::new("openssl").arg("version").output().is_err();
    assert!(
        !missing || std::env::var_os("REQUIRE_OPENSSL").is_none(),
        "openssl is not installed"
    );
    missing
}

fn run(path: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A public key (`SubjectPublicKeyInfo`) whose curve is written out instead of named.
pub fn explicit_curve(curve: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let curve = format!("ec_paramgen_curve:{curve}");
    let made = [
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        &curve,
        "-pkeyopt",
        "ec_param_enc:explicit",
        "-out",
        "key.pem",
    ];
    run(folder.path(), &made);
    let written = [
        "pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "key.der",
    ];
    run(folder.path(), &written);
    std::fs::read(folder.path().join("key.der")).unwrap()
}
