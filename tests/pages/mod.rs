//! The pages for users: their commands, their links, their words.

pub mod commands;
mod links;
mod troubleshooting;
