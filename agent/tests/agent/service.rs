//! The running service over raw HTTP: what it does for an approved site, and what it refuses to everybody else.
mod attacks;
pub mod bench;
mod codes;
mod document;
mod hotplug;
mod login;
mod operations;
mod pages;
mod pairing;
mod pins;
mod preflights;
mod program;
mod raw;
mod renewing;
mod tickets;
mod unblocking;
mod writing;
