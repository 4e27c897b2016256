//! The function `notify` in process, with providers that are told what to answer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod codes;
mod collecting;
mod fakes;
mod interruptions;
mod invoices;
mod memo_secrets;
mod notices;
mod passwords;
mod receipts;
mod stopping;
mod transfers;
mod world;
