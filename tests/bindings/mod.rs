//! Role bindings: which listings bring them, and what is derived from their names.

mod granted;
mod listings;
mod patterns;
mod properties;
