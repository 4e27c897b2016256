//! The signer agent: a token, what the vendor's operator does with it, and the loopback service for sites.
pub mod cli;
pub mod configuration;
pub mod operations;
mod pages;
pub mod personalise;
pub mod pin;
pub mod platform;
pub mod service;
pub mod ticket;
pub mod token;

use yinxin_keep::private_file;
