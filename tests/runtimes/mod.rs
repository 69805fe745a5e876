//! Real runtimes, targets and databases behind the binary.

mod meltano;
mod postgres;
mod queries;
mod target_page;
mod targets;
