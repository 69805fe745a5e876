//! A real Meltano with the binary as a custom plugin, into a real DuckDB.

mod installed;
mod verbs;
