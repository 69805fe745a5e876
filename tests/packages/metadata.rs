//! `integrations`: Dockerfile, metadata and page, held against each other and against the binary. A linter
//! judges the Dockerfile; `image.rs` builds what it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::repository::{files, root};
use crate::support::runtimes::{command, program};
use crate::support::{EVERY, HISTORY, STREAMS, bare, small, tap};

fn path(name: &str) -> PathBuf {
    root().join("integrations").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What Python says of a file.
fn python(script: &str, name: &str) -> String {
    let output = command(program("lint", "python")).args(["-c", script]).arg(path(name)).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn yaml(name: &str) -> Value {
    const ASK: &str = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    serde_json::from_str(&python(ASK, name)).unwrap()
}

fn spec() -> Value {
    let run = bare().verb("spec").run().expect_code(0);
    serde_json::from_str::<Value>(&run.stdout).unwrap()["spec"].take()
}

/// The Dockerfile's instructions, continued lines put together.
fn instructions() -> Vec<(String, String)> {
    let text = text("docker/Dockerfile");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let whole = lines.join("\n").replace("\\\n", " ");
    let lines = whole.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// What follows this word in each instruction that begins with it.
fn all(word: &str) -> Vec<String> {
    instructions().into_iter().filter(|(first, _)| first == word).map(|(_, rest)| rest).collect()
}

fn only(word: &str) -> String {
    let found = all(word);
    assert_eq!(found.len(), 1, "{word}: {found:?}");
    found[0].clone()
}

/// The `name="value"` pairs of an instruction.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let parts: Vec<&str> = text.split('"').collect();
    let pairs = parts.chunks_exact(2);
    pairs.map(|pair| (pair[0].trim().trim_end_matches('=').to_owned(), pair[1].to_owned())).collect()
}

/// What a stage with a binary that is there copies; it lies in a folder of its own.
const PREBUILT: &str = "tap-confluent-cloud /usr/local/bin/";

/// Files and folders that are taken from the repository; each goes where it is there.
fn copied() -> Vec<String> {
    let mut copied = Vec::new();
    for line in all("COPY").iter().filter(|line| !line.starts_with("--from=") && *line != PREBUILT) {
        let (from, to) = line.rsplit_once(' ').unwrap();
        for name in from.split_whitespace() {
            let folder = name.rfind('/').map_or("./", |end| &name[..=end]);
            assert!(to == name || to == folder, "{name} goes to {to}");
            assert!(root().join(name).exists(), "there is no {name}");
            copied.push(name.to_owned());
        }
    }
    copied
}

/// The first two numbers of a version.
fn version(text: &str) -> Vec<u32> {
    text.split(['.', '-']).take(2).map(|part| part.parse().unwrap()).collect()
}

fn lint(file: &Path) -> Output {
    let mut linter = command(program("lint", "hadolint"));
    linter.args(["--no-color", "--failure-threshold", "style"]);
    linter.args(["--require-label", "io.airbyte.name:text", "--require-label", "io.airbyte.version:semver"]);
    // Away from settings that lie about.
    linter.current_dir(file.parent().unwrap()).arg(file).output().unwrap()
}

#[test]
fn the_linter_finds_no_fault_with_the_dockerfile() {
    let output = lint(&path("docker/Dockerfile"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_linter_finds_planted_faults() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("Dockerfile");
    fs::write(&file, "FROM debian\nRUN apt-get install curl\nUSER root\n").unwrap();
    let output = lint(&file);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    for rule in ["DL3006", "DL3002", "DL3014", "io.airbyte.name"] {
        assert!(said.contains(rule), "nothing of {rule}: {said}");
    }
}

#[test]
fn the_metadata_is_complete_and_matches_the_binary() {
    let metadata = yaml("airbyte/metadata.yaml");
    assert_eq!(metadata["metadataSpecVersion"], "1.0");
    let data = &metadata["data"];
    // It stands in the database of everybody who has ever installed it.
    assert_eq!(data["definitionId"], "e24cf544-7a6d-4db0-8cdf-10e7637d2184");
    assert_eq!(data["connectorType"], "source");
    assert_eq!(data["connectorSubtype"], "api");
    assert_eq!(data["license"], "MIT");
    assert_eq!(data["releaseStage"], "alpha");
    assert_eq!(data["supportLevel"], "community");
    assert_eq!(data["registryOverrides"], json!({"oss": {"enabled": true}, "cloud": {"enabled": false}}));
    assert!(data["dockerRepository"].as_str().unwrap().ends_with(data["githubIssueLabel"].as_str().unwrap()));
    assert!(path("airbyte").join(data["icon"].as_str().unwrap()).exists());

    let spec = spec();
    assert_eq!(data["documentationUrl"], spec["documentationUrl"]);
    let schema = &spec["connectionSpecification"];
    assert_eq!(data["name"], schema["title"]);
    assert_eq!(data["suggestedStreams"]["streams"], json!(STREAMS));
    let default = |name: &str| &schema["properties"][name]["default"];
    let host = default("base_url").as_str().unwrap().trim_start_matches("https://");
    assert_eq!(data["allowedHosts"]["hosts"], json!([host, "${base_url}"]));
    let silence = data["maxSecondsBetweenMessages"].as_f64().unwrap();
    assert!(silence > default("max_retry_seconds").as_f64().unwrap(), "a source that waits is ended");
}

#[test]
fn image_metadata_and_package_agree() {
    let data = &yaml("airbyte/metadata.yaml")["data"];
    let labels = pairs(&only("LABEL"));
    assert_eq!(data["dockerImageTag"], env!("CARGO_PKG_VERSION"));
    assert_eq!(labels["io.airbyte.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(data["dockerRepository"], labels["io.airbyte.name"]);
    assert_eq!(labels["org.opencontainers.image.licenses"], env!("CARGO_PKG_LICENSE"));

    let entry: Vec<String> = serde_json::from_str(&only("ENTRYPOINT")).unwrap();
    assert_eq!(pairs(&only("ENV")), BTreeMap::from([("AIRBYTE_ENTRYPOINT".to_owned(), entry.join(" "))]));
    assert_eq!(PREBUILT.split(' ').next(), Some(&entry[0][..]));
    for binary in [PREBUILT, &format!("--from=builder /build/target/release/{PREBUILT}")] {
        assert!(all("COPY").iter().any(|copied| copied == binary), "the entry point is not `{binary}`");
    }

    let page = text("../docs/container.md");
    let named = format!("image={}:{}", labels["io.airbyte.name"], env!("CARGO_PKG_VERSION"));
    assert!(page.lines().any(|line| line == named), "docs/container.md does not say {named}");

    let config = yaml("airbyte/acceptance-test-config.yml");
    let image = config["connector_image"].as_str().unwrap();
    assert_eq!(image.split_once(':').unwrap().0, data["dockerRepository"]);
}

#[test]
fn the_image_has_a_numeric_user_and_a_binary_built_for_its_debian() {
    let user = only("USER");
    let (uid, gid) = user.split_once(':').unwrap();
    assert!(uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0);
    let stages = all("FROM");
    let rust = stages.iter().find_map(|stage| stage.strip_suffix(" AS builder")).unwrap();
    // The last one is built where no target is named.
    let builder = format!("{rust} AS builder");
    assert_eq!(stages, ["${BASE} AS base", "base AS prebuilt", &builder, "base AS compiled"]);
    let base = only("ARG");
    let [release, day, "slim"] =
        base.strip_prefix("BASE=debian:").unwrap().split('-').collect::<Vec<_>>()[..]
    else {
        panic!("{base} is not pinned")
    };
    assert!(day.len() == 8 && day.parse::<u32>().is_ok(), "{base} is not of a day");
    assert!(rust.ends_with(&format!("-{release}")), "{rust} is not of {release}");
}

#[test]
fn the_image_copies_enough_for_cargo_and_has_a_recent_rust() {
    assert_eq!(all("RUN")[1], "cargo build --release --locked --bin tap-confluent-cloud");
    let context = TempDir::new().unwrap();
    let mut copy = Command::new("sh");
    copy.args(["-c", r#"tar -cf - "$@" | tar -xf - -C "$0""#]).arg(context.path()).args(copied());
    assert!(copy.current_dir(root()).status().unwrap().success());

    let mut metadata = Command::new(env!("CARGO"));
    // Of the image's platform alone: other platforms' crates are not there without a network.
    metadata.args(["metadata", "--locked", "--format-version=1", "--filter-platform"]);
    let output = metadata.arg("x86_64-unknown-linux-gnu").current_dir(context.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();

    let rust = version(all("FROM").iter().find_map(|stage| stage.strip_prefix("rust:")).unwrap());
    for package in metadata["packages"].as_array().unwrap() {
        let needed = package["rust_version"].as_str().unwrap_or("1.0");
        assert!(version(needed) <= rust, "{} needs Rust {needed}", package["name"]);
    }
    assert!(!root().join("build.rs").exists(), "the image lacks build.rs");

    let mut count = 0;
    for path in files(&context.path().join("src"), &|name| name.ends_with(".rs")) {
        let code = fs::read_to_string(&path).unwrap();
        // The image compiles no unit tests.
        let code = code.split("#[cfg(test)]").next().unwrap();
        let calls = ["include_str!(\"", "include_bytes!(\""].iter().flat_map(|call| code.split(call).skip(1));
        for name in calls.map(|rest| rest.split('"').next().unwrap()) {
            assert!(path.parent().unwrap().join(name).exists(), "{} includes {name}", path.display());
            count += 1;
        }
    }
    assert!(count > STREAMS.len(), "{count} files are included");
}

#[test]
fn the_build_context_holds_only_what_is_copied() {
    let ignore = text("docker/Dockerfile.dockerignore");
    let rules: Vec<&str> = ignore.lines().filter(|line| !line.starts_with('#')).collect();
    let mut kept: Vec<&str> = rules.iter().filter_map(|rule| rule.strip_prefix('!')).collect();
    assert_eq!(rules[0], "*");
    assert_eq!(kept.len(), rules.len() - 1);
    let mut copied = copied();
    copied.push(PREBUILT.split(' ').next().unwrap().to_owned());
    kept.sort_unstable();
    copied.sort_unstable();
    assert_eq!(kept, copied);
}

#[test]
fn the_acceptance_tests_are_given_settings_that_fail() {
    let config = yaml("airbyte/acceptance-test-config.yml");
    let tests = config["acceptance_tests"]["connection"]["tests"].as_array().unwrap();
    let failing: Vec<&Value> = tests.iter().filter(|test| test["status"] == "failed").collect();
    assert_eq!(failing.len(), 1);
    let settings = text(&format!("airbyte/{}", failing[0]["config_path"].as_str().unwrap()));
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let sim = Simulator::start(small());
    let run = tap(&sim).verb("check").config(settings).run().expect_code(0);
    assert!(run.stdout.contains(r#""connectionStatus":{"status":"FAILED""#), "it did not fail");
}

/// The part of the page under a heading, up to the next one of any level.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let mut parts = page.split("\n#");
    let wanted = |part: &&str| part.trim_start_matches('#').trim_start().starts_with(heading);
    parts.find(wanted).unwrap_or_else(|| panic!("no heading {heading}"))
}

#[test]
fn the_page_has_the_headings_of_the_template_in_their_order() {
    let page = text("airbyte/docs.md");
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let headings: Vec<&str> = headings.map(|line| line.trim_start_matches('#').trim()).collect();
    let expected = [
        "Confluent Cloud",
        "Prerequisites",
        "Setup guide",
        "Set up Confluent Cloud",
        "Set up the Confluent Cloud connector in Airbyte",
        "Supported sync modes",
        "Supported Streams",
        "Performance considerations",
        "Data type map",
        "Troubleshooting",
        "Changelog",
    ];
    assert_eq!(headings, expected);
}

#[test]
fn the_page_matches_the_binary() {
    let page = text("airbyte/docs.md");
    let schema = spec()["connectionSpecification"].take();
    let prerequisites = section(&page, "Prerequisites");
    assert!(prerequisites.to_lowercase().contains("credentials"));
    let mut titles = Vec::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let title = property["title"].as_str().unwrap();
        let required = schema["required"].as_array().unwrap().iter().any(|other| other == name);
        assert!(!required || prerequisites.contains(title), "the prerequisites do not name {title}");
        titles.push(title);
    }
    for bold in page.split("**").skip(1).step_by(2) {
        assert!(titles.contains(&bold), "there is no setting `{bold}`");
    }
    let mut rows = section(&page, "Supported Streams").lines().filter(|line| line.starts_with("| `"));
    for stream in EVERY.into_iter().chain([HISTORY]) {
        assert!(rows.next().unwrap().starts_with(&format!("| `{stream}` |")), "{stream}");
    }
    assert_eq!(rows.next(), None);
    let changes = section(&page, "Changelog");
    assert!(changes.contains("| Version | Date | Pull Request | Subject |"));
    let newest = changes.lines().find(|line| line.starts_with("| 0") || line.starts_with("| 1")).unwrap();
    assert!(newest.starts_with(&format!("| {} |", env!("CARGO_PKG_VERSION"))), "{newest}");
}

#[test]
fn the_icon_is_a_small_square_drawing() {
    const ASK: &str = "import sys, xml.etree.ElementTree as tree\n\
        root = tree.parse(sys.argv[1]).getroot()\n\
        print(root.tag, root.get('viewBox'), *{node.tag.split('}')[1] for node in root.iter()})";
    assert!(fs::metadata(path("airbyte/icon.svg")).unwrap().len() < 2048);
    let said = python(ASK, "airbyte/icon.svg");
    assert!(said.starts_with("{http://www.w3.org/2000/svg}svg 0 0 250 250 "), "{said}");
    assert!(!said.contains("script") && !said.contains("image") && !said.contains("foreignObject"), "{said}");
}
