//! Records: whole, and in detail.

mod drift;
mod memory;
mod persons;
mod poison;
mod recorded;
pub mod times;
mod whole;
