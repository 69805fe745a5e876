//! Runs that are killed or told to stop.

mod chaos;
mod instants;
mod stops;
