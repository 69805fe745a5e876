//! Real runtimes, targets and databases behind the binary.

mod meltano;
pub mod postgres;
pub mod queries;
mod target_page;
mod targets;
