//! The access token: it lasts a day, few are given out in a month, so all processes share one, and one of them fetches it.
//!
//! What is shared is sealed under a key made of the application's secret: who could open it has the secret anyway.

use std::sync::{Mutex, PoisonError};
use std::time::Duration as Pause;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::{Doubt, Seller};
use crate::Secret;
use crate::http::Http;
use crate::observe::Told;

/// A token this near its end is not used any more.
const MARGIN: Duration = Duration::minutes(10);
/// Nuonuo gives out 50 tokens in 30 days.
const PERIOD: Duration = Duration::days(30);
const MAX_REQUESTS_IN_PERIOD: usize = 48;
/// A gateway that takes no token at all must not use up the month's tokens within hours.
const DAY: Duration = Duration::days(1);
const MAX_REQUESTS_IN_DAY: usize = 6;
/// So long the others wait for the process whose turn it is; then it failed, and another one tries.
const TURN: Duration = Duration::minutes(2);
/// How often a process looks whether another one has the token.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Pause = Pause::from_millis(200);
const NONCE_BYTES: usize = 12;
const PURPOSE: &[u8] = b"nuonuo access token";

/// What processes share: a text, replaced only where nothing changed meanwhile.
#[async_trait]
pub trait TokenCache: Send + Sync {
    /// The text and its revision; an empty text with revision 0 where there is none.
    async fn load(&self) -> Result<Cached, CacheError>;

    /// Replaces the text of this revision, whose successor has the next one; `false` where another process was first.
    async fn replace(&self, revision: u64, text: &str) -> Result<bool, CacheError>;
}

/// What was shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cached {
    /// Grows by one with each replacement.
    pub revision: u64,
    /// The text.
    pub text: String,
}

/// The store of what is shared did not do its work.
#[derive(Debug, Error)]
#[error("the store did not do its work")]
pub struct CacheError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The token and the requests for tokens, as they are shared.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Shared {
    /// The token: nonce, ciphertext, tag; base64.
    sealed: Option<String>,
    /// Until when it is good, Unix seconds.
    good_until: i64,
    /// When tokens were asked for, Unix seconds.
    asked: Vec<i64>,
    /// Until when one process has the turn to ask, Unix seconds.
    turn_until: i64,
}

/// The access token of one application.
pub(super) struct Tokens {
    http: Http,
    url: String,
    app_key: String,
    app_secret: Secret,
    cache: Box<dyn TokenCache>,
    /// What this process used last, and until when it is good.
    at_hand: Mutex<Option<(Secret, i64)>>,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    access_token: String,
    #[serde(default, deserialize_with = "super::wire::text")]
    expires_in: String,
    #[serde(default)]
    error: String,
}

impl Tokens {
    pub(super) fn new(http: Http, url: String, seller: &Seller, cache: Box<dyn TokenCache>) -> Self {
        Tokens {
            http,
            url,
            app_key: seller.app_key.clone(),
            app_secret: seller.app_secret.clone(),
            cache,
            at_hand: Mutex::default(),
        }
    }

    /// A token that is good, as far as we know; not the one that the gateway has `rejected`.
    pub(super) async fn obtain(
        &self,
        rejected: Option<&Secret>,
        now: OffsetDateTime,
    ) -> Result<Secret, Doubt> {
        if let Some(token) = self.at_hand(now).filter(|token| Some(token) != rejected) {
            return Ok(token);
        }
        for _ in 0..LOOKS {
            let cached = self.cache.load().await?;
            // What cannot be read is as good as nothing, but for the count of what was asked for: it starts anew.
            let mut shared: Shared = serde_json::from_str(&cached.text).unwrap_or_default();
            if is_good(shared.good_until, now)
                && let Some(token) = shared.sealed.as_deref().and_then(|sealed| self.open(sealed))
                && Some(&token) != rejected
            {
                self.keep_at_hand(&token, shared.good_until);
                return Ok(token);
            }
            if shared.turn_until > now.unix_timestamp() {
                tokio::time::sleep(BETWEEN_LOOKS).await;
                continue;
            }
            shared.take_turn(now)?;
            if self.cache.replace(cached.revision, &shared.text()).await? {
                return self.fetch(cached.revision + 1, shared, now).await;
            }
        }
        Err(Doubt::TokenBusy)
    }

    /// Asks for a token, in this process's turn. Where it fails the turn ends by itself.
    async fn fetch(&self, revision: u64, mut shared: Shared, now: OffsetDateTime) -> Result<Secret, Doubt> {
        let (token, lasts_s) = self.http.observed("token", self.ask()).await?;
        shared.sealed = Some(self.seal(&token).ok_or(Doubt::Environment)?);
        shared.good_until = now.unix_timestamp().saturating_add(lasts_s);
        shared.turn_until = 0;
        // Whoever replaced it meanwhile has a token too; this one is as good.
        self.cache.replace(revision, &shared.text()).await?;
        self.keep_at_hand(&token, shared.good_until);
        Ok(token)
    }

    async fn ask(&self) -> Result<(Secret, i64), Doubt> {
        let form = [
            ("client_id", self.app_key.as_str()),
            ("client_secret", self.app_secret.expose()),
            ("grant_type", "client_credentials"),
        ];
        // Once: a request whose answer is lost counts as well.
        let answer = self.http.send(self.http.post(&self.url).form(&form)).await?;
        let given: Given = serde_json::from_slice(&answer.body).map_err(|_| Doubt::Status(answer.status))?;
        let lasts_s = given.expires_in.parse().ok().filter(|&seconds| seconds > 0);
        match lasts_s {
            Some(lasts_s) if !given.access_token.is_empty() && answer.status == 200 => {
                Ok((Secret::from(given.access_token), lasts_s))
            }
            _ => Err(Doubt::Token(given.error)),
        }
    }

    fn at_hand(&self, now: OffsetDateTime) -> Option<Secret> {
        let at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, good_until) = at_hand.as_ref()?;
        is_good(*good_until, now).then(|| token.clone())
    }

    fn keep_at_hand(&self, token: &Secret, good_until: i64) {
        let mut at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        *at_hand = Some((token.clone(), good_until));
    }

    fn key(&self) -> Option<RandomizedNonceKey> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, self.app_secret.expose().as_bytes());
        RandomizedNonceKey::new(&AES_256_GCM, hmac::sign(&secret, PURPOSE).as_ref()).ok()
    }

    fn seal(&self, token: &Secret) -> Option<String> {
        let mut text = token.expose().as_bytes().to_vec();
        let nonce = self
            .key()?
            .seal_in_place_append_tag(Aad::from(self.app_key.as_bytes()), &mut text)
            .ok()?;
        Some(STANDARD.encode([nonce.as_ref().as_slice(), &text].concat()))
    }

    /// The token, unless it was sealed for another application or under another secret.
    fn open(&self, sealed: &str) -> Option<Secret> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let opened = self
            .key()?
            .open_in_place(nonce, Aad::from(self.app_key.as_bytes()), &mut text)
            .ok()?;
        Some(Secret::from(std::str::from_utf8(opened).ok()?))
    }
}

impl Shared {
    /// Counts one more request, if the provider grants it.
    fn take_turn(&mut self, now: OffsetDateTime) -> Result<(), Doubt> {
        let since = |span: Duration| (now - span).unix_timestamp();
        self.asked.retain(|&at| at > since(PERIOD));
        let today = self.asked.iter().filter(|&&at| at > since(DAY)).count();
        if self.asked.len() >= MAX_REQUESTS_IN_PERIOD || today >= MAX_REQUESTS_IN_DAY {
            return Err(Doubt::TokenQuota);
        }
        self.asked.push(now.unix_timestamp());
        self.turn_until = (now + TURN).unix_timestamp();
        Ok(())
    }

    fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

impl Told for Result<(Secret, i64), Doubt> {
    fn outcome(&self) -> &'static str {
        match self {
            Ok(_) => "ok",
            Err(Doubt::Token(_)) => "refused",
            Err(doubt) => doubt.word(),
        }
    }
}

fn is_good(good_until: i64, now: OffsetDateTime) -> bool {
    (now + MARGIN).unix_timestamp() < good_until
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{Doubt, MAX_REQUESTS_IN_DAY, MAX_REQUESTS_IN_PERIOD, Shared};

    #[test]
    fn a_day_and_a_month_have_a_number_of_requests() {
        let start = datetime!(2026-04-01 00:00 UTC);
        let mut shared = Shared::default();
        for _ in 0..MAX_REQUESTS_IN_DAY {
            shared.take_turn(start).unwrap();
        }
        assert!(matches!(shared.take_turn(start), Err(Doubt::TokenQuota)));
        let mut granted = MAX_REQUESTS_IN_DAY;
        for half_day in 2..60 {
            let now = start + time::Duration::hours(12 * half_day);
            granted += usize::from(shared.take_turn(now).is_ok());
        }
        assert_eq!(granted, MAX_REQUESTS_IN_PERIOD);
        let next_month = start + time::Duration::days(31);
        shared.take_turn(next_month).unwrap();
        assert!(shared.asked.len() <= MAX_REQUESTS_IN_PERIOD);
    }
}
