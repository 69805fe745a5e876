//! The files of the repository, and of what `make wheel` leaves in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Folders of a clone that hold what is not ours: what cargo makes, and what the walk-through makes.
const FOREIGN: [&str; 2] = ["target", "sample"];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the repository.
#[track_caller]
pub fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files below a folder of the repository, in order, whose names these words accept.
pub fn files(folder: &Path, accepts: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || name.starts_with('.') && path.is_dir() || FOREIGN.contains(&name.as_str()) {
            continue;
        } else if path.is_dir() {
            found.extend(files(&path, accepts));
        } else if accepts(&name) {
            found.push(path);
        }
    }
    found
}

/// The one file of this version with such an ending.
pub fn built(ending: &str) -> PathBuf {
    let folder = root().join("target/wheels");
    let start = format!("tap_confluent_cloud-{VERSION}");
    let names = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<String> = names.map(|name| name.into_string().unwrap()).collect();
    let fits = |name: &&String| {
        let rest = name.strip_prefix(&start);
        name.ends_with(ending) && rest.is_some_and(|rest| rest.starts_with('-') || rest == ending)
    };
    let found: Vec<_> = names.iter().filter(fits).collect();
    assert!(found.len() == 1, "not one {start}*{ending} but {names:?} in target/wheels: run `make wheel`");
    folder.join(found[0])
}

pub fn wheel() -> PathBuf {
    built(".whl")
}
