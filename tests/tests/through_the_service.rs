//! An operator personalises a UKey from the portal's page: the platform's ticket, the agent's service, the PIN on the agent's page.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yinxin_order::command::{Actor, CommandName};
use yinxin_order::form::sample;
use yinxin_store::orders::Orders as _;
use yinxin_tests::agent::{Agent, Site};
use yinxin_tests::client::text;
use yinxin_tests::journey::{BlankToken, Stage, new_seed};
use yinxin_tests::staff::{self, Role, Staff};
use yinxin_tests::test_data::{self, Datum};
use yinxin_tests::world::{World, run};
use yinxin_tests::{Journey, Step, applicant, certificates};

const LIMIT: Duration = Duration::from_mins(1);
/// So long does the token take to begin with the encryption key: the agent is killed before.
const SLOWLY: &str = "SKF_ImportECCKeyPair:50000";
const MESSAGE: &str = "甲方向乙方支付人民币壹万元整。";

/// An operator's computer with one blank UKey.
struct Workplace {
    world: World,
    token: PathBuf,
    directory: PathBuf,
    blank: BlankToken,
}

impl Workplace {
    async fn of(journey: &Journey, name: &str) -> Result<Workplace> {
        let directory = journey.desk(name)?;
        Ok(Workplace {
            world: journey.stage.world.clone(),
            token: journey.token(),
            blank: journey.blank_token(&directory).await?,
            directory,
        })
    }

    /// The agent, which knows the platform; `slowly` says how the token behaves.
    fn agent(&self, slowly: Option<&str>) -> Result<Agent> {
        let mut command = self.world.program("yinxin-agent")?;
        command
            .args([
                "serve",
                "--profile",
                "softskf",
                "--api",
                &self.world.api,
                "--state",
            ])
            .arg(self.directory.join("state"))
            .arg("--platform-certificates")
            .arg(&self.world.platform_certificates)
            .env("YINXIN_SOFTSKF_DIR", &self.token);
        if let Some(slowly) = slowly {
            command.env("YINXIN_SOFTSKF_SLOW_MS", slowly);
        }
        Agent::start(command, &self.directory)
    }

    /// What the portal asks the platform for.
    fn wish(&self) -> Value {
        json!({"operation": "personalise", "token_serial": self.blank.serial, "origin": self.portal()})
    }

    /// The portal has the platform's origin.
    fn portal(&self) -> &str {
        &self.world.api
    }

    async fn ticket(&self, operator: &Staff, order: &str) -> Result<String> {
        let issued = operator
            .act("personalise", order, "tickets", &self.wish())
            .await?
            .ok()?;
        let ticket = text(&issued, "ticket")?;
        test_data::remember(&self.world, &[Datum::new("ticket", &ticket)])?;
        Ok(ticket)
    }
}

/// Hands a ticket to the agent; the person types the PIN.
async fn personalise(
    agent: &mut Agent,
    site: &Site,
    wanted: Value,
    (order, pin): (&str, &str),
) -> Result<tokio::task::JoinHandle<Result<yinxin_tests::agent::Answer>>> {
    let asking = site.begin("/v1/personalise", wanted);
    let page = agent.page().await?;
    let html = page.html().await?;
    ensure!(html.contains(order), "the page does not name the order: {html}");
    page.type_pin(pin).await?;
    Ok(asking)
}

async fn beginning(name: &str) -> Result<Journey> {
    let stage = Stage::open().await?;
    Journey::new(&stage, sample::unit(new_seed()), &stage.place(name)?).await
}

#[tokio::test]
async fn an_operator_personalises_a_ukey_from_the_portals_page() -> Result<()> {
    let mut journey = beginning("through-the-service").await?;
    journey.through(Step::Approve).await?;
    let (order, number) = (journey.order()?.to_owned(), journey.number().to_owned());
    let workplace = Workplace::of(&journey, "workplace").await?;
    let operator = journey.staff(Role::Operator).await?;
    let pin = workplace.blank.user_pin.clone();
    let wanted = |ticket: &str| json!({"ticket": ticket, "session": operator.session});

    // The agent is killed when the certificates are issued and nothing of them is written.
    let mut agent = workplace.agent(Some(SLOWLY))?;
    let (site, token) = agent.paired(workplace.portal()).await?;
    let first = workplace.ticket(&operator, &order).await?;
    let asking = personalise(&mut agent, &site, wanted(&first), (&number, &pin)).await?;
    journey.applicant()?.reaches("awaiting_writing", LIMIT).await?;
    agent.kill()?;
    ensure!(asking.await?.is_err(), "a killed agent has answered");
    ensure!(
        journey.applicant()?.state().await? == "awaiting_writing",
        "it was written"
    );

    // The same ticket again is good for nothing; another one completes what was begun.
    let mut agent = workplace.agent(None)?;
    let site = agent.site(workplace.portal(), Some(&token))?;
    let again = site.call("/v1/personalise", &wanted(&first)).await?;
    again.refused(403, "ticket-used")?;
    ensure!(
        agent.unseen_pages() == 0,
        "the person was asked about a used ticket"
    );
    let second = workplace.ticket(&operator, &order).await?;
    let asking = personalise(&mut agent, &site, wanted(&second), (&number, &pin)).await?;
    let done = asking.await??.ok()?;
    ensure!(
        done["order"]["number"] == number.as_str(),
        "another order: {done}"
    );
    ensure!(
        done["token_serial"] == workplace.blank.serial.as_str(),
        "another UKey: {done}"
    );
    let view = journey.applicant()?.reaches("awaiting_dispatch", LIMIT).await?;
    ensure!(view["token_serial"] == workplace.blank.serial.as_str(), "{view}");
    let late = operator
        .act("personalise", &order, "tickets", &workplace.wish())
        .await?;
    late.refused(409, "command-not-allowed")?;

    // The holder gets the password, and the UKey works.
    journey.export_certificates().await?;
    certificates::openssl_verifies(&journey.directory).await?;
    journey.take(Step::Password).await?;
    let password = journey.sent_password().to_owned();
    signs(&mut agent, &site, &password, &journey.directory).await?;
    is_recorded(&journey, &workplace.blank.serial).await
}

/// A signature by way of the agent, as OpenSSL sees it.
async fn signs(agent: &mut Agent, site: &Site, pin: &str, directory: &Path) -> Result<()> {
    let wish = json!({"message": STANDARD.encode(MESSAGE), "format": "raw"});
    let asking = site.begin("/v1/sign", wish);
    agent.page().await?.type_pin(pin).await?;
    let signed = asking.await??.ok()?;
    let signature = STANDARD.decode(text(&signed, "signature")?)?;
    let place = |name: &str| directory.join(name);
    std::fs::write(place("message"), MESSAGE)?;
    std::fs::write(place("signature"), signature)?;
    let mut verify = openssl_verify(directory);
    verify.arg(place("message"));
    run(verify).await.context("OpenSSL refuses the signature")?;
    std::fs::write(place("message"), "甲方向乙方支付人民币贰万元整。")?;
    let mut verify = openssl_verify(directory);
    verify.arg(place("message"));
    ensure!(
        run(verify).await.is_err(),
        "OpenSSL accepts it for another message"
    );
    Ok(())
}

fn openssl_verify(directory: &Path) -> Command {
    let mut verify = Command::new("openssl");
    verify.args(["pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-certin"]);
    verify.args(["-pkeyopt", "distid:1234567812345678", "-inkey"]);
    verify.arg(directory.join("sign.pem"));
    verify.arg("-sigfile").arg(directory.join("signature"));
    verify.arg("-in");
    verify
}

/// Who got which tickets for which UKey stands in the order's events.
async fn is_recorded(journey: &Journey, serial: &str) -> Result<()> {
    let stores = journey.stage.cloud.stores()?;
    let events = stores.events(&journey.order()?.parse()?).await?;
    let tickets: Vec<_> = events
        .iter()
        .filter(|event| event.command == Some(CommandName::IssueTicket))
        .collect();
    ensure!(tickets.len() == 2, "{} tickets are recorded", tickets.len());
    for event in &tickets {
        let ticket = event.ticket.as_ref().context("an event without its ticket")?;
        ensure!(ticket.token_serial == serial, "the ticket is for another UKey");
        ensure!(
            matches!(&event.by, Actor::Operator { account, .. } if account == "journey-operator"),
            "nobody knows who"
        );
    }
    let ids: Vec<_> = tickets
        .iter()
        .map(|event| event.ticket.as_ref().map(|ticket| &ticket.id))
        .collect();
    ensure!(ids[0] != ids[1], "two tickets have one id");
    Ok(())
}

#[tokio::test]
async fn tickets_are_issued_to_the_orders_operator_for_a_portal_while_a_ukey_is_wanted() -> Result<()> {
    let mut journey = beginning("tickets-refused").await?;
    journey.through(Step::Pay).await?;
    let order = journey.order()?.to_owned();
    let workplace = Workplace::of(&journey, "workplace").await?;
    let operator = journey.staff(Role::Operator).await?;
    let wish = workplace.wish();
    let asked = |staff: Staff, wish: Value| {
        let order = order.clone();
        async move { staff.act("personalise", &order, "tickets", &wish).await }
    };
    asked(operator.clone(), wish.clone())
        .await?
        .refused(409, "command-not-allowed")?;
    journey.through(Step::Approve).await?;

    let other = applicant::purchase(&journey.stage.api, &journey.form, 1)
        .await?
        .vendor;
    ensure!(other != journey.purchase.vendor, "there is one vendor only");
    let foreign = staff::session(&journey.stage.world, &other, Role::Operator).await?;
    asked(foreign, wish.clone())
        .await?
        .refused(404, "order-not-found")?;
    let officer = journey.staff(Role::Officer).await?;
    asked(officer, wish.clone()).await?.refused(403, "role-missing")?;
    let mut elsewhere = wish.clone();
    elsewhere["origin"] = json!("https://evil.example");
    asked(operator.clone(), elsewhere)
        .await?
        .refused(422, "ticket-origin")?;

    // A ticket for another UKey than the one that is plugged in.
    let mut agent = workplace.agent(None)?;
    let (site, _) = agent.paired(workplace.portal()).await?;
    let mut another = wish;
    another["token_serial"] = json!("YX0000000000000000");
    let ticket = text(&asked(operator.clone(), another).await?.ok()?, "ticket")?;
    let body = json!({"ticket": ticket, "session": operator.session});
    site.call("/v1/personalise", &body)
        .await?
        .refused(403, "ticket-ukey")?;
    ensure!(
        agent.unseen_pages() == 0,
        "the person was asked about another UKey's ticket"
    );
    ensure!(
        journey.applicant()?.state().await? == "awaiting_personalisation",
        "the order has moved"
    );
    Ok(())
}
