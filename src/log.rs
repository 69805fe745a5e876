//! Words for people, one line each. `main` installs the writer: stderr by default.
//!
//! Knows levels and nothing else. What is logged never holds a credential, because nothing that is
//! handed to it does: see `secret::Secret`.

use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

type Writer = Box<dyn Fn(Level, &str) + Send + Sync>;

static LOG: OnceLock<(Level, Writer)> = OnceLock::new();

/// Lines less important than `level` are dropped; the others go to `writer`. Later calls do nothing.
pub fn install(level: Level, writer: impl Fn(Level, &str) + Send + Sync + 'static) {
    let _ = LOG.set((level, Box::new(writer)));
}

pub fn error(line: impl AsRef<str>) {
    say(Level::Error, line.as_ref());
}

pub fn warn(line: impl AsRef<str>) {
    say(Level::Warn, line.as_ref());
}

pub fn info(line: impl AsRef<str>) {
    say(Level::Info, line.as_ref());
}

pub fn debug(line: impl AsRef<str>) {
    say(Level::Debug, line.as_ref());
}

fn say(level: Level, line: &str) {
    if let Some((most, writer)) = LOG.get()
        && level <= *most
    {
        writer(level, line);
    }
}
