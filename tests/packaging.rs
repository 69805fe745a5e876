//! `integrations/airbyte`: image, metadata and page, held against each other and against the binary. No
//! Docker engine is asked for: a linter judges the Dockerfile, and what it runs is run here by hand.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::runtimes::{BINARY, command, program};
use crate::support::{EVERY, STREAMS, bare, secrets_of, small, tap};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path(name: &str) -> PathBuf {
    root().join("integrations/airbyte").join(name)
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
    let text = text("Dockerfile");
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

/// Files and folders that are taken from the repository; each goes where it is there.
fn copied() -> Vec<String> {
    let mut copied = Vec::new();
    for line in all("COPY").iter().filter(|line| !line.starts_with("--from=")) {
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
    let output = lint(&path("Dockerfile"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_linter_finds_faults_where_there_are_some() {
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
fn the_metadata_is_whole_and_true_to_the_binary() {
    let metadata = yaml("metadata.yaml");
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
    assert!(path(data["icon"].as_str().unwrap()).exists());

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
    let data = &yaml("metadata.yaml")["data"];
    let labels = pairs(&only("LABEL"));
    assert_eq!(data["dockerImageTag"], env!("CARGO_PKG_VERSION"));
    assert_eq!(labels["io.airbyte.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(data["dockerRepository"], labels["io.airbyte.name"]);
    assert_eq!(labels["org.opencontainers.image.licenses"], env!("CARGO_PKG_LICENSE"));

    let entry: Vec<String> = serde_json::from_str(&only("ENTRYPOINT")).unwrap();
    assert_eq!(pairs(&only("ENV")), BTreeMap::from([("AIRBYTE_ENTRYPOINT".to_owned(), entry.join(" "))]));
    let binary = format!("--from=builder /build/target/release/{} /usr/local/bin/", entry[0]);
    assert!(all("COPY").contains(&binary), "the entry point is not what was built");

    let config = yaml("acceptance-test-config.yml");
    let image = config["connector_image"].as_str().unwrap();
    assert_eq!(image.split_once(':').unwrap().0, data["dockerRepository"]);
}

#[test]
fn the_image_runs_as_a_numbered_user_and_what_it_runs_was_built_for_its_debian() {
    let user = only("USER");
    let (uid, gid) = user.split_once(':').unwrap();
    assert!(uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0);
    let stages = all("FROM");
    let [builder, base] = &stages[..] else { panic!("{stages:?}") };
    let release = base.strip_prefix("debian:").unwrap().strip_suffix("-slim").unwrap();
    assert!(builder.ends_with(&format!("-{release} AS builder")), "{builder} is not of {release}");
}

#[test]
fn what_the_image_copies_is_enough_for_cargo_and_its_rust_new_enough() {
    assert_eq!(all("RUN")[0], "cargo build --release --locked");
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

    let rust = version(all("FROM")[0].strip_prefix("rust:").unwrap());
    for package in metadata["packages"].as_array().unwrap() {
        let needed = package["rust_version"].as_str().unwrap_or("1.0");
        assert!(version(needed) <= rust, "{} needs Rust {needed}", package["name"]);
    }
    assert!(!root().join("build.rs").exists(), "the image lacks build.rs");

    let mut grep = Command::new("grep");
    grep.args(["-roE", r#"include_(str|bytes)!\("[^"]+"#, "src"]).current_dir(context.path());
    let found = String::from_utf8(grep.output().unwrap().stdout).unwrap();
    for line in found.lines() {
        let (file, name) = (line.split(':').next().unwrap(), line.rsplit('"').next().unwrap());
        let there = context.path().join(file).parent().unwrap().join(name);
        assert!(there.exists(), "{file} includes {name}");
    }
    assert!(found.lines().count() > STREAMS.len(), "{found}");
}

#[test]
fn docker_is_given_what_is_copied_and_nothing_else() {
    let ignore = text("Dockerfile.dockerignore");
    let rules: Vec<&str> = ignore.lines().filter(|line| !line.starts_with('#')).collect();
    let mut kept: Vec<&str> = rules.iter().filter_map(|rule| rule.strip_prefix('!')).collect();
    assert_eq!(rules[0], "*");
    assert_eq!(kept.len(), rules.len() - 1);
    let mut copied = copied();
    kept.sort_unstable();
    copied.sort_unstable();
    assert_eq!(kept, copied);
}

/// The image as far as it can be had without Docker: a folder with the binary where the entry point
/// finds it, which nothing can be written to, and another user to run as if the tests are root's.
struct Image {
    folder: TempDir,
    secrets: Vec<String>,
}

impl Image {
    fn new(sim: &Simulator) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let entry = &pairs(&only("ENV"))["AIRBYTE_ENTRYPOINT"];
        fs::copy(BINARY, folder.path().join("bin").join(entry)).unwrap();
        Self { folder, secrets: secrets_of(sim) }
    }

    fn put(&self, name: &str, value: &Value) {
        let path = self.folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
    }

    fn shell(&self, line: &str) -> Output {
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let mut shell = command("sh");
        if is_root {
            let user = only("USER");
            let (uid, gid) = user.split_once(':').unwrap();
            shell = command("setpriv");
            shell.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups", "sh"]);
        }
        let folder = self.folder.path();
        let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
        shell.args(["-c", line]).current_dir(folder).env("PATH", path);
        shell.envs([("HOME", folder), ("TMPDIR", folder)]).envs(pairs(&only("ENV")));
        fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
        let output = shell.output().expect("sh, and for root setpriv of util-linux");
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        output
    }

    /// Runs the entry point as the platform does; gives the messages if it ended well.
    fn run(&self, arguments: &str) -> Vec<Value> {
        let output = self.shell(&format!("eval \"$AIRBYTE_ENTRYPOINT {arguments}\""));
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments}: {}\n{out}\n{err}", output.status);
        assert!(self.secrets.iter().all(|secret| !out.contains(secret) && !err.contains(secret)));
        assert!(!err.contains("panicked"), "{err}");
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn of_type<'m>(messages: &'m [Value], kind: &str) -> Vec<&'m Value> {
    messages.iter().filter(|message| message["type"] == kind).collect()
}

#[test]
fn the_entry_point_prints_one_spec_and_needs_nothing_for_it() {
    let sim = Simulator::start(small());
    let messages = Image::new(&sim).run("spec");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["spec"], spec());
    assert!(sim.requests().is_empty());
}

#[test]
fn the_entry_point_checks_and_reads_where_nothing_can_be_written() {
    let sim = Simulator::start(small());
    let image = Image::new(&sim);
    let (url, key, secret) = (sim.base_url(), sim.api_key(), sim.api_secret());
    image.put("config.json", &json!({"base_url": url, "api_key": key, "api_secret": secret}));
    assert!(!image.shell("touch written").status.success(), "the folder can be written to");

    let messages = image.run("check --config config.json");
    assert_eq!(of_type(&messages, "CONNECTION_STATUS")[0]["connectionStatus"]["status"], "SUCCEEDED");

    let messages = image.run("discover --config config.json");
    let streams = of_type(&messages, "CATALOG")[0]["catalog"]["streams"].as_array().unwrap().clone();
    let configured = |stream: &Value| json!({"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"});
    let configured: Vec<Value> = streams.iter().map(configured).collect();
    image.put("catalog.json", &json!({"streams": configured}));
    let messages = image.run("read --config config.json --catalog catalog.json");
    for stream in STREAMS {
        let mut ids = Vec::new();
        for record in of_type(&messages, "RECORD") {
            if record["record"]["stream"] == *stream {
                ids.push(record["record"]["data"]["id"].as_str().unwrap().to_owned());
            }
        }
        let mut truth = sim.truth().ids(stream);
        ids.sort_unstable();
        truth.sort_unstable();
        assert_eq!(ids, truth, "{stream}");
    }
    let left = fs::read_dir(image.folder.path()).unwrap().count();
    assert_eq!(left, 3, "something was written beside bin, config.json and catalog.json");
}

#[test]
fn the_acceptance_tests_are_given_settings_that_fail() {
    let config = yaml("acceptance-test-config.yml");
    let tests = config["acceptance_tests"]["connection"]["tests"].as_array().unwrap();
    let failing: Vec<&Value> = tests.iter().filter(|test| test["status"] == "failed").collect();
    assert_eq!(failing.len(), 1);
    let settings: Value = serde_json::from_str(&text(failing[0]["config_path"].as_str().unwrap())).unwrap();
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
    let page = text("docs.md");
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
fn the_page_is_true_to_the_binary() {
    let page = text("docs.md");
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
    for stream in EVERY {
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
    assert!(fs::metadata(path("icon.svg")).unwrap().len() < 2048);
    let said = python(ASK, "icon.svg");
    assert!(said.starts_with("{http://www.w3.org/2000/svg}svg 0 0 250 250 "), "{said}");
    assert!(!said.contains("script") && !said.contains("image") && !said.contains("foreignObject"), "{said}");
}
