//! An order at some step, and what a refusal must not change.
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_tests::applicant::{self, Applicant};
use yinxin_tests::client::Answer;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::{Journey, Step, wait};

const LIMIT: Duration = Duration::from_mins(1);

/// A unit's order that came through `step`, and what must not change.
pub struct Scene {
    pub stage: Stage,
    pub journey: Journey,
    pub before: (u64, Value),
}

impl Scene {
    pub async fn after(name: &str, step: Step) -> Result<Scene> {
        // A whole journey is a large future.
        Box::pin(Self::made(name, step)).await
    }

    async fn made(name: &str, step: Step) -> Result<Scene> {
        let stage = Stage::open().await?;
        let place = stage.place(&format!("bad-{name}"))?;
        let mut journey = Journey::new(&stage, sample::unit(new_seed()), &place).await?;
        journey.through(step).await?;
        let mut scene = Scene {
            stage,
            journey,
            before: (0, Value::Null),
        };
        scene.rests().await?;
        scene.before = scene.now().await?;
        Ok(scene)
    }

    /// Waits for what takes place beside the journey: an approved order's invoice.
    async fn rests(&self) -> Result<()> {
        let Ok(applicant) = self.applicant() else {
            return Ok(());
        };
        wait::until("the invoice", LIMIT, async || {
            let invoice = &applicant.view().await?["invoice"];
            Ok((invoice.is_null() || invoice["status"] == "issued").then_some(()))
        })
        .await
    }

    pub fn applicant(&self) -> Result<&Applicant> {
        self.journey.applicant()
    }

    pub async fn now(&self) -> Result<(u64, Value)> {
        let applicant = self.applicant()?;
        Ok((
            self.stage.cloud.version(&applicant.order).await?,
            applicant.view().await?,
        ))
    }

    /// The refusal, and that the order is as it was.
    pub async fn refuses(&self, answer: &Answer, status: u16, problem: &str) -> Result<()> {
        answer.refused(status, problem)?;
        self.is_unchanged(problem).await
    }

    pub async fn is_unchanged(&self, after: &str) -> Result<()> {
        ensure!(self.now().await? == self.before, "{after} changed the order");
        Ok(())
    }

    pub fn form(&self) -> Result<Value> {
        applicant::form_json(&self.journey.form)
    }

    pub async fn sign_with(&self, code: &str) -> Result<Answer> {
        let body = json!({"code": code, "practice_statement": self.journey.purchase.practice_statement});
        self.applicant()?.act("signature", &body).await
    }
}
