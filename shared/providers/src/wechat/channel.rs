//! One exchange with WeChat Pay: signed on the way out, verified on the way back, with whichever of its keys signed.

use std::collections::HashMap;
use std::time::Instant;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use tracing::debug;

use super::certificates::{self, Certificates, Fetched, List, PlatformKey};
use super::config::{ConfigError, Merchant, PUBLIC_KEY_ID};
use super::judge::judge;
use super::keys::{Scheme, SigningKey, VerifyingKey};
use super::seal::ApiKey;
use super::wire::{Distrust, Signed, Signer};
use crate::http::{Answer, Http};
use crate::payments::{Doubt, Failure};

/// The way to WeChat Pay for one merchant.
pub(super) struct Channel {
    pub(super) http: Http,
    base: String,
    signer: Signer,
    pub(super) api_key: ApiKey,
    public_key: Option<PublicKey>,
    certificates: Option<Certificates>,
}

struct PublicKey {
    id: String,
    key: VerifyingKey,
}

impl Channel {
    pub(super) fn new(merchant: &Merchant, base_url: &str, http: Http) -> Result<Self, ConfigError> {
        let public_key = PublicKey::of(merchant)?;
        let certificates = merchant.platform_certificates.map(|_| Certificates::default());
        if public_key.is_none() && certificates.is_none() {
            return Err(ConfigError::NothingToVerifyWith);
        }
        Ok(Self {
            http,
            base: base_url.trim_end_matches('/').to_owned(),
            signer: Signer {
                mchid: merchant.mchid.clone(),
                serial: merchant.certificate_serial.to_ascii_uppercase(),
                key: SigningKey::parse(merchant.scheme, merchant.private_key.expose())?,
            },
            api_key: ApiKey::parse(&merchant.api_v3_key)?,
            public_key,
            certificates,
        })
    }

    /// Asks for what stands under a path.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        now: OffsetDateTime,
    ) -> Result<T, Failure> {
        let body = self.call(path, None, now).await?;
        serde_json::from_slice(&body).map_err(|_| Doubt::Malformed.into())
    }

    /// Posts a JSON body; answers the verified body, which is empty where WeChat Pay has nothing to say.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, Failure> {
        let body = serde_json::to_string(body).map_err(|_| Failure::NotSent("the body is no JSON"))?;
        self.call(path, Some(&body), now).await
    }

    /// Fetches a file from a URL that WeChat Pay named. Files are not signed.
    pub(super) async fn download(
        &self,
        http: &Http,
        url: &str,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, Failure> {
        let url = Url::parse(url).map_err(|_| Doubt::Malformed)?;
        // Nobody else is to see the merchant's signature.
        if !Url::parse(&self.base).is_ok_and(|base| base.origin() == url.origin()) {
            return Err(Doubt::Malformed.into());
        }
        let answer = self.exchange(http, &url, None, "*/*", now).await?;
        if answer.status != 200 {
            return Err(judge(&answer));
        }
        Ok(answer.body)
    }

    async fn call(&self, path: &str, body: Option<&str>, now: OffsetDateTime) -> Result<Vec<u8>, Failure> {
        let answer = self.ask(path, body, now).await?;
        if !(200..300).contains(&answer.status) {
            return Err(judge(&answer));
        }
        self.verify(&answer.headers, &answer.body, now).await?;
        if answer.status == 202 {
            return Err(Doubt::Busy("202".to_owned()).into());
        }
        Ok(answer.body)
    }

    async fn ask(&self, path: &str, body: Option<&str>, now: OffsetDateTime) -> Result<Answer, Failure> {
        let url =
            Url::parse(&format!("{}{path}", self.base)).map_err(|_| Failure::NotSent("the URL is none"))?;
        let answer = self
            .exchange(&self.http, &url, body, "application/json", now)
            .await?;
        let id = answer.headers.get("request-id").and_then(|id| id.to_str().ok());
        debug!(
            request.id = id,
            status = answer.status,
            "WeChat Pay answered request {}",
            id.unwrap_or("without a number")
        );
        Ok(answer)
    }

    /// All calls do the same when they are made again: trades and refunds have numbers of ours.
    async fn exchange(
        &self,
        http: &Http,
        url: &Url,
        body: Option<&str>,
        accept: &str,
        now: OffsetDateTime,
    ) -> Result<Answer, Failure> {
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let started = Instant::now();
        let make = || {
            let (method, request) = match body {
                None => ("GET", http.get(url.as_str())),
                Some(body) => {
                    let post = http.post(url.as_str()).header(CONTENT_TYPE, "application/json");
                    ("POST", post.body(body.to_owned()))
                }
            };
            let mut request = request.header(ACCEPT, accept);
            if let Some(public_key) = &self.public_key {
                request = request.header("Wechatpay-Serial", &public_key.id);
            }
            let at = now + started.elapsed();
            match self
                .signer
                .authorization(method, &target, body.unwrap_or_default(), at)
            {
                Some(authorization) => request.header(AUTHORIZATION, authorization),
                // The key has signed before. Where it no longer does, the request is refused for want of a signature.
                None => request,
            }
        };
        Ok(http.send_repeatable(make).await?)
    }

    /// Whether WeChat Pay signed this body, not long ago.
    pub(super) async fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), Distrust> {
        let signed = Signed::read(headers)?;
        let key = self.key(signed.serial, now).await?;
        signed.check(&key, body, now)
    }

    /// The key that a serial number names. While WeChat Pay changes a merchant over, both kinds are named.
    async fn key(&self, serial: &str, now: OffsetDateTime) -> Result<VerifyingKey, Distrust> {
        if let Some(key) = self.public_key(serial) {
            return Ok(key);
        }
        // No list of certificates holds a public key.
        let certificates = match &self.certificates {
            Some(certificates) if !serial.starts_with(PUBLIC_KEY_ID) => certificates,
            _ => return Err(Distrust::BadSignature),
        };
        if let Some(key) = certificates.key(serial, now) {
            return Ok(key);
        }
        let mut fetched = certificates.fetched.lock().await;
        // Somebody else may have fetched it while we waited.
        if let Some(key) = certificates.key(serial, now) {
            return Ok(key);
        }
        match &*fetched {
            Some(last) if last.is_fresh(now) && last.came => return Err(Distrust::BadSignature),
            Some(last) if last.is_fresh(now) => {
                let doubt = Doubt::Busy("no platform certificates just now".to_owned());
                return Err(Distrust::NoKey(doubt.into()));
            }
            _ => {}
        }
        let list = self.platform_keys(now).await;
        *fetched = Some(Fetched {
            at: now,
            came: list.is_ok(),
        });
        certificates.replace(list.map_err(Distrust::NoKey)?);
        certificates.key(serial, now).ok_or(Distrust::BadSignature)
    }

    fn public_key(&self, serial: &str) -> Option<VerifyingKey> {
        let configured = self.public_key.as_ref().filter(|key| key.id == serial)?;
        Some(configured.key.clone())
    }

    /// Fetches the certificates. The first list can only be verified with what it holds itself; that somebody who does not know the
    /// `APIv3` key put a certificate into it is ruled out by its encryption, and the signature shows that the list is a fresh one.
    async fn platform_keys(&self, now: OffsetDateTime) -> Result<HashMap<String, PlatformKey>, Failure> {
        let path = match self.signer.key.scheme() {
            Scheme::Rsa => "/v3/certificates",
            Scheme::Sm2 => "/v3/certificates?algorithm_type=SM2",
        };
        let answer = self.ask(path, None, now).await?;
        if answer.status != 200 {
            return Err(judge(&answer));
        }
        let list: List = serde_json::from_slice(&answer.body).map_err(|_| Doubt::Malformed)?;
        let keys = list.open(&self.api_key, now);
        let signed = Signed::read(&answer.headers)?;
        let key = self
            .public_key(signed.serial)
            .or_else(|| certificates::find(&keys, signed.serial, now))
            .ok_or(Doubt::BadSignature)?;
        signed.check(&key, &answer.body, now)?;
        Ok(keys)
    }
}

impl PublicKey {
    fn of(merchant: &Merchant) -> Result<Option<Self>, ConfigError> {
        match (&merchant.public_key_id, &merchant.public_key) {
            (None, None) => Ok(None),
            (Some(id), Some(key)) if id.starts_with(PUBLIC_KEY_ID) => Ok(Some(Self {
                id: id.clone(),
                key: VerifyingKey::parse(key).ok_or(ConfigError::PublicKey)?,
            })),
            _ => Err(ConfigError::PublicKey),
        }
    }
}
