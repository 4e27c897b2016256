//! The function `notify` in process, with providers that are told what to answer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod codes;
mod fakes;
mod notices;
mod passwords;
mod receipts;
mod world;
