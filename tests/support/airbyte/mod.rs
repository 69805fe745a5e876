//! The binary as an Airbyte source: how it is run, what it says, and the models that read it.

mod messages;
mod models;
mod read;
mod states;

pub use messages::*;
pub use models::Models;
pub use read::*;
pub use states::*;
