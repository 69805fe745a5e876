//! Answers that no service should give.

mod answers;
mod complaints;
mod empty_lists;
mod endless;
mod limits;
mod properties;
mod streams;
