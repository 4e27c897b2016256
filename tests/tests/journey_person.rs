//! A person's order from the captcha to the receipt, with every way of checking the identity.
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
async fn a_person_checked_by_mobile_gets_working_certificates() -> Result<()> {
    travel("person-by-mobile", sample::person(new_seed())).await
}

#[tokio::test]
async fn a_person_checked_by_card_gets_working_certificates() -> Result<()> {
    travel("person-by-card", sample::person_by_card(new_seed())).await
}

#[tokio::test]
async fn a_person_checked_by_account_collects_the_password_for_the_secret_in_a_memo() -> Result<()> {
    travel("person-by-account", sample::person_by_account(new_seed())).await
}
