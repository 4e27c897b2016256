//! Administration commands.
fn main() {}
