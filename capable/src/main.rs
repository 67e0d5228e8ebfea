//! The program `capable`.
fn main() {}
