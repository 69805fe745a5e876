//! The streams that are offered where the setting `streams` names them.

mod environments;
mod keys;
mod parents;
mod refusals;
mod streams;
