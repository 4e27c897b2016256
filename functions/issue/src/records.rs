//! The records of the CA as they rest: JSON, sealed under the vendor's data key, because they name people.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use yinxin_store::StoreError;
use yinxin_store::vault::DataKey;

/// What a record holds: one kind does not open as another.
#[derive(Clone, Copy)]
pub(crate) enum Record {
    /// What is about to be signed.
    Prepared,
    /// What was signed.
    Issued,
}

impl Record {
    fn context(self, request: &str) -> String {
        let kind = match self {
            Record::Prepared => "prepared",
            Record::Issued => "issued",
        };
        format!("{kind} {request}")
    }

    /// Seals a record of `request`.
    pub(crate) fn seal<T: Serialize>(
        self,
        key: &DataKey,
        request: &str,
        content: &T,
    ) -> Result<String, StoreError> {
        let json = serde_json::to_vec(content)
            .map_err(|_| StoreError::Corrupt("a record cannot be written".to_owned()))?;
        Ok(STANDARD.encode(key.seal(&self.context(request), &json)))
    }

    /// Opens a record of `request`.
    pub(crate) fn open<T: DeserializeOwned>(
        self,
        key: &DataKey,
        request: &str,
        sealed: &str,
    ) -> Result<T, StoreError> {
        let corrupt = || StoreError::Corrupt("a record of the CA cannot be read".to_owned());
        let sealed = STANDARD.decode(sealed).map_err(|_| corrupt())?;
        let json = key.open(&self.context(request), &sealed)?;
        serde_json::from_slice(&json).map_err(|_| corrupt())
    }
}
