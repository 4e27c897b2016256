//! The function `courier` in process: its routes and its errand, against a loopback service.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod errands;
mod pushes;
mod service;
mod whereabouts;
mod world;
