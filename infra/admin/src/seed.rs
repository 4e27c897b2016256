//! The vendors and products that a deployment starts with.
use anyhow::Context as _;
use serde::Deserialize;
use yinxin_lambda::Platform;
use yinxin_order::identifiers::{Fen, VendorId};
use yinxin_order::order::Product;
use yinxin_store::authorities::TRUST_LIST;
use yinxin_store::catalog::{Offer, SubjectKind, Vendor};

use crate::authorities::{self, KeyPlaces};
use crate::trust_list;

/// Eleven vendors; those that the public manual does not name have made-up names.
const VENDORS: &str = include_str!("../seed.json");
/// The version of the certification practice statement that applicants agree to.
const PRACTICE_STATEMENT: &str = "2023-01";

#[derive(Deserialize)]
struct SeedVendor {
    id: VendorId,
    name: String,
}

/// Who made the CAs, in the audit trail.
pub const SEED: &str = "seed";

/// (slug, name, subject, price in fen, years)
const PRODUCTS: [(&str, &str, SubjectKind, i64, u8); 4] = [
    (
        "unit-1y",
        "单位数字证书及电子印章（一年）",
        SubjectKind::Unit,
        22_000,
        1,
    ),
    (
        "unit-3y",
        "单位数字证书及电子印章（三年）",
        SubjectKind::Unit,
        56_000,
        3,
    ),
    (
        "person-1y",
        "个人数字证书（新办UKey，一年）",
        SubjectKind::Person,
        10_000,
        1,
    ),
    (
        "person-3y",
        "个人数字证书（新办UKey，三年）",
        SubjectKind::Person,
        26_000,
        3,
    ),
];

/// Writes vendors and products as they stand here, and makes CAs where they are missing. May run again.
pub async fn run(platform: &Platform) -> anyhow::Result<()> {
    let seeds: Vec<SeedVendor> = serde_json::from_str(VENDORS).context("seed.json cannot be read")?;
    let products = products()?;
    let mut new = authorities::init_platform(platform, &KeyPlaces::default(), SEED).await?;
    for seed in seeds {
        let vendor = Vendor {
            id: seed.id,
            name: seed.name,
            notice: "不同厂商业务办理流程不同，请仔细查看后再进行业务办理。".to_owned(),
            practice_statement: PRACTICE_STATEMENT.to_owned(),
            products: products.clone(),
        };
        platform.catalog.put_vendor(&vendor).await?;
        let made = authorities::init(platform, &vendor, &KeyPlaces::default(), SEED).await?;
        new |= made;
        println!(
            "{}: {}",
            vendor.id,
            if made {
                "products written, CA made"
            } else {
                "products written"
            }
        );
    }
    // A list that is there and up to date stays: seeding again is no reason for another version.
    if new || platform.authorities.trust_list(TRUST_LIST).await?.is_none() {
        let version = trust_list::publish(platform, SEED).await?;
        println!("trust list: version {version} published");
    }
    Ok(())
}

fn products() -> anyhow::Result<Vec<Offer>> {
    PRODUCTS
        .iter()
        .map(|&(id, name, subject, price, term_years)| {
            let product = Product {
                id: id.parse()?,
                name: name.to_owned(),
                price: Fen::new(price)?,
                term_years,
            };
            Ok(Offer { subject, product })
        })
        .collect()
}
