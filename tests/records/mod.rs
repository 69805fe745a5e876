//! Records: whole, and in detail.

mod drift;
mod joined;
mod memory;
mod persons;
mod poison;
mod recorded;
mod times;
mod whole;
