//! The upload function: permissions through its router, arrivals through S3's events.
mod arrivals;
mod permissions;
mod world;
