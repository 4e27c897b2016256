//! A new device: a file that was not there before.
use rand_core::Rng as _;

use crate::{
    Cost, NewApplication, Sar, Settings,
    application::new_application,
    constants::DEVICE_AUTH_TRIES,
    device::is_label,
    document::{AUTH_KEY_BYTES, DeviceAuth, Document, FORMAT},
    private_file,
    store::{self, DeviceFile},
    vault::{Base64, rng},
};

/// Bytes of a random serial number, behind its letters.
const SERIAL_BYTES: usize = 8;

/// What a device is made of.
#[derive(Debug)]
pub struct NewDevice<'a> {
    /// For people, up to 32 bytes.
    pub label: &'a str,
    /// Its name too: letters, digits, `-` and `_`, up to 32; random where none is given.
    pub serial: Option<&'a str>,
    /// Who has it may make and delete applications; random where none is given, and then nobody may.
    pub auth_key: Option<[u8; AUTH_KEY_BYTES]>,
    /// What its PINs cost to try.
    pub cost: Cost,
    /// The application that it has from the start.
    pub application: Option<NewApplication<'a>>,
}

/// Makes a device in the settings' directory; its serial number.
pub fn make_device(settings: &Settings, new: &NewDevice<'_>) -> Result<String, Sar> {
    if !is_label(new.label) {
        return Err(Sar::NameLength);
    }
    let serial = new.serial.map_or_else(random_serial, str::to_owned);
    if !store::is_device_name(&serial) {
        return Err(Sar::InvalidParameter);
    }
    let auth_key = new.auth_key.unwrap_or_else(|| {
        let mut key = [0; AUTH_KEY_BYTES];
        rng().fill_bytes(&mut key);
        key
    });
    let application = new
        .application
        .as_ref()
        .map(|application| new_application(application, new.cost));
    let document = Document {
        format: FORMAT.to_owned(),
        label: new.label.to_owned(),
        serial: serial.clone(),
        scrypt_log_n: new.cost,
        auth: DeviceAuth {
            tries_left: DEVICE_AUTH_TRIES,
            key: Base64(auth_key.to_vec()),
        },
        applications: application.transpose()?.into_iter().collect(),
    };
    private_file::create_directory(&settings.directory).map_err(|_| Sar::WriteFile)?;
    DeviceFile::new(&settings.directory, &serial, settings.lock_wait).create(&document)?;
    Ok(serial)
}

fn random_serial() -> String {
    let mut serial = [0; SERIAL_BYTES];
    rng().fill_bytes(&mut serial);
    format!("YX{}", hex::encode_upper(serial))
}
