//! The function `invoice` in process: its errand, against a loopback provider.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod errands;
mod provider;
mod world;
