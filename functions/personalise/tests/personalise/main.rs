//! The function `personalise` in process: its routes as operators' agents call them.
mod orders;
mod requests;
mod tokens;
mod world;
