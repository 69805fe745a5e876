//! Settings, and the keys and organizations that they name.

mod careless_hands;
mod keys;
mod names;
mod organizations;
mod pasted;
mod values;
