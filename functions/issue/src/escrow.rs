//! Encryption keys in escrow: records of which CAs hold one, and how it is taken out.
use yinxin_ca::{CaError, Prepared, Record, Sealer};
use yinxin_est::EstRecord;
use yinxin_pki::SigningKey;

/// A CA's record that holds the encryption key, once the pair was issued.
pub(crate) enum Escrowed {
    /// Of the platform's own CA, which made the key.
    Own(Prepared),
    /// Of a vendor's CA over EST, which made the key and handed it over.
    Est(EstRecord),
}

impl Escrowed {
    /// Reads a record; `None` where its CA keeps the key for itself.
    pub(crate) fn read(record: &Record) -> Option<Self> {
        match record.read::<Prepared>() {
            Ok(prepared) => Some(Escrowed::Own(prepared)),
            Err(_) => record.read::<EstRecord>().ok().map(Escrowed::Est),
        }
    }

    /// The vendor whom the record names.
    pub(crate) fn vendor(&self) -> &str {
        match self {
            Escrowed::Own(prepared) => &prepared.vendor,
            Escrowed::Est(record) => &record.vendor,
        }
    }

    /// Takes the key out.
    pub(crate) fn key(&self, sealer: &dyn Sealer) -> Result<SigningKey, CaError> {
        match self {
            Escrowed::Own(prepared) => prepared.escrowed_key(sealer),
            Escrowed::Est(record) => record.escrowed_key(sealer),
        }
    }
}
