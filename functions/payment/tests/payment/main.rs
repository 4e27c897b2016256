//! The function `payment` in process: its routes, its errands, its sample events, against a loopback provider.
mod errands;
mod gateway;
mod notification;
mod start;
mod world;
