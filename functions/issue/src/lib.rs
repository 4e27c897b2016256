//! The issue function.
