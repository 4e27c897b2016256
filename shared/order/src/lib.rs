//! Orders: subjects, forms, kinds, states, commands, effects and `decide`; no I/O, no clock, no async.
pub mod form;
pub mod identifiers;
