//! Who may import whom in `src/`: the walls that keep HTTP, messages and the loop apart; and how large it may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use tap_confluent_cloud::streams::STREAMS;

use crate::support::repository::root;

/// Modules of ours that each module may name. `error` and `log` know nothing of ours and serve all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("api", &["config", "crn", "files", "json", "partition", "secret", "state", "streams"]),
    ("bin", &[]),
    ("check", &["api", "partition", "streams"]),
    ("cli", &[]),
    ("config", &["files", "json", "secret", "shape"]),
    ("crn", &[]),
    ("error", &[]),
    ("extractions", &["json", "partition", "protocol", "shape", "state"]),
    ("files", &[]),
    ("json", &[]),
    ("lib", &[]),
    ("log", &[]),
    ("partition", &[]),
    ("progress", &["protocol"]),
    ("protocol", &["shape", "state", "streams"]),
    (
        "run",
        &["api", "check", "config", "extractions", "protocol", "secret", "shape", "stop", "sync", "write"],
    ),
    ("secret", &[]),
    ("shape", &["crn", "json", "partition", "streams"]),
    ("state", &[]),
    ("stop", &[]),
    ("streams", &[]),
    ("sync", &["api", "crn", "partition", "protocol", "shape", "state", "streams"]),
    ("write", &["progress", "protocol"]),
];

/// Crates that only one module may know.
const ONLY_IN: &[(&str, &str)] = &[
    ("reqwest", "api"),
    ("hyper_util", "api"),
    ("clap", "cli"),
    ("jsonschema", "config"),
    ("terminal_size", "progress"),
];

/// Lines of code of `src/` outside `streams.rs` and `streams/`. Whoever needs more raises it, and says why in the commit.
const MOST_LINES: usize = 5_578;

/// Lines of code of `streams.rs` for each stream, and of `main.rs`.
const MOST_LINES_OF_A_STREAM: usize = 8;
const MOST_LINES_OF_MAIN: usize = 250;

/// Lines of a file, all of them counted. The length of functions is Clippy's to watch.
const LONGEST_FILE: usize = 400;

/// Files below a folder by their names without `.rs`, up to their unit tests.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(top: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(top, &path, found);
            } else {
                let name =
                    path.strip_prefix(top).unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((name, text.split("#[cfg(test)]").next().unwrap().to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    let top = root().join(folder);
    walk(&top, &top, &mut found);
    found
}

/// Lines of code without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

#[test]
fn every_import_is_allowed() {
    let rules: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    for (file, text) in sources("src") {
        let module = file.split('/').next().unwrap();
        if module == "main" {
            continue;
        }
        let allowed = rules.get(module).unwrap_or_else(|| panic!("{file}: no rule in layers.rs"));
        for line in code(&text) {
            assert!(
                !line.contains("tap_confluent_cloud::"),
                "src/{file}.rs may not name the library: {line}"
            );
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let fine = used == module || ["error", "log"].contains(&used) || allowed.contains(&used);
                assert!(fine, "src/{file}.rs may not use crate::{used}: {line}");
            }
        }
    }
}

/// The files that each file imports from. An import that names no deeper file is one from the module itself, and
/// what a module re-exports is imported from where it stands.
fn imports(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources(folder);
    let module = |file: &str| file.trim_end_matches("/mod").to_owned();
    let modules: BTreeSet<String> = sources.iter().map(|(file, _)| module(file)).collect();
    let deepest = |path: &[&str]| {
        (1..=path.len()).rev().map(|end| path[..end].join("/")).find(|path| modules.contains(path))
    };
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in &sources {
        let own = module(file);
        let parts: Vec<&str> = own.split('/').collect();
        let parent = &parts[..parts.len() - 1];
        // Statements may be broken into lines.
        let text: String = code(text).collect::<Vec<_>>().join(" ");
        for (mark, above) in [("crate::", &[][..]), ("super::", parent)] {
            for used in text.split(mark).skip(1) {
                let heads: Vec<&str> = match used.strip_prefix('{') {
                    Some(rest) => rest.split('}').next().unwrap().split(',').map(str::trim).collect(),
                    None => vec![used],
                };
                for head in heads {
                    let end = head.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                    let names = head[..end.unwrap_or(head.len())].split("::").filter(|name| !name.is_empty());
                    let path: Vec<&str> = above.iter().copied().chain(names).collect();
                    let target = deepest(&path).filter(|target| *target != own);
                    edges.entry(own.clone()).or_default().extend(target);
                }
            }
        }
        // A module that uses what stands in a file of its own.
        for child in modules.iter().filter(|other| other.starts_with(&format!("{own}/"))) {
            let name = child.rsplit('/').next().unwrap();
            let (mark, again) = (format!("{name}::"), text.replace(&format!("pub use {name}::"), ""));
            let mut before = again.match_indices(&mark).map(|(at, _)| again[..at].chars().last());
            if before.any(|before| before.is_none_or(|c| !c.is_alphanumeric() && !"_:".contains(c))) {
                edges.entry(own.clone()).or_default().insert(child.clone());
            }
        }
    }
    edges
}

#[test]
fn no_imports_run_in_a_circle() {
    for folder in ["src", "simulator/src"] {
        let mut edges = imports(folder);
        // Files that import from none that is left are taken away until none can be.
        loop {
            let left: BTreeSet<String> = edges.keys().cloned().collect();
            let before = left.len();
            edges.values_mut().for_each(|used| used.retain(|file| left.contains(file)));
            edges.retain(|_, used| !used.is_empty());
            if edges.len() == before {
                break;
            }
        }
        assert!(edges.is_empty(), "{folder}: {edges:#?}");
    }
}

#[test]
fn sync_names_no_protocol_and_protocols_know_no_http() {
    for (file, text) in sources("src") {
        for line in code(&text) {
            for (library, module) in ONLY_IN {
                let fine =
                    !line.contains(&format!("{library}::")) || file.starts_with(module) || file == "main";
                assert!(
                    fine || (file == "log" && *library == "clap"),
                    "src/{file}.rs may not know {library}: {line}"
                );
            }
            if file.starts_with("sync") || file == "run" || file == "write" {
                assert!(!line.contains("singer") && !line.contains("airbyte"), "src/{file}.rs: {line}");
            }
        }
    }
}

#[test]
fn only_the_line_writer_knows_stdout_and_only_the_client_sleeps() {
    for (file, text) in sources("src") {
        for line in code(&text) {
            let writes = line.contains("stdout()") || line.contains("println!") || line.contains("print!(");
            assert!(!writes || file == "protocol/mod", "src/{file}.rs writes to stdout: {line}");
            assert!(!line.contains("sleep(") || file == "api/client", "src/{file}.rs sleeps: {line}");
        }
    }
}

#[test]
fn only_the_list_names_streams_and_paths() {
    for (file, text) in sources("src") {
        for line in code(&text).filter(|_| !file.starts_with("streams")) {
            for stream in STREAMS {
                let path = stream.path.split('{').next().unwrap();
                let is_asked = !path.is_empty() && line.contains(path);
                let names = line.contains(&format!("\"{}\"", stream.name)) || is_asked;
                assert!(!names, "src/{file}.rs names {}: {line}", stream.name);
            }
        }
    }
}

#[test]
fn one_match_tells_the_kinds_of_partitions_apart() {
    let mut matches = 0;
    for (file, text) in sources("src") {
        let lines: Vec<&str> = code(&text).collect();
        let names = lines.iter().any(|line| line.contains("Partitions::"));
        assert!(
            !names || ["streams", "streams/facts", "sync/partitions"].contains(&file.as_str()),
            "src/{file}.rs names one"
        );
        matches += lines.iter().filter(|line| line.contains("match") && line.contains(".partitions")).count();
    }
    assert_eq!(matches, 1);
}

#[test]
fn the_code_keeps_within_its_budget() {
    let counted =
        Command::new(root().join("tests/lines.sh")).current_dir(root()).arg("src").output().unwrap();
    let counted = String::from_utf8(counted.stdout).unwrap();
    let of = |wanted: fn(&str) -> bool| -> usize {
        let lines = counted.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(_, file)| wanted(file)).map(|(count, _)| count.parse::<usize>().unwrap()).sum()
    };
    let all = of(|file| !file.starts_with("src/streams"));
    assert!((1_000..=MOST_LINES).contains(&all), "{all} lines of code outside streams.rs:\n{counted}");
    assert!(of(|file| file == "src/main.rs") <= MOST_LINES_OF_MAIN, "{counted}");
    for folder in ["src", "simulator/src", "tests", "benches"] {
        let listed =
            Command::new("find").current_dir(root()).args([folder, "-name", "*.rs"]).output().unwrap();
        for file in String::from_utf8(listed.stdout).unwrap().lines() {
            let lines = std::fs::read_to_string(root().join(file)).unwrap().lines().count();
            assert!(lines <= LONGEST_FILE, "{file} has {lines} lines");
        }
    }
}

#[test]
fn a_stream_is_few_lines() {
    let (_, list) = sources("src").into_iter().find(|(file, _)| file == "streams").unwrap();
    // With the streams that stand above the list, because others name them.
    let list = list.split("const OF_ENVIRONMENTS").nth(1).unwrap().split("\n];\n").next().unwrap();
    let lines = code(list).filter(|line| !line.trim().is_empty()).count();
    let most = MOST_LINES_OF_A_STREAM * STREAMS.len();
    assert!((STREAMS.len()..=most).contains(&lines), "{lines} lines for {} streams", STREAMS.len());
}

#[test]
fn the_simulator_knows_nothing_of_the_connector() {
    let manifest = std::fs::read_to_string(root().join("simulator/Cargo.toml")).unwrap();
    assert!(!manifest.contains("tap-confluent-cloud") && !manifest.contains("path = \"..\""), "{manifest}");
}
