//! The submit function through its router: what it does, and each refusal.
mod captchas;
mod create;
mod events;
mod form;
mod intakes;
mod moves;
mod signature;
mod world;
