//! The identifiers against vectors and properties.
