//! The relay function.
