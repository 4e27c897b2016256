//! The upload function: permissions through its router, arrivals through S3's events.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod arrivals;
mod permissions;
mod world;
