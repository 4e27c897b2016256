//! The agent against a platform on the loopback address: whole runs, broken runs, and the command line.
#![allow(clippy::unwrap_used, reason = "a test's support fails the test")]

mod authority;
mod breaking_token;
mod command_line;
mod deliveries;
mod holding;
mod interruptions;
mod personalise;
mod platform;
mod pulled;
mod pulled_renewals;
mod second_library;
mod service;
mod soft_token;
mod tokens;
mod verifying;
mod watching;
mod world;
