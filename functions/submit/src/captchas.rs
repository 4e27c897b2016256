//! Captchas: a picture of four characters, good for one try.
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::CryptoRng;
use serde::Serialize;
use utoipa::ToSchema;
use yinxin_lambda::problem::Code;
use yinxin_lambda::views::timestamp;
use yinxin_lambda::{Json, Problem};
use yinxin_store::codes::{CODE_LIFETIME, CodeKey, CodeRefusal, StoredCode};
use yinxin_store::vault::{random_bytes, rng};

use crate::App;
use crate::moves::Nothing;

mod picture;

/// What a captcha is made of: capitals and digits, without those that look alike.
const ALPHABET: &[u8] = b"ACDEFHJKLMNPRTUWXY4679";
/// How many characters a captcha has.
const LENGTH: usize = 4;

/// A captcha to be solved.
#[derive(Serialize, ToSchema)]
pub struct Captcha {
    /// To be given back with the answer.
    #[serde(rename = "captcha_id")]
    id: String,
    /// The picture, as a data URI.
    #[schema(example = "data:image/png;base64,...")]
    image: String,
    /// When it ends, RFC 3339.
    expires_at: String,
}

/// Makes a captcha.
#[utoipa::path(post, path = "/api/captchas", tag = "orders", request_body = Nothing,
    responses((status = 201, body = Captcha), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn create_captcha(
    State(app): State<App>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<(StatusCode, Json<Captcha>), Problem> {
    let id = hex::encode(random_bytes::<16>());
    let key = CodeKey::Captcha(id.clone());
    let answer = new_answer(&mut rng());
    let picture = picture::draw(&answer, &mut rng()).map_err(|_| Problem::new(Code::Internal))?;
    let expires_at = app.platform.now() + CODE_LIFETIME;
    let code = StoredCode {
        hash: app.platform.vault.hashes().await?.code(&key.as_key(), &answer),
        expires_at,
        tries: 0,
        used: false,
    };
    app.platform.codes.put_captcha(&key, &code).await?;
    let captcha = Captcha {
        id,
        image: format!("data:image/png;base64,{}", STANDARD.encode(picture)),
        expires_at: timestamp(expires_at),
    };
    Ok((StatusCode::CREATED, Json(captcha)))
}

/// A random answer.
fn new_answer(rng: &mut impl CryptoRng) -> String {
    (0..LENGTH)
        .map(|_| char::from(ALPHABET[below(rng, ALPHABET.len())]))
        .collect()
}

/// A random number below `bound`, which is small, so that the remainder is as good as uniform.
fn below(rng: &mut impl CryptoRng, bound: usize) -> usize {
    usize::try_from(rng.next_u32() % u32::try_from(bound).unwrap_or(u32::MAX)).unwrap_or_default()
}

impl App {
    /// Counts the one try that a captcha has, and compares.
    pub async fn check_captcha(&self, captcha_id: &str, answer: &str) -> Result<(), Problem> {
        // Ids are made here and nowhere else, so another form cannot be known.
        let is_id = captcha_id.len() == 32 && captcha_id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Err(Problem::from(CodeRefusal::Unknown).at("/captcha/captcha_id"));
        }
        let key = CodeKey::Captcha(captcha_id.to_owned());
        let checked = self.platform.check_code(&key, answer.trim()).await;
        checked.map_err(|problem| problem.at("/captcha/answer"))
    }
}
