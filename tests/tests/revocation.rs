//! A unit's certificates are good for everybody who asks, and within a minute of the officer's call they are revoked.
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_pki::crl::{Crl, Reason};
use yinxin_pki::ocsp::{CertId, CertStatus, OcspHash, OcspRequest, OcspResponse, ResponseStatus};
use yinxin_pki::{Certificate, pem};
use yinxin_tests::client::text;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::staff::{self, Role};
use yinxin_tests::wait;
use yinxin_tests::world::run;
use yinxin_tests::{Journey, Step};

/// A revocation is visible to whoever asks after this time at the latest.
const VISIBLE: Duration = Duration::from_mins(1);
const HASHES: [OcspHash; 3] = [OcspHash::Sha1, OcspHash::Sha256, OcspHash::Sm3];
const CERTIFICATES: [&str; 2] = ["sign.pem", "encrypt.pem"];

/// Whoever asks: with the certificates and nothing else.
struct Asker {
    http: Client,
    base: String,
    authority: String,
    issuing: Certificate,
    certificates: Vec<Certificate>,
}

#[tokio::test]
async fn a_revocation_is_visible_within_a_minute_and_final() -> Result<()> {
    let stage = Stage::open().await?;
    let place = stage.place("revocation")?;
    let mut journey = Journey::new(&stage, sample::unit(new_seed()), &place).await?;
    journey.through(Step::Personalise).await?;
    let asker = Asker::new(&stage, &place)?;
    asker.certificates_name_the_services()?;
    asker.the_ca_is_published().await?;
    asker.everybody_is_told(CertStatus::Good).await?;
    asker.openssl_reads_good(&place).await?;
    let list = asker.list().await?;
    for certificate in &asker.certificates {
        ensure!(
            list.find(certificate.serial_content()).is_none(),
            "a good certificate is on the list"
        );
    }
    asker.strangers_learn_nothing().await?;

    let order = journey.order()?.to_owned();
    another_vendors_officer_sees_nothing(&journey, &order).await?;
    let officer = journey.staff(Role::Officer).await?;
    let body = json!({"reason": "key_compromise", "invalidity_date": "2026-01-01T00:00:00Z"});
    let view = officer.act("review", &order, "revoke", &body).await?.ok()?;
    ensure!(
        view["revocation"]["reason"] == "key_compromise",
        "the revocation is not on the order: {view}"
    );
    wait::until("the revocation in every answer", VISIBLE, async || {
        let revoked = asker.statuses().await?.into_iter().all(|status| {
            matches!(status, Some(CertStatus::Revoked { reason, .. }) if reason == Some(Reason::KeyCompromise))
        });
        Ok(revoked.then_some(()))
    })
    .await?;
    wait::until("the revocation on the list", VISIBLE, async || {
        let list = asker.list().await?;
        let listed = asker.certificates.iter().all(|certificate| {
            list.find(certificate.serial_content()).is_some_and(|entry| {
                entry.reason == Some(Reason::KeyCompromise) && entry.invalidity_date.is_some()
            })
        });
        Ok(listed.then_some(()))
    })
    .await?;
    wait::until("the word that it is published", VISIBLE, async || {
        let view = journey.applicant()?.view().await?;
        Ok((view["revocation"]["is_published"] == json!(true)).then_some(()))
    })
    .await?;
    let again = json!({"reason": "superseded"});
    officer
        .act("review", &order, "revoke", &again)
        .await?
        .refused(409, "already-recorded")?;
    let letters = stage.cloud.dead_letters().await?;
    ensure!(letters["issue"] == json!(0), "an errand was given up: {letters}");
    Ok(())
}

async fn another_vendors_officer_sees_nothing(journey: &Journey, order: &str) -> Result<()> {
    let vendors = journey.stage.api.get("/api/vendors").await?.ok()?;
    let another = vendors["vendors"]
        .as_array()
        .context("there are vendors")?
        .iter()
        .map(|vendor| text(vendor, "id"))
        .find(|id| id.as_ref().is_ok_and(|id| *id != journey.purchase.vendor))
        .context("there is another vendor")??;
    let officer = staff::session(&journey.stage.world, &another, Role::Officer).await?;
    officer
        .act("review", order, "revoke", &json!({"reason": "superseded"}))
        .await?
        .refused(404, "order-not-found")
}

impl Asker {
    fn new(stage: &Stage, place: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<String> {
            std::fs::read_to_string(place.join(name)).with_context(|| format!("no {name}"))
        };
        let issuing = pem::decode_chain(&read("chain.pem")?)?
            .into_iter()
            .next()
            .context("the chain is empty")?;
        let certificates = CERTIFICATES
            .iter()
            .map(|name| Ok(Certificate::from_pem(&read(name)?)?))
            .collect::<Result<_>>()?;
        std::fs::write(place.join("issuing.pem"), issuing.to_pem())?;
        let identifier = issuing
            .subject_key_identifier()
            .context("the CA has no key identifier")?;
        Ok(Self {
            http: Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(30))
                .build()?,
            base: stage.api.url(""),
            authority: hex::encode(identifier),
            certificates,
            issuing,
        })
    }

    fn certificates_name_the_services(&self) -> Result<()> {
        let (base, authority) = (&self.base, &self.authority);
        for certificate in &self.certificates {
            let der = String::from_utf8_lossy(certificate.as_der()).into_owned();
            for address in [
                format!("{base}/api/ocsp/{authority}"),
                format!("{base}/api/ca/{authority}.cer"),
                self.list_address()?,
            ] {
                ensure!(der.contains(&address), "the certificate does not name {address}");
            }
        }
        Ok(())
    }

    /// The list's address as the certificate names it.
    fn list_address(&self) -> Result<String> {
        let der = String::from_utf8_lossy(self.certificates[0].as_der()).into_owned();
        let start = format!("{}/api/crl/{}/", self.base, self.authority);
        let at = der.find(&start).context("the certificate names no list")?;
        let rest = &der[at..];
        let end = rest.find(".crl").context("the list has another ending")?;
        Ok(rest[..end + 4].to_owned())
    }

    async fn the_ca_is_published(&self) -> Result<()> {
        let address = format!("{}/api/ca/{}.cer", self.base, self.authority);
        let der = self.fetch(&address, "application/pkix-cert").await?;
        ensure!(
            der == self.issuing.as_der(),
            "another CA's certificate is published"
        );
        Ok(())
    }

    async fn list(&self) -> Result<Crl> {
        let der = self.fetch(&self.list_address()?, "application/pkix-crl").await?;
        let list = Crl::from_der(&der)?;
        list.verify_signature(self.issuing.key())?;
        Ok(list)
    }

    async fn fetch(&self, address: &str, content_type: &str) -> Result<Vec<u8>> {
        let response = self.http.get(address).send().await?.error_for_status()?;
        let found = response.headers().get("content-type").cloned();
        ensure!(
            found.as_ref().is_some_and(|found| found == content_type),
            "{address} is {found:?}"
        );
        Ok(response.bytes().await?.to_vec())
    }

    /// What each way of asking says about each certificate; none while an answer is being signed.
    async fn statuses(&self) -> Result<Vec<Option<CertStatus>>> {
        let mut statuses = Vec::new();
        for certificate in &self.certificates {
            for hash in HASHES {
                let id = CertId::of(&self.issuing, certificate.serial_content(), hash);
                let question = OcspRequest::new(vec![id], None);
                for answer in [
                    self.by_post(question.as_der()).await?,
                    self.by_get(question.as_der()).await?,
                ] {
                    statuses.push(self.read(&answer, certificate)?);
                }
            }
        }
        Ok(statuses)
    }

    fn read(&self, answer: &[u8], certificate: &Certificate) -> Result<Option<CertStatus>> {
        let response = OcspResponse::from_der(answer)?;
        let Some(basic) = response.basic else {
            ensure!(
                response.status == ResponseStatus::TryLater,
                "the question is answered {:?}",
                response.status
            );
            return Ok(None);
        };
        let responder = basic
            .certificates()
            .first()
            .filter(|certificate| basic.responder().names(certificate));
        if let Some(responder) = responder {
            responder.verify_signature(self.issuing.key())?;
        }
        basic.verify_signature(responder.unwrap_or(&self.issuing).key())?;
        let single = basic
            .find(&self.issuing, certificate.serial_content())
            .context("the answer is about another certificate")?;
        Ok(Some(single.status))
    }

    async fn everybody_is_told(&self, wanted: CertStatus) -> Result<()> {
        let statuses = self.statuses().await?;
        ensure!(
            statuses.iter().all(|status| *status == Some(wanted)),
            "the answers are {statuses:?}"
        );
        Ok(())
    }

    async fn by_post(&self, question: &[u8]) -> Result<Vec<u8>> {
        let request = self
            .http
            .post(format!("{}/api/ocsp/{}", self.base, self.authority))
            .header("content-type", "application/ocsp-request")
            .body(question.to_vec());
        answered(request.send().await?).await
    }

    async fn by_get(&self, question: &[u8]) -> Result<Vec<u8>> {
        let escaped = STANDARD
            .encode(question)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let address = format!("{}/api/ocsp/{}/{escaped}", self.base, self.authority);
        answered(self.http.get(address).send().await?).await
    }

    /// OpenSSL makes the question and reads the answer.
    async fn openssl_reads_good(&self, place: &Path) -> Result<()> {
        for name in CERTIFICATES {
            let (question, answer) = (place.join("question.der"), place.join("answer.der"));
            let mut ask = Command::new("openssl");
            ask.args(["ocsp", "-no_nonce", "-issuer"])
                .arg(place.join("issuing.pem"))
                .arg("-cert")
                .arg(place.join(name))
                .arg("-reqout")
                .arg(&question);
            run(ask).await.context("openssl makes no question")?;
            std::fs::write(&answer, self.by_post(&std::fs::read(&question)?).await?)?;
            let mut read = Command::new("openssl");
            read.args(["ocsp", "-noverify", "-resp_text", "-respin"])
                .arg(&answer);
            let shown = run(read).await.context("openssl does not read the answer")?;
            ensure!(
                shown.contains("Cert Status: good"),
                "openssl reads about {name}: {shown}"
            );
        }
        Ok(())
    }

    async fn strangers_learn_nothing(&self) -> Result<()> {
        let status =
            |answer: Vec<u8>| -> Result<ResponseStatus> { Ok(OcspResponse::from_der(&answer)?.status) };
        let id = CertId::of(&self.issuing, &[0x55; 16], OcspHash::Sha1);
        let unknown = OcspRequest::new(vec![id], None);
        ensure!(status(self.by_post(unknown.as_der()).await?)? == ResponseStatus::Unauthorized);
        ensure!(status(self.by_post(b"no question").await?)? == ResponseStatus::MalformedRequest);
        let missing = format!("{}/api/crl/{}/999999.crl", self.base, self.authority);
        let response = self.http.get(missing).send().await?;
        ensure!(
            response.status().as_u16() == 404,
            "a list that is not there is given"
        );
        let problem: Value = response.json().await?;
        ensure!(
            problem["type"] == "/problems/no-such-publication",
            "the problem is {problem}"
        );
        Ok(())
    }
}

async fn answered(response: reqwest::Response) -> Result<Vec<u8>> {
    let headers = response.headers().clone();
    ensure!(
        headers
            .get("content-type")
            .is_some_and(|found| found == "application/ocsp-response"),
        "the answer {} is {headers:?}",
        response.status()
    );
    Ok(response.bytes().await?.to_vec())
}
