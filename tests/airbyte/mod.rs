//! The binary as an Airbyte source.

mod acceptance;
mod check;
mod failures;
mod kills;
mod order;
mod pyairbyte;
mod reads;
mod selection;
mod states;
