//! Where credentials go, and that nothing says them.

mod echoes;
mod origins;
mod properties;
