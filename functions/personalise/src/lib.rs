//! The personalise function.
