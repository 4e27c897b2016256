//! Pictures that are none, and steps that do not come now.
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use yinxin_tests::Step;
use yinxin_tests::client::text;
use yinxin_tests::pictures::{self, Picture};

use crate::scene::Scene;

/// How long the judgement of an upload may take.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn only_small_whole_pictures_are_taken() -> Result<()> {
    let scene = Scene::after("pictures", Step::Confirm).await?;
    let applicant = scene.applicant()?;
    let large = pictures::too_large()?;
    let answer = applicant.announce("id_portrait", &large).await?;
    scene.refuses(&answer, 422, "document-too-large").await?;
    let pdf = Picture {
        content_type: "application/pdf",
        ..pictures::renamed_pdf()
    };
    let answer = applicant.announce("id_portrait", &pdf).await?;
    scene.refuses(&answer, 422, "document-type").await?;
    for (picture, code) in [
        (pictures::renamed_pdf(), "document-not-an-image"),
        (pictures::truncated_png()?, "document-undecodable"),
    ] {
        let upload = applicant.upload("id_portrait", picture).await?;
        let judged = applicant.judged(&upload, LIMIT).await?;
        ensure!(
            judged["verdict"] == "refused" && judged["code"] == code,
            "not refused as {code}: {judged}"
        );
        let view = applicant.view().await?;
        ensure!(
            view["state"] == scene.before.1["state"]
                && view["missing_documents"] == scene.before.1["missing_documents"],
            "{code} counts as a document"
        );
    }
    // More than was announced: whoever notices first, the store or the judge, nothing of it counts.
    let small = pictures::good(0)?;
    let permission = applicant.announce("id_portrait", &small).await?.ok()?;
    let (status, _) = applicant
        .api
        .upload(&text(&permission, "url")?, &permission["headers"], large.bytes)
        .await?;
    if status.is_success() {
        let judged = applicant.judged(&text(&permission, "upload")?, LIMIT).await?;
        ensure!(judged["verdict"] == "refused", "1.6 MB were taken: {judged}");
    }
    ensure!(
        applicant.view().await?["missing_documents"] == scene.before.1["missing_documents"],
        "something counts as a document"
    );
    // A refused picture does not push out an accepted one.
    let good = applicant.upload("id_portrait", pictures::good(1)?).await?;
    ensure!(
        applicant.judged(&good, LIMIT).await?["verdict"] == "accepted",
        "a good picture was refused"
    );
    let bad = applicant.upload("id_portrait", pictures::renamed_pdf()).await?;
    applicant.judged(&bad, LIMIT).await?;
    let missing = applicant.view().await?["missing_documents"].to_string();
    ensure!(
        !missing.contains("id_portrait"),
        "a refused picture pushed out a good one"
    );
    Ok(())
}

#[tokio::test]
async fn an_order_is_confirmed_once_and_signed_with_all_documents() -> Result<()> {
    let scene = Scene::after("twice", Step::Confirm).await?;
    let answer = scene.applicant()?.act("confirm", &json!({})).await?;
    scene.refuses(&answer, 409, "command-not-allowed").await?;
    let answer = scene.applicant()?.act("codes", &json!({})).await?;
    scene.refuses(&answer, 409, "documents-missing").await
}
