//! A unit's order from the captcha to the receipt, with every way of checking its identity.
use anyhow::Result;
use yinxin_order::form::{ApplicationForm, sample};
use yinxin_tests::Journey;
use yinxin_tests::end_state;
use yinxin_tests::journey::{Stage, new_seed};

async fn travel(name: &str, form: ApplicationForm) -> Result<()> {
    let stage = Stage::open().await?;
    let mut journey = Journey::new(&stage, form, &stage.place(name)?).await?;
    end_state::travel(&stage, &mut journey).await
}

#[tokio::test]
async fn a_unit_checked_by_its_representatives_mobile_gets_working_certificates() -> Result<()> {
    travel("unit-by-mobile", sample::unit(new_seed())).await
}

#[tokio::test]
async fn a_unit_checked_by_its_account_collects_the_password_for_the_secret_in_a_memo() -> Result<()> {
    travel("unit-by-account", sample::unit_by_account(new_seed())).await
}

#[tokio::test]
async fn a_unit_checked_by_its_representatives_card_gets_working_certificates() -> Result<()> {
    travel("unit-by-card", sample::unit_by_card(new_seed())).await
}
