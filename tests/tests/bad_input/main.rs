//! Bad input: each kind has its stable problem type, and changes nothing.
mod codes;
mod documents;
mod forms;
mod payments;
mod scene;
mod staff;
