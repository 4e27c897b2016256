//! The function `payment` in process: its routes, its errands, its sample events, against a loopback provider.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod errands;
mod gateway;
mod histories;
mod notification;
mod reconcile;
mod start;
mod tables;
mod till;
mod world;
