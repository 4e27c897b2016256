//! The function `issue` in process: real software CAs over a store in memory that stops where it is told to.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod authorities;
mod est;
mod generations;
mod interruptions;
mod issuing;
mod kms;
mod recovering;
mod revoking;
mod stopping;
mod stopping_statuses;
mod vendors;
mod world;
