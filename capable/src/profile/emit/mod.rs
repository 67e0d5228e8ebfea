//! Emitters (placeholder while the rest compiles).
