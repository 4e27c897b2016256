//! What journeys on a deployed stack are made of: the people in them, the world around them, and the record of
//! what happened. Tests and the demonstration are written with it.
pub mod agent;
pub mod applicant;
pub mod certificates;
pub mod client;
pub mod cloud;
pub mod demo;
pub mod end_state;
pub mod journey;
pub mod money;
pub mod pictures;
pub mod proxy;
pub mod sandbox;
pub mod staff;
pub mod test_data;
pub mod usage;
pub mod wait;
pub mod world;

pub use client::{Answer, Api};
pub use journey::{Journey, Step};
pub use world::World;
