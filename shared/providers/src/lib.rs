//! Clients for the outside world: Alipay, WeChat Pay, SMS and identity checks of two clouds, the bank bridge, SMTP, invoices,
//! couriers.
//!
//! Each client gets its base URL, its secret and a shared [`http::Http`] when it is made, and the clock
//! (`now`) with each call. Money is `i64` fen. Results say what the caller may do next: go on, give up, or ask
//! again because nobody knows whether the provider acted. A call is repeated once, and
//! only where it does the same however often it is made; [`observe`] counts all of them by provider and outcome.

pub mod alipay;
pub mod aliyun;
pub mod bank;
pub mod courier;
pub mod http;
pub mod identity;
pub mod invoice;
pub mod mail;
pub mod money;
pub mod observe;
pub mod payments;
pub mod sms;
pub mod tencent;
pub mod wechat;

mod breaker;
mod china_time;
mod endpoint;
mod pem;
mod percent;
mod secret;

pub use secret::Secret;
