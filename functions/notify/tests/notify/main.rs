//! The function `notify` in process, with providers that are told what to answer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod codes;
mod fakes;
mod invoices;
mod notices;
mod passwords;
mod world;
