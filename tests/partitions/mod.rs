//! Streams that are listed once for each record of another, and that other stream.

mod many;
mod maps;
mod names;
mod parents;
mod resumed;
mod samples;
mod whole;
