//! Entering a one-time code.
use yinxin_store::StoreError;
use yinxin_store::codes::{CodeKey, CodeRefusal};
use yinxin_store::vault::Hashes;

use crate::platform::Platform;
use crate::problem::Problem;

impl Platform {
    /// Counts a try and compares. The caller then claims the code in the transaction that uses it.
    pub async fn check_code(&self, key: &CodeKey, entered: &str) -> Result<(), Problem> {
        Ok(self.try_code(key, entered).await??)
    }

    /// As [`Platform::check_code`], for codes whose refusals have problem types of their own.
    pub async fn try_code(
        &self,
        key: &CodeKey,
        entered: &str,
    ) -> Result<Result<(), CodeRefusal>, StoreError> {
        let hash = match self.codes.count_try(key, self.now()).await? {
            Ok(hash) => hash,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let given = self.vault.hashes().await?.code(&key.as_key(), entered);
        Ok(if Hashes::same(&hash, &given) {
            Ok(())
        } else {
            Err(CodeRefusal::Wrong)
        })
    }
}
