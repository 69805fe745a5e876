//! The wheel and the source distribution that `make wheel` leaves, as pip and PyAirbyte take them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use simulator::Simulator;
use tempfile::TempDir;

use crate::support::repository::{VERSION, built, root, wheel};
use crate::support::runtimes::{Process, command, program};
use crate::support::{STREAMS, assert_whole, polite, small, tap};

const COMMANDS: [&str; 2] = ["tap-confluent-cloud", "source-confluent-cloud"];

/// What docs/pyairbyte.md says of it.
const LARGEST: u64 = 2_500_000;

fn succeed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Each Python from 3.9 on that PATH holds, and its version.
fn pythons() -> Vec<(String, Command)> {
    let mut seen = BTreeSet::new();
    let names = std::iter::once("python3".to_owned()).chain((9..=20).map(|minor| format!("python3.{minor}")));
    let run = |name: &str| {
        let mut python = command(name);
        // pyenv puts a name on PATH for each version that it holds, and runs none but the chosen one.
        if let Some(version) = name.strip_prefix("python").filter(|version| version.contains('.')) {
            python.env("PYENV_VERSION", version);
        }
        python
    };
    let mut found = Vec::new();
    for name in names {
        const ASK: &str =
            "import sys, venv, ensurepip; assert sys.version_info >= (3, 9); print(sys.version)";
        let Ok(answer) = run(&name).args(["-c", ASK]).output() else { continue };
        let version = String::from_utf8_lossy(&answer.stdout).split(' ').next().unwrap().to_owned();
        if answer.status.success() && seen.insert(version.clone()) {
            found.push((version, run(&name)));
        }
    }
    assert!(!found.is_empty(), "there is no Python of 3.9 or newer with venv on PATH");
    found
}

/// The folder of the programs of an environment that holds the wheel and nothing else.
fn installed(mut python: Command, folder: &Path) -> PathBuf {
    succeed(python.args(["-m", "venv"]).arg(folder));
    let bin = folder.join("bin");
    let offline = ["install", "--quiet", "--no-index", "--disable-pip-version-check"];
    succeed(command(bin.join("pip")).args(offline).arg(wheel()));
    bin
}

fn metadata(bin: &Path) -> Value {
    const ASK: &str = "import importlib.metadata as m, json, os; d = m.metadata('tap-confluent-cloud'); \
        print(json.dumps({k: d.get_all(k) for k in set(d)} | {'description': d.get_payload()}))";
    serde_json::from_str(&succeed(command(bin.join("python")).args(["-c", ASK]))).unwrap()
}

/// Cargo.toml's package, as cargo reads it.
fn package() -> Value {
    let cargo = ["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"];
    let told = succeed(command(env!("CARGO")).current_dir(root()).args(cargo));
    let mut told: Value = serde_json::from_str(&told).unwrap();
    let packages = told["packages"].as_array_mut().unwrap();
    let ours = packages.iter_mut().find(|package| package["name"] == "tap-confluent-cloud");
    ours.unwrap().take()
}

/// pip knows what cargo knows.
fn assert_metadata(bin: &Path, package: &Value) {
    let told = metadata(bin);
    assert_eq!(told["Name"], json!([package["name"]]));
    assert_eq!(told["Version"], json!([package["version"]]));
    assert_eq!(told["Summary"], json!([package["description"]]));
    assert_eq!(told["License-Expression"], json!([package["license"]]));
    let keywords: Vec<_> = told["Keywords"][0].as_str().unwrap().split(',').collect();
    assert_eq!(json!(keywords), package["keywords"]);
    assert_eq!(told["Requires-Python"], json!([">=3.9"]));
    assert_eq!(told.get("Requires-Dist"), None);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let same = told["description"].as_str().unwrap().trim() == readme.trim();
    assert!(same, "the README is of another time: run `make wheel`");
    assert!(told["Description-Content-Type"][0].as_str().unwrap().starts_with("text/markdown"));
}

#[test]
fn each_installed_python_can_install_the_wheel_and_read_everything() {
    let sim = Simulator::start(polite());
    let package = package();
    for (version, python) in pythons() {
        println!("Python {version}");
        let folder = TempDir::new().unwrap();
        let bin = installed(python, &folder.path().join("environment"));
        for name in COMMANDS {
            let program = bin.join(name);
            assert_eq!(
                succeed(command(&program).arg("--version")),
                format!("tap-confluent-cloud v{VERSION}\n")
            );
            assert_whole(&tap(&sim).program(&program).run().expect_code(0), &sim);
        }
        let about = succeed(command(bin.join("tap-confluent-cloud")).args(["--about", "--format", "json"]));
        assert_eq!(serde_json::from_str::<Value>(&about).unwrap()["version"], VERSION);
        let spec = succeed(command(bin.join("source-confluent-cloud")).arg("spec"));
        assert_eq!(serde_json::from_str::<Value>(&spec).unwrap()["type"], "SPEC");
        assert_metadata(&bin, &package);
    }
}

/// The files of the wheel, unpacked.
fn unpacked(folder: &Path) -> BTreeSet<String> {
    const UNPACK: &str = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
        z.extractall(sys.argv[2]); print(*z.namelist(), sep='\\n')";
    let names = succeed(command("python3").args(["-c", UNPACK]).arg(wheel()).arg(folder));
    names.lines().map(str::to_owned).collect()
}

#[test]
fn the_wheel_holds_both_commands_and_nothing_of_this_machine() {
    let folder = TempDir::new().unwrap();
    let start = format!("tap_confluent_cloud-{VERSION}");
    let info = ["METADATA", "WHEEL", "RECORD", "licenses/LICENSE-MIT", "licenses/LICENSE-APACHE"];
    let expected: BTreeSet<String> = COMMANDS
        .iter()
        .map(|name| format!("{start}.data/scripts/{name}"))
        .chain(info.iter().map(|name| format!("{start}.dist-info/{name}")))
        .collect();
    assert_eq!(unpacked(folder.path()), expected);
    let home = format!("{}/", std::env::var("HOME").unwrap());
    for name in &expected {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        for path in [home.as_str(), env!("CARGO_MANIFEST_DIR")] {
            let found = bytes.windows(path.len()).position(|part| part == path.as_bytes());
            let around = found.map(|at| String::from_utf8_lossy(&bytes[at..(at + 100).min(bytes.len())]));
            assert_eq!(around, None, "{name} holds {path}");
        }
    }
    let size = fs::metadata(wheel()).unwrap().len();
    assert!(size <= LARGEST, "{size} bytes");
}

/// A file's name below this folder, of every file in it.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

/// What the source distribution unpacks to, always in the same place, so that cargo compiles what it
/// depends on but once.
fn sources() -> PathBuf {
    let folder = root().join("target/install");
    let top = folder.join(format!("tap_confluent_cloud-{VERSION}"));
    let _ = fs::remove_dir_all(&top);
    fs::create_dir_all(&folder).unwrap();
    // With times of now, by which cargo sees what is new.
    succeed(command("tar").arg("-xmzf").arg(built(".tar.gz")).arg("-C").arg(folder));
    top
}

#[test]
fn cargo_installs_both_commands_from_the_source_distribution() {
    let top = sources();
    let mut compiled = files(&root().join("src"));
    compiled.extend(files(&root().join("schemas")));
    compiled
        .extend(["Cargo.lock", "pyproject.toml", "LICENSE-MIT", "LICENSE-APACHE"].map(|f| root().join(f)));
    for file in compiled {
        let name = file.strip_prefix(root()).unwrap();
        let same = fs::read(top.join(name)).ok() == Some(fs::read(&file).unwrap());
        assert!(same, "{} is missing or of another time: run `make wheel`", name.display());
    }
    let folder = TempDir::new().unwrap();
    let install = ["install", "--path", ".", "--debug", "--locked", "--no-track", "--root"];
    let mut cargo = command(env!("CARGO"));
    cargo
        .current_dir(&top)
        .args(install)
        .arg(folder.path())
        .arg("--target-dir")
        .arg(top.with_file_name("target"));
    succeed(&mut cargo);
    for name in COMMANDS {
        let said = succeed(command(folder.path().join("bin").join(name)).arg("--version"));
        assert_eq!(said, format!("tap-confluent-cloud v{VERSION}\n"));
    }
}

#[test]
fn the_second_command_names_what_is_missing() {
    let folder = TempDir::new().unwrap();
    let alone = folder.path().join("source-confluent-cloud");
    // By other processes: what this one has open for writing while another test forks cannot be run.
    succeed(command("cp").arg(env!("CARGO_BIN_EXE_source-confluent-cloud")).arg(&alone));
    let output = command(&alone).arg("spec").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    let tap = folder.path().canonicalize().unwrap().join("tap-confluent-cloud");
    assert!(said.contains(&tap.display().to_string()) && said.contains("No such file"), "{said}");
    assert_eq!(said.lines().count(), 1);

    // Where a link stands for it, the tap is beside the file itself.
    let elsewhere = TempDir::new().unwrap();
    let link = elsewhere.path().join("source-confluent-cloud");
    symlink(&alone, &link).unwrap();
    const WRITE: &str = r#"printf '#!/bin/sh\necho "$# $1 $2"\nexit 7\n' > "$0" && chmod +x "$0""#;
    succeed(command("sh").args(["-c", WRITE]).arg(&tap));
    let output = command(&link).args(["a b", "--version"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2 a b --version\n");
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn the_second_command_does_not_start_itself_forever() {
    let folder = TempDir::new().unwrap();
    let (own, tap) =
        (folder.path().join("source-confluent-cloud"), folder.path().join("tap-confluent-cloud"));
    succeed(command("cp").arg(env!("CARGO_BIN_EXE_source-confluent-cloud")).arg(&own));
    for by in [["-s"].as_slice(), &[]] {
        succeed(command("ln").args(by).arg(&own).arg(&tap));
        let output = command("timeout").arg("10").arg(&own).arg("spec").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{by:?}: {said}");
        assert!(said.contains("cannot be started: too many links; install both again"), "{said}");
        fs::remove_file(&tap).unwrap();
    }
}

#[test]
fn pyairbyte_finds_the_connector_by_name_and_installs_it() {
    let sim = Simulator::start(small());
    let folder = TempDir::new().unwrap();
    let (_, python) = pythons().swap_remove(0);
    let bin = installed(python, &folder.path().join("environment"));
    let truth: serde_json::Map<_, _> =
        STREAMS.iter().map(|stream| ((*stream).to_owned(), json!(sim.truth().count(stream)))).collect();
    let config =
        json!({"base_url": sim.base_url(), "api_key": sim.api_key(), "api_secret": sim.api_secret()});
    let given = json!({"folder": folder.path(), "config": config, "truth": truth, "wheel": wheel()});
    let file = folder.path().join("given.json");
    fs::write(&file, given.to_string()).unwrap();
    let own = program("airbyte", "python");
    let path = std::env::join_paths([
        bin.as_path(),
        own.parent().unwrap(),
        Path::new("/usr/bin"),
        Path::new("/bin"),
    ]);
    let mut python = command(&own);
    python.env("PATH", path.unwrap()).env("HOME", folder.path()).env("TMPDIR", folder.path());
    python.arg(root().join("tests/python/airbyte_by_name.py")).arg(&file);
    let ended = Process::start(python, folder.path(), &sim, None).finish().expect_code(0);
    assert!(ended.stdout.contains("all is well"));
}
