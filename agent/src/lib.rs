//! The signer agent: a token, and what the vendor's operator does with it.
pub mod cli;
pub mod configuration;
pub mod personalise;
pub mod pin;
pub mod platform;
pub mod private_file;
pub mod token;
