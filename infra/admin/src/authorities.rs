//! The key ceremony of a vendor's software CA: keys are sealed before they are stored, and never leave otherwise.
use yinxin_ca::ceremony;
use yinxin_issue::authority::StoredAuthority;
use yinxin_lambda::Platform;
use yinxin_store::StoreError;
use yinxin_store::catalog::Vendor;
use yinxin_store::vault::{Purpose, rng};

/// Makes root and issuing CA, unless the vendor has them; `false` where it has.
pub async fn init(platform: &Platform, vendor: &Vendor) -> anyhow::Result<bool> {
    let id = vendor.id.as_str();
    match platform.issuances.authority(id).await {
        Ok(_) => return Ok(false),
        Err(StoreError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    let data_key = platform.vault.new_data_key(Purpose::Authority, id).await?;
    let ceremony = ceremony::init(id, &vendor.name, platform.now(), &mut rng())?;
    let stored = StoredAuthority::seal(id, &ceremony, &data_key)?;
    // Another ceremony may have been faster; its keys stand.
    Ok(platform
        .issuances
        .put_authority(id, &serde_json::to_string(&stored)?)
        .await?)
}
