//! What a developer of `capable` does.
fn main() {}
