//! The function `personalise` in process: its routes as operators' agents call them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod orders;
mod requests;
mod tickets;
mod tokens;
mod world;
