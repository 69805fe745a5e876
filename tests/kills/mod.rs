//! Runs that are killed or told to stop.

mod chaos;
mod defects;
mod instants;
mod stops;
