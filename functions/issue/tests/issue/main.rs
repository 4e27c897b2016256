//! The function `issue` in process: real software CAs over a store in memory that stops where it is told to.
mod authorities;
mod interruptions;
mod issuing;
mod stopping;
mod world;
