//! An applicant: what somebody with a browser, a mobile and documents does with an order.
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yinxin_order::form::ApplicationForm;
use yinxin_store::codes::CodeKey;
use yinxin_store::vault::Hashes;

use crate::client::{Answer, Api, new_key, text};
use crate::cloud::Cloud;
use crate::pictures::Picture;
use crate::test_data::{self, Datum};
use crate::wait;
use crate::world::World;

/// Capitals and digits that a captcha may be made of; those that nobody can tell apart are left out.
const CAPTCHA_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// What is bought, and from whom.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The vendor's id.
    pub vendor: String,
    /// The product's id.
    pub product: String,
    /// The price in fen.
    pub price_fen: i64,
    /// The version of the vendor's certification practice statement.
    pub practice_statement: String,
}

/// An applicant with one order.
#[derive(Clone)]
pub struct Applicant {
    /// The API with the order's access token.
    pub api: Api,
    /// The order's id.
    pub order: String,
}

/// What the first vendor (`nth` 0) or a later one offers for the form's subject.
pub async fn purchase(api: &Api, form: &ApplicationForm, nth: usize) -> Result<Purchase> {
    let subject = serde_json::to_value(form.subject())?;
    let vendors = api.get("/api/vendors").await?.ok()?;
    let vendor = vendors["vendors"]
        .as_array()
        .and_then(|vendors| vendors.get(nth))
        .context("there are not so many vendors")?;
    let product = vendor["products"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|product| product["subject"] == subject)
        .context("the vendor has no product for the subject")?;
    Ok(Purchase {
        vendor: text(vendor, "id")?,
        product: text(product, "id")?,
        price_fen: product["price_fen"].as_i64().context("a product has a price")?,
        practice_statement: text(vendor, "practice_statement")?,
    })
}

/// A form as JSON.
pub fn form_json(form: &ApplicationForm) -> Result<Value> {
    Ok(serde_json::to_value(form)?)
}

/// A captcha and its answer.
pub async fn captcha(world: &World, api: &Api, cloud: &Cloud) -> Result<Value> {
    let captcha = api.post("/api/captchas", &json!({})).await?.ok()?;
    let id = text(&captcha, "captcha_id")?;
    check_picture(&text(&captcha, "image")?)?;
    let key = CodeKey::Captcha(id.clone());
    let hash = cloud.code_hash(&key).await?;
    let answer = solve(cloud.hashes().await?.clone(), key.as_key(), hash).await?;
    test_data::remember(world, &[Datum::new("captcha", &answer)])?;
    Ok(json!({"captcha_id": id, "answer": answer}))
}

fn check_picture(data_uri: &str) -> Result<()> {
    let encoded = data_uri
        .strip_prefix("data:image/png;base64,")
        .context("a captcha is a PNG in a data URI")?;
    let picture = image::load_from_memory(&STANDARD.decode(encoded)?)?;
    ensure!(
        picture.width() >= 60 && picture.height() >= 20,
        "a captcha is too small to be read"
    );
    Ok(())
}

/// Finds the answer to a captcha. The picture is for people; who has the key of the hashes can try all answers.
async fn solve(hashes: Hashes, key: String, wanted: String) -> Result<String> {
    let tasks = std::thread::available_parallelism()?.get();
    let mut running = Vec::with_capacity(tasks);
    for task in 0..tasks {
        let (hashes, key, wanted) = (hashes.clone(), key.clone(), wanted.clone());
        running.push(tokio::task::spawn_blocking(move || {
            let letters = CAPTCHA_ALPHABET;
            let firsts = letters.iter().skip(task).step_by(tasks);
            for first in firsts {
                for rest in 0..letters.len().pow(3) {
                    let letter = |place: u32| letters[rest / letters.len().pow(place) % letters.len()];
                    let answer = [*first, letter(0), letter(1), letter(2)];
                    let answer = std::str::from_utf8(&answer).unwrap_or_default();
                    if hashes.code(&key, answer) == wanted {
                        return Some(answer.to_owned());
                    }
                }
            }
            None
        }));
    }
    let mut found = None;
    for task in running {
        found = found.or(task.await?);
    }
    match found {
        Some(answer) => Ok(answer),
        None => bail!("no four capitals or digits answer the captcha"),
    }
}

/// The body of `POST /api/orders`.
pub fn order_body(purchase: &Purchase, form: &Value, captcha: &Value) -> Value {
    json!({"vendor": purchase.vendor, "product": purchase.product, "form": form, "captcha": captcha})
}

impl Applicant {
    /// The holder of a new order.
    pub fn of(world: &World, api: &Api, created: &Value) -> Result<Applicant> {
        let token = text(created, "access_token")?;
        test_data::remember(world, &[Datum::new("access token", &token)])?;
        Ok(Applicant {
            api: api.with_token(&token),
            order: text(created, "order_id")?,
        })
    }

    /// The path of something below the order.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/orders/{}{rest}", self.order)
    }

    /// The order as it stands.
    pub async fn view(&self) -> Result<Value> {
        self.api.get(&self.path("")).await?.ok()
    }

    /// The order's state.
    pub async fn state(&self) -> Result<String> {
        text(&self.view().await?, "state")
    }

    /// Waits until the order stands in `state`.
    pub async fn reaches(&self, state: &str, limit: Duration) -> Result<Value> {
        wait::until(&format!("order {} in {state}", self.order), limit, async || {
            let view = self.view().await?;
            Ok((view["state"] == state).then_some(view))
        })
        .await
    }

    /// Does something with the order.
    pub async fn act(&self, action: &str, body: &Value) -> Result<Answer> {
        self.api.post(&self.path(&format!("/{action}")), body).await
    }

    /// Does something that leads to `state`. Where the answer to an earlier try was lost, the state tells that it was done.
    pub async fn act_to(&self, action: &str, body: &Value, state: &str) -> Result<()> {
        let answer = self.act(action, body).await?;
        if answer.failed_tries > 0 && answer.status >= 400 && self.state().await? == state {
            return Ok(());
        }
        let view = answer.ok()?;
        ensure!(
            view["state"] == state,
            "after {action} the order stands in {}, not in {state}",
            view["state"]
        );
        Ok(())
    }

    /// Waits until the password came so far: `sent`, `returned`, …
    pub async fn password_is(&self, status: &str, limit: Duration) -> Result<Value> {
        wait::until(&format!("a password that is {status}"), limit, async || {
            let password = self.view().await?["password"].clone();
            Ok((password["status"] == status).then_some(password))
        })
        .await
    }

    /// Enters the secret that stands in a transfer's memo. A repeated try is answered as the first one was.
    pub async fn collect_password(&self, memo_secret: &str) -> Result<Answer> {
        let body = json!({"memo_secret": memo_secret});
        self.api.create(&self.path("/password"), &body, &new_key()).await
    }

    /// Asks for the permission to upload a picture.
    pub async fn announce(&self, kind: &str, picture: &Picture) -> Result<Answer> {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &picture.bytes);
        let body = json!({
            "kind": kind, "content_type": picture.content_type, "bytes": picture.bytes.len(),
            "sha256": STANDARD.encode(digest),
        });
        self.act("documents", &body).await
    }

    /// Announces and uploads a picture; the upload's id.
    pub async fn upload(&self, kind: &str, picture: Picture) -> Result<String> {
        let permission = self.announce(kind, &picture).await?.ok()?;
        let (status, answer) = self
            .api
            .upload(&text(&permission, "url")?, &permission["headers"], picture.bytes)
            .await?;
        ensure!(
            status.is_success(),
            "the upload of {kind} was answered {status}: {answer}"
        );
        text(&permission, "upload")
    }

    /// Waits until an upload is judged.
    pub async fn judged(&self, upload: &str, limit: Duration) -> Result<Value> {
        wait::until("the judgement of an upload", limit, async || {
            let listed = self.api.get(&self.path("/documents")).await?.ok()?;
            let documents = listed["documents"]
                .as_array()
                .context("the list has documents")?
                .clone();
            Ok(documents
                .into_iter()
                .find(|document| document["upload"] == upload))
        })
        .await
    }

    /// Starts an attempt to pay by Alipay.
    pub async fn start_payment(&self) -> Result<Value> {
        self.try_to_pay("alipay").await?.ok()
    }

    /// Asks for a code of this provider.
    pub async fn try_to_pay(&self, provider: &str) -> Result<Answer> {
        let body = json!({"provider": provider});
        self.api.create(&self.path("/payments"), &body, &new_key()).await
    }
}
