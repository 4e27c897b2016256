//! The submit function through its router: what it does, and each refusal.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod captchas;
mod checks;
mod create;
mod events;
mod form;
mod intakes;
mod moves;
mod signature;
mod world;
