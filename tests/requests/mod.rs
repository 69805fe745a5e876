//! What is asked of the service, and what is tried again.

mod asked;
mod faults;
mod pace;
mod refused;
mod tokens;
mod transport;
