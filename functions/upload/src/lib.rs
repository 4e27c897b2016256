//! The upload function.
