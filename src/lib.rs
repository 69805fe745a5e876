//! The modules of the `tap-confluent-cloud` binary, hidden and without any promise of stability:
//! they are public for fuzzers and benchmarks alone. ARCHITECTURE.md is the map.
#![doc(hidden)]

pub mod api;
pub mod check;
pub mod cli;
pub mod config;
pub mod crn;
pub mod error;
pub mod extractions;
pub mod files;
pub mod json;
pub mod log;
pub mod partition;
pub mod progress;
pub mod protocol;
pub mod run;
pub mod secret;
pub mod shape;
pub mod state;
pub mod stop;
pub mod streams;
pub mod sync;
pub mod write;
