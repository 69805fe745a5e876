//! States: what is resumed, what is started over, and what a version stands for.

mod access;
mod files;
mod resumed;
mod shrunk;
mod versions;
