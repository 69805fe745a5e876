//! Who may import whom in `src/`: the walls that keep HTTP, messages and the loop apart.

use std::collections::BTreeMap;
use std::path::Path;

/// Modules of ours that each module may name. `error` and `log` know nothing of ours and serve all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("api", &["config", "crn", "secret", "state"]),
    ("bin", &[]),
    ("check", &["api"]),
    ("cli", &[]),
    ("config", &["files", "secret", "shape"]),
    ("crn", &[]),
    ("error", &[]),
    ("files", &[]),
    ("lib", &[]),
    ("log", &[]),
    ("progress", &["protocol"]),
    ("protocol", &["shape", "state", "streams"]),
    ("run", &["api", "check", "config", "protocol", "secret", "shape", "state", "stop", "sync", "write"]),
    ("secret", &[]),
    ("shape", &["crn", "streams"]),
    ("state", &["streams"]),
    ("stop", &[]),
    ("streams", &[]),
    ("sync", &["api", "crn", "protocol", "shape", "state", "streams"]),
    ("write", &["progress", "protocol"]),
];

/// Crates that only one module may know.
const ONLY_IN: &[(&str, &str)] = &[
    ("reqwest", "api"),
    ("hyper_util", "api"),
    ("clap", "cli"),
    ("jsonschema", "config"),
    ("console", "progress"),
    ("indicatif", "progress"),
];

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                let name = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
                found.push((name.to_str().unwrap().trim_end_matches(".rs").to_owned(), code));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    found
}

/// Lines of code without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

#[test]
fn every_import_is_allowed() {
    let rules: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    for (file, text) in sources() {
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

#[test]
fn sync_names_no_protocol_and_protocols_know_no_http() {
    for (file, text) in sources() {
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
    for (file, text) in sources() {
        for line in code(&text) {
            let writes = line.contains("stdout()") || line.contains("println!") || line.contains("print!(");
            assert!(!writes || file == "protocol/mod", "src/{file}.rs writes to stdout: {line}");
            assert!(!line.contains("sleep(") || file == "api/mod", "src/{file}.rs sleeps: {line}");
        }
    }
}

#[test]
fn nobody_asks_which_stream_it_has() {
    for (file, text) in sources() {
        for line in code(&text) {
            let asks = ["\"users\"", "\"invitations\"", "\"service_accounts\"", "\"role_bindings\""];
            assert!(
                file == "streams" || !asks.iter().any(|name| line.contains(name)),
                "src/{file}.rs: {line}"
            );
        }
    }
}

#[test]
fn the_simulator_knows_nothing_of_the_connector() {
    let manifest =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/simulator/Cargo.toml")).unwrap();
    assert!(!manifest.contains("tap-confluent-cloud") && !manifest.contains("path = \"..\""), "{manifest}");
}
