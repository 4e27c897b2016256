//! Where notifications arrive: hands each to the client, and answers as the platform does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use yinxin_providers::payments::{Delivery, Notification, NotificationError, PaymentGateway};

/// A refund's notification comes two seconds after it was asked for; a busy machine may need more.
const PATIENCE: Duration = Duration::from_secs(15);

/// What one delivery came to.
pub struct Told {
    pub read: Result<Notification, NotificationError>,
    /// The key that WeChat Pay says it signed with.
    pub serial: Option<String>,
}

pub struct Inbox(mpsc::UnboundedReceiver<Told>);

impl Inbox {
    pub fn serve(listener: TcpListener, gateway: Arc<dyn PaymentGateway>) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let router = Router::new().fallback(take).with_state((gateway, tell));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self(told)
    }

    /// The next delivery, in the order in which they were read.
    pub async fn next(&mut self) -> Told {
        let next = tokio::time::timeout(PATIENCE, self.0.recv()).await;
        next.expect("no notification came").unwrap()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

type Reader = (Arc<dyn PaymentGateway>, mpsc::UnboundedSender<Told>);

async fn take(
    State((gateway, tell)): State<Reader>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let delivery = Delivery {
        headers: &headers,
        body: &body,
    };
    let read = gateway
        .read_notification(&delivery, OffsetDateTime::now_utc())
        .await;
    let answer = match &read {
        Ok(_) => (StatusCode::OK, "success"),
        Err(_) => (StatusCode::BAD_REQUEST, "failure"),
    };
    let serial = headers.get("wechatpay-serial");
    let serial = serial.map(|serial| serial.to_str().unwrap().to_owned());
    // A test that is over listens no more.
    tell.send(Told { read, serial }).ok();
    answer
}
