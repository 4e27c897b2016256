//! Entering a one-time code.
use yinxin_store::codes::{CodeKey, CodeRefusal};
use yinxin_store::vault::Hashes;

use crate::platform::Platform;
use crate::problem::Problem;

impl Platform {
    /// Counts a try and compares. The caller then claims the code in the transaction that uses it.
    pub async fn check_code(&self, key: &CodeKey, entered: &str) -> Result<(), Problem> {
        let hash = self.codes.count_try(key, self.now()).await??;
        let given = self.vault.hashes().await?.code(&key.as_key(), entered);
        if Hashes::same(&hash, &given) {
            Ok(())
        } else {
            Err(CodeRefusal::Wrong.into())
        }
    }
}
