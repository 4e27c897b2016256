//! Makes a device of the software token: `softskf-init --label … [--serial …]`.
fn main() {}
