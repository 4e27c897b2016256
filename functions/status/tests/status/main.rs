//! The function `status` in process: what was signed is what is answered.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ocsp;
mod publications;
mod world;
