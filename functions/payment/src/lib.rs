//! The payment function.
