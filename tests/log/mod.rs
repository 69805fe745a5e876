//! Lines for people: in a log, for a runtime, on a terminal.

mod lines;
mod structured;
mod terminal;
