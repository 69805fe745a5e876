//! The pages for users: their commands, their links, their words.

mod commands;
mod links;
mod troubleshooting;
