//! The streams that are offered where the setting `streams` names them.

mod environments;
mod keys;
mod refusals;
mod streams;
