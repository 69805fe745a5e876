//! The plugin definition that Meltano takes, and the form of it for MeltanoHub: both from `--about`.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Map, Value, json};
use tap_confluent_cloud::config::WAYS;

use super::stdout_of;
use crate::support::golden::golden;
use crate::support::runtimes::{command, program};

/// What `--about` says, but for `test`: Meltano itself never calls it, and knows no such capability.
const CAPABILITIES: [&str; 6] =
    ["about", "activate-version", "catalog", "discover", "state", "structured-logging"];

const DEFINITION: &str = "\
# Plugin definition for `meltano add --plugin-type extractor tap-confluent-cloud --from-ref FILE`; see
# docs/meltano.md. Generated from schemas/config.json by `make bless`.
# TAP_CONFLUENT_CLOUD_WHEEL is the wheel, or anything else that pip can install. Remove the line pip_url
# if the command is on the PATH.
";

const HUB: &str = "\
# For MeltanoHub, as _data/meltano/extractors/tap-confluent-cloud/VARIANT.yml. Generated from
# schemas/config.json by `make bless`.
# pip_url and repo are to be added once they exist. Until then the variant is a placeholder: the Hub names a
# variant after the owner of its repository.
";

fn about() -> Value {
    serde_json::from_str(&stdout_of(&["--about", "--format", "json"])).expect("JSON")
}

fn capitalized(text: &str) -> String {
    text[..1].to_uppercase() + &text[1..]
}

/// A number is declared as a text, because Meltano cannot write the config if a variable gives a
/// `decimal`; the binary takes numbers for what they are.
fn setting(name: &str, schema: &Value) -> Value {
    let mut setting = json!({ "name": name, "label": schema["title"], "kind": schema["type"] });
    if schema["type"] == "number" {
        setting["kind"] = "string".into();
    }
    if let Some(values) = schema["enum"].as_array() {
        let option = |value: &Value| json!({ "label": capitalized(value.as_str().unwrap()), "value": value });
        setting["kind"] = "options".into();
        setting["options"] = values.iter().map(option).collect();
    }
    if let Some(default) = schema.get("default") {
        setting["value"] = default.clone();
    }
    if schema["airbyte_secret"] == true {
        setting["sensitive"] = true.into();
    }
    setting["description"] = schema["description"].clone();
    setting
}

fn definition() -> Map<String, Value> {
    let about = about();
    let schema = &about["settings"];
    let settings = schema["properties"].as_object().unwrap().iter();
    let settings: Vec<Value> = settings.map(|(name, schema)| setting(name, schema)).collect();
    let definition = json!({
        "name": about["name"],
        "namespace": "tap_confluent_cloud",
        "label": schema["title"],
        "description": about["description"],
        "pip_url": "${TAP_CONFLUENT_CLOUD_WHEEL}",
        "executable": about["name"],
        "capabilities": CAPABILITIES,
        "settings_group_validation": WAYS,
        "settings": settings,
    });
    definition.as_object().unwrap().clone()
}

/// The Hub's linter asks for the keys of each mapping in the order of the alphabet.
fn yaml(value: &Value, sorted: bool) -> String {
    const WRITE: &str = "import json, sys, yaml\n\
        print(yaml.safe_dump(json.load(sys.stdin), sort_keys=sys.argv[1] == 'true', width=100), end='')";
    let mut python = command(program("lint", "python"));
    python.args(["-c", WRITE, &sorted.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().expect("Python runs");
    child.stdin.take().unwrap().write_all(value.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_definition_for_meltano_declares_every_setting() {
    golden(
        "integrations/meltano/tap-confluent-cloud.yml",
        &format!("{DEFINITION}{}", yaml(&definition().into(), false)),
    );
}

/// As Meltano keeps the definition of a plugin from the Hub, so that the example's meltano.yml is short.
#[test]
fn the_example_has_the_definition() {
    let mut lock = json!({ "plugin_type": "extractors", "variant": "original" });
    lock.as_object_mut().unwrap().extend(definition());
    let file = "integrations/meltano/example/plugins/extractors/tap-confluent-cloud--original.lock";
    golden(file, &format!("{lock:#}\n"));
}

#[test]
fn the_definition_for_the_hub_says_the_same() {
    let mut hub = definition();
    hub.remove("pip_url");
    for (name, value) in [
        ("variant", json!("original")),
        ("quality", json!("unknown")),
        ("maintenance_status", json!("beta")),
        ("domain_url", json!("https://confluent.cloud")),
        ("keywords", json!(["api"])),
    ] {
        hub.insert(name.to_owned(), value);
    }
    hub["settings"].as_array_mut().unwrap().sort_by_key(|setting| setting["name"].to_string());
    golden("integrations/meltano/hub.yml", &format!("{HUB}{}", yaml(&hub.into(), true)));
}

#[test]
fn no_capability_of_the_binary_is_missing() {
    for capability in about()["capabilities"].as_array().unwrap() {
        let known = capability == "test" || CAPABILITIES.iter().any(|known| capability == known);
        assert!(known, "the definition for Meltano lacks {capability}");
    }
}
