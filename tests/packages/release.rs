//! What a release and a change go through: the workflows, the notes cut out of CHANGELOG.md, and what
//! `make` says where a tool is missing. The workflows run elsewhere; here a linter judges them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::repository::root;
use crate::support::runtimes::{command, program};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The linter, which finds ShellCheck beside itself and nothing else.
fn actionlint(files: &[PathBuf]) -> Output {
    let linter = program("actions", "actionlint");
    let shellcheck = program("actions", "shellcheck");
    let mut command = command(linter);
    command.arg("-no-color").arg("-shellcheck").arg(shellcheck).args(["-pyflakes", ""]);
    command.current_dir(root()).args(files).output().unwrap()
}

#[test]
fn the_linter_finds_no_fault_with_the_workflows() {
    let folder = root().join(".github/workflows");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let output = actionlint(&files);
    assert!(output.status.success(), "{}", text(&output.stdout));
    for file in files {
        let workflow = fs::read_to_string(&file).unwrap();
        // Jobs are given more where they need it.
        assert!(workflow.contains("\npermissions:\n  contents: read\n\n"), "{}", file.display());
        assert!(!workflow.contains("secrets."), "{} needs a stored secret", file.display());
    }
}

#[test]
fn the_linter_finds_planted_faults() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("wrong.yml");
    let wrong = "on: push\njobs:\n  one:\n    needs: two\n    runs-on: ubuntu-1804\n    steps:\n      \
        - run: echo $GITHUB_REF_NAME ${{ github.event.head_commit.message }}\n      - uses: actions/checkout@v7\n        with: {dept: 1}\n";
    fs::write(&file, wrong).unwrap();
    let output = actionlint(&[file]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    for rule in ["\"two\"", "ubuntu-1804", "SC2086", "untrusted", "\"dept\""] {
        assert!(said.contains(rule), "nothing of {rule}: {said}");
    }
}

fn notes(arguments: &[&str]) -> Output {
    Command::new(root().join(".ci/release-notes")).args(arguments).output().unwrap()
}

#[test]
fn the_notes_of_a_release_are_its_section_of_the_changelog() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let (before, after) = changelog.split_once("\n## Unreleased\n").expect("a section for what comes next");
    let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
    let output = notes(&["Unreleased"]);
    assert_eq!(text(&output.stdout).trim(), section.trim());
    assert!(section.contains("### Added"), "{section}");

    // As it is when the release is cut, in both ways of writing a version, with older ones behind it.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("CHANGELOG.md");
    for heading in ["## 7.8.9 - 2026-11-25", "## [7.8.9] - 2026-11-25", "## 7.8.9"] {
        let older = "\n## 7.8.8\n\n- The older one.\n\n## 7.8\n\n- The oldest one.\n";
        fs::write(&file, format!("{before}\n## Unreleased\n\n{heading}\n{section}{older}")).unwrap();
        let cut = |version: &str| notes(&[version, file.to_str().unwrap()]);
        assert_eq!(text(&cut("7.8.9").stdout).trim(), section.trim(), "{heading}");
        assert_eq!(text(&cut("7.8.8").stdout), "- The older one.\n");
        assert_eq!(text(&cut("7.8").stdout), "- The oldest one.\n");
        for missing in ["7.8.7", "Unreleased", "7"] {
            let output = cut(missing);
            assert_eq!(output.status.code(), Some(1), "{missing}");
            assert!(text(&output.stderr).contains(&format!("has no section for {missing}")));
            assert!(output.stdout.is_empty());
        }
    }
}

/// What `make -n` says of each target that begins its work with one of these tools, where it is missing.
fn without(tool: &str, targets: &[&str]) {
    let tools = TempDir::new().unwrap();
    for name in ["make", "cargo", "cc", "python3", "sh", "find", "uname", "getconf"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join(name))
            .find(|path| path.exists());
        if name != tool {
            symlink(found.unwrap(), tools.path().join(name)).unwrap();
        }
    }
    let venvs = tools.path().join("venvs");
    for target in targets {
        let mut make = command("make");
        make.current_dir(root()).env("PATH", tools.path()).env_remove("MAKEFLAGS");
        // Whoever chooses other tools by these has to have them.
        for name in ["CARGO", "CC", "PYTHON"] {
            make.env_remove(name);
        }
        // Run by a make, as the tests are, it would tell folders too.
        make.args(["-n", "--no-print-directory"]).arg(format!("VENVS={}", venvs.display()));
        make.arg(format!("WHEELS={}", tools.path().join("wheels").display())).arg(target);
        let output = make.output().unwrap();
        let said = text(&output.stderr);
        assert!(!output.status.success(), "make {target} without {tool}");
        let lines: Vec<_> = said.lines().collect();
        assert!(
            lines.len() == 1 && lines[0].contains(&format!("{tool} is missing: install ")),
            "make {target} without {tool}: {said}"
        );
        assert!(output.stdout.is_empty(), "make {target} begins: {}", text(&output.stdout));
    }
}

#[test]
fn make_names_a_missing_tool_in_one_line() {
    let compiled = ["demo", "test", "check", "wheel", "advisories", "bench", "chaos", "fuzz", "bless"];
    without("cargo", &compiled);
    without("cc", &compiled);
    without("python3", &["venvs", "test", "check", "wheel", "bless"]);
}
