//! Another day than today's for a program, by libfaketime: what a program makes of days is tested with those
//! that a test names.

use std::fs;
use std::path::PathBuf;

use super::repository::root;

/// Variables under which a program sees noon of this day, UTC, and its clock go on from there. How long
/// something takes is measured as ever.
pub fn showing(date: &str) -> [(&'static str, String); 4] {
    [
        ("LD_PRELOAD", library().to_str().unwrap().to_owned()),
        ("FAKETIME", format!("@{date} 12:00:00")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("TZ", "UTC".to_owned()),
    ]
}

fn library() -> PathBuf {
    let folder = root().join("target/venv/faketime");
    assert!(folder.join(".installed").exists(), "libfaketime is missing: run `make test`, which installs it");
    let mut versions = fs::read_dir(folder.join("lib")).unwrap();
    let python = versions.next().expect("a virtual environment has a Python").unwrap().path();
    let library = python.join("site-packages/libfaketime/vendor/libfaketime/src/libfaketime.so.1");
    assert!(library.exists(), "{} is missing", library.display());
    library
}
