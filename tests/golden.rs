//! Files that are written by the binary and checked in: their diff is the review of what users will see.
//! `make bless` rewrites them.

mod meltano;
mod streams;

use std::process::Command;

use clap::CommandFactory;
use clap_complete::aot::{Shell, generate};
use serde_json::{Value, json};
use tap_confluent_cloud::cli::Arguments;

use crate::support::golden::{between_marks, golden};

fn stdout_of(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tap-confluent-cloud"))
        .args(arguments)
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("stdout is UTF-8")
}

#[test]
fn the_singer_catalog_is_what_discover_prints() {
    golden("catalogs/singer.json", &stdout_of(&["--discover"]));
}

#[test]
fn the_airbyte_catalog_asks_for_all_that_discover_offers() {
    let message: Value = serde_json::from_str(&stdout_of(&["discover"])).expect("one message");
    let streams = message["catalog"]["streams"].as_array().expect("streams").iter().map(
        |stream| json!({"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}),
    );
    golden("catalogs/airbyte.json", &format!("{:#}\n", json!({"streams": streams.collect::<Vec<_>>()})));
}

#[test]
fn the_readme_lists_the_settings() {
    let about: Value = serde_json::from_str(&stdout_of(&["--about", "--format", "json"])).expect("JSON");
    let required = about["settings"]["required"].as_array().expect("required settings");
    let mut table = "| setting | type | default | meaning |\n|---|---|---|---|\n".to_owned();
    for (name, setting) in about["settings"]["properties"].as_object().expect("settings") {
        let default = match setting.get("default") {
            Some(Value::String(text)) => format!("`{text}`"),
            Some(Value::Array(all)) => all
                .iter()
                .map(|one| format!("`{}`", one.as_str().expect("a text")))
                .collect::<Vec<_>>()
                .join(", "),
            Some(default) => format!("`{default}`"),
            None if required.contains(&Value::from(name.as_str())) => "required".to_owned(),
            None => String::new(),
        };
        let (kind, words) =
            (setting["type"].as_str().expect("a type"), setting["description"].as_str().expect("words"));
        table.push_str(&format!("| `{name}` | {kind} | {default} | {words} |\n"));
    }
    between_marks("README.md", "settings", &table);
}

/// What `--about` prints for people.
#[test]
fn the_text_on_the_settings_says_what_about_says() {
    let about: Value = serde_json::from_str(&stdout_of(&["--about", "--format", "json"])).expect("JSON");
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    let (name, version) = (word(&about["name"]), word(&about["version"]));
    let mut text = format!("{name} v{version}\n{}\n\nSettings:\n", word(&about["description"]));
    let required = about["settings"]["required"].as_array().expect("required settings");
    for (name, setting) in about["settings"]["properties"].as_object().expect("settings") {
        let default = match setting.get("default") {
            Some(default) => format!(", default {default}"),
            None if required.contains(&Value::from(name.as_str())) => ", required".to_owned(),
            None => String::new(),
        };
        let (kind, words) = (word(&setting["type"]), word(&setting["description"]));
        text.push_str(&format!("  {name} ({kind}{default})\n      {words}\n"));
    }
    golden("schemas/about.txt", &text);
}

/// Laid out as the Singer SDK lays out this form of `--about`, which prints it.
#[test]
fn the_page_on_the_settings_says_what_about_says() {
    let about: Value = serde_json::from_str(&stdout_of(&["--about", "--format", "json"])).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut page = format!("# `{}`\n\n{}\n\n", text(&about["name"]), text(&about["description"]));
    page.push_str("## Capabilities\n\n");
    for capability in about["capabilities"].as_array().expect("capabilities") {
        page.push_str(&format!("- `{}`\n", text(capability)));
    }
    page.push_str("\n## Settings\n\n| Setting | Required | Default | Description |\n");
    page.push_str("|:--------|:--------:|:-------:|:------------|\n");
    let required = about["settings"]["required"].as_array().expect("required settings");
    for (name, setting) in about["settings"]["properties"].as_object().expect("settings") {
        let is_required = if required.contains(&Value::from(name.as_str())) { "True" } else { "False" };
        let default = setting.get("default").map_or("None".to_owned(), |default| match default {
            Value::String(text) => text.clone(),
            default => default.to_string(),
        });
        let words = text(&setting["description"]).replace('|', "\\|");
        page.push_str(&format!("| {name} | {is_required} | {default} | {words} |\n"));
    }
    golden("schemas/about.md", &page);
}

#[test]
fn about_prints_the_text_and_the_page_on_the_settings() {
    let page = include_str!("../schemas/about.md");
    assert_eq!(stdout_of(&["--about", "--format", "markdown"]), page);
    assert_eq!(stdout_of(&["--about", "--format=markdown"]), page);
    assert_eq!(stdout_of(&["--about"]), include_str!("../schemas/about.txt"));
}

#[test]
fn the_manual_page_and_the_completions_know_the_command_line() {
    let command = || Arguments::command().version(env!("CARGO_PKG_VERSION"));
    let mut manual = Vec::new();
    clap_mangen::Man::new(command()).render(&mut manual).expect("a manual page");
    let mut manual = String::from_utf8(manual).expect("UTF-8");
    // Sub-commands take the same options, and have no pages of their own to be referred to.
    for verb in command().get_subcommands().map(clap::Command::get_name).chain(["help"]) {
        manual = manual.replace(&format!("cloud\\-{verb}(1)"), &format!("cloud {verb}"));
    }
    // The columns of the examples stay as they are.
    let manual =
        manual.replace(".SH EXTRA\n", ".SH EXTRA\n.nf\n").replace("\nExit codes:", "\n.fi\nExit codes:");
    golden("docs/man/tap-confluent-cloud.1", &manual);
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        generate(shell, &mut command(), "tap-confluent-cloud", &mut script);
        let name = format!("docs/completions/tap-confluent-cloud.{shell}");
        golden(&name, &String::from_utf8(script).expect("UTF-8"));
    }
}

#[test]
fn what_is_printed_without_a_service_is_the_same_every_time() {
    for arguments in [
        &["--discover"][..],
        &["--about"],
        &["--about", "--format=json"],
        &["--about", "--format=markdown"],
        &["--help"],
        &["spec"],
        &["discover"],
    ] {
        let first = stdout_of(arguments);
        for _ in 0..5 {
            assert_eq!(stdout_of(arguments), first, "{arguments:?}");
        }
    }
}
