//! Each client against an in-process provider that answers well, badly, too late, too much, or not at all.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod alipay;
mod bank;
mod courier;
mod fake;
mod identity;
mod invoice;
mod mail;
mod sms;
