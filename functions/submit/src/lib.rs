//! The submit function.
