//! What the browser's tests of `agent/client` start from: a software UKey with keys and certificates, a platform whose tickets an
//! agent can be told to trust, and an envelope for the UKey. For tests alone: it writes private keys and says PINs.
//!
//! ```text
//! YINXIN_SOFTSKF_DIR=DIR/plugged browser_world DIR
//! ```
use std::{env, error::Error, fs, path::PathBuf};

use serde_json::json;
use yinxin_agent::{
    pin::Pin,
    token::{SkfToken, Token as _, Usage, vault::rng},
};
use yinxin_pki::{Name, SigningKey, cms_envelope, pem};
use yinxin_skf::{Library, Profile};
use yinxin_softskf::{Cost, NewApplication, NewDevice, Settings, make_device};
use zeroize::Zeroizing;

#[path = "../tests/agent/authority.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the CA of the agent's own tests, which use more of it"
)]
mod authority;

use authority::{Authority, Parts};

const USER_PIN: &str = "holder-1";
const ADMIN_PIN: &str = "vendor-admin";
const TRIES: u32 = 6;
/// `SECURE_USER_ACCOUNT`: the user makes files and containers.
const USER_MAKES: u32 = 0x10;
const HOLDER: &str = "示例建筑有限公司";
const SECRET: &str = "投标报价：1,234,567.00";

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(env::args_os().nth(1).ok_or("which directory?")?);
    let authority = Authority::new();
    let serial = make_blank(&directory)?;
    let parts = personalise(&serial, &authority)?;
    let write = |name: &str, content: &[u8]| fs::write(directory.join(name), content);
    write("sign.pem", parts.signing.to_pem().as_bytes())?;
    write("encrypt.pem", parts.encryption.to_pem().as_bytes())?;
    let chain = pem::encode_chain(&parts.chain);
    write("chain.pem", chain.as_bytes())?;
    let envelope =
        cms_envelope::seal(SECRET.as_bytes(), &parts.encryption, &mut rng()).ok_or("no envelope")?;
    write("envelope.der", &envelope)?;

    let key = SigningKey::generate(&mut rng());
    let platform = authority.issue_for(&Name::unit("Platform", None)?, key.public_key());
    write("platform.pem", (platform.signing.to_pem() + &chain).as_bytes())?;
    write("platform.key", key.to_pkcs8_pem().as_bytes())?;
    let said =
        json!({ "serial": serial, "pin": USER_PIN, "tries": TRIES, "holder": HOLDER, "secret": SECRET });
    println!("{said}");
    Ok(())
}

fn make_blank(directory: &std::path::Path) -> Result<String, Box<dyn Error>> {
    let pin = |text: &str| yinxin_softskf::Pin::new(Zeroizing::new(text.to_owned()));
    let (admin_pin, user_pin) = (pin(ADMIN_PIN)?, pin(USER_PIN)?);
    let blank = NewDevice {
        label: "UKey",
        serial: None,
        auth_key: None,
        // Cheap: a test waits for each login.
        cost: Cost::new(10).ok_or("no such cost")?,
        application: Some(NewApplication {
            name: "Yinxin",
            admin_pin: &admin_pin,
            admin_tries: TRIES,
            user_pin: &user_pin,
            user_tries: TRIES,
            create_rights: USER_MAKES,
        }),
    };
    Ok(make_device(&Settings::new(directory.join("plugged")), &blank)?)
}

/// Gives the blank token keys and certificates, through the library, as an agent does.
fn personalise(serial: &str, authority: &Authority) -> Result<Parts, Box<dyn Error>> {
    let library = env::current_exe()?.with_file_name("../deps").join(format!(
        "{}yinxin_softskf{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    ));
    // A token borrows its library for as long as the process lives.
    let library: &'static Library =
        Box::leak(Box::new(Library::open(Profile::standard("softskf", library))?));
    let names = library.devices()?;
    let name = names
        .iter()
        .find(|name| name.as_str() == serial)
        .ok_or("YINXIN_SOFTSKF_DIR is another directory")?;
    let mut token = SkfToken::open(library, name)?;
    token.login(&Pin::new(Zeroizing::new(USER_PIN.to_owned()))?)?;
    let key = token.generate_signing_key()?;
    let parts = authority.issue_for(&Name::unit(HOLDER, None)?, &key);
    token.import_enveloped_key(&parts.enveloped_key)?;
    token.import_certificate(Usage::Signing, &parts.signing)?;
    token.import_certificate(Usage::Encryption, &parts.encryption)?;
    token.write_record("chain", pem::encode_chain(&parts.chain).as_bytes())?;
    Ok(parts)
}
