//! The only place that knows HTTP.

pub mod auth;
pub mod body;
pub mod client;
pub mod complaint;
mod connection;
pub mod listing;
pub mod organization;
pub mod pace;
pub mod page;
mod proxy;
mod quote;
pub mod redact;
mod refusal;
pub mod retry;

pub use client::Client;
pub use pace::Wait;
