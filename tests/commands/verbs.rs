//! The verbs beside a sync: discover, version, help, about, test.

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{STREAMS, bare, discovered, polite, small, tap};

#[test]
fn discover_needs_no_settings_and_sends_no_request() {
    assert_eq!(discovered(bare())["streams"].as_array().unwrap().len(), 4);
    let sim = Simulator::start(small());
    let run = tap(&sim).arg("--discover").run().expect_code(0);
    assert!(run.requests.is_empty());
    let catalog: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(catalog, discovered(bare()));
}

#[test]
fn discover_offers_the_streams_of_the_settings() {
    let catalog = discovered(bare().set("streams", json!(["users"])));
    assert_eq!(catalog["streams"].as_array().unwrap().len(), 1);
    assert_eq!(catalog["streams"][0]["tap_stream_id"], "users");
}

#[test]
fn the_catalog_is_indented_and_its_lines_are_short() {
    let run = bare().arg("--discover").run().expect_code(0);
    assert!(run.stdout.lines().nth(1).unwrap().starts_with("  "), "not indented");
    assert!(run.stdout.lines().all(|line| line.len() < 8_000), "a line too long for Meltano");
    assert!(run.stdout.ends_with("}\n"));
}

#[test]
fn every_catalog_entry_has_its_key_and_replication_method() {
    for entry in discovered(bare())["streams"].as_array().unwrap() {
        let name = entry["tap_stream_id"].as_str().unwrap();
        assert!(STREAMS.contains(&name));
        assert_eq!(entry["stream"], name);
        assert_eq!(entry["key_properties"], json!(["id"]));
        let root = &entry["metadata"][0];
        assert_eq!(root["breadcrumb"], json!([]));
        assert_eq!(root["metadata"]["inclusion"], "available");
        assert_eq!(root["metadata"]["table-key-properties"], json!(["id"]));
        assert_eq!(root["metadata"]["forced-replication-method"], "FULL_TABLE");
        assert_eq!(root["metadata"]["selected-by-default"], true);
    }
}

/// Breadcrumbs of every property at every depth.
fn breadcrumbs(schema: &Value, at: &[String], found: &mut Vec<Vec<String>>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let breadcrumb = [at, &["properties".to_owned(), name.clone()]].concat();
        breadcrumbs(property, &breadcrumb, found);
        found.push(breadcrumb);
    }
}

#[test]
fn every_property_at_every_depth_has_metadata() {
    for entry in discovered(bare())["streams"].as_array().unwrap() {
        let mut expected = vec![Vec::new()];
        breadcrumbs(&entry["schema"], &[], &mut expected);
        assert!(expected.iter().any(|breadcrumb| breadcrumb.len() == 4), "nothing nested");
        let mut described: Vec<Vec<String>> = Vec::new();
        for metadata in entry["metadata"].as_array().unwrap() {
            let breadcrumb: Vec<String> = serde_json::from_value(metadata["breadcrumb"].clone()).unwrap();
            let inclusion = &metadata["metadata"]["inclusion"];
            let is_key = breadcrumb == ["properties", "id"];
            assert_eq!(inclusion, if is_key { "automatic" } else { "available" }, "{breadcrumb:?}");
            described.push(breadcrumb);
        }
        expected.sort();
        described.sort();
        assert_eq!(described, expected);
    }
}

#[test]
fn schemas_use_only_what_every_target_understands() {
    fn check(schema: &Value, path: &str) {
        let types = &schema["type"];
        let nullable = types.as_array().is_some_and(|types| types.contains(&json!("null")));
        assert!(nullable || path.ends_with("/id"), "{path} may not be null");
        assert!(
            schema["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{path} is not described"
        );
        for keyword in
            ["const", "oneOf", "anyOf", "allOf", "$ref", "if", "exclusiveMinimum", "pattern", "enum"]
        {
            assert!(schema.get(keyword).is_none(), "{path} has {keyword}");
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{path}/{name}");
            check(property, &format!("{path}/{name}"));
        }
    }
    for entry in discovered(bare())["streams"].as_array().unwrap() {
        let schema = &entry["schema"];
        assert_eq!(schema["required"], json!(["id"]));
        assert_ne!(schema.get("additionalProperties"), Some(&json!(false)));
        for (name, property) in schema["properties"].as_object().unwrap() {
            check(property, &format!("{}/{name}", entry["stream"]));
        }
    }
}

#[test]
fn version_is_one_line() {
    for flag in ["--version", "-V"] {
        let run = bare().arg(flag).run().expect_code(0);
        let version = run.stdout.strip_prefix("tap-confluent-cloud v").expect("a name and a version");
        assert_eq!(run.stdout.lines().count(), 1);
        let number = version.trim_end().split([',', ' ']).next().unwrap();
        assert_eq!(number.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{number}");
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn help_names_the_flags() {
    let run = bare().arg("--help").run().expect_code(0);
    for flag in
        ["--config", "--discover", "--catalog", "--state", "--about", "--test", "--log-level", "--protocol"]
    {
        assert!(run.stdout.contains(flag), "{flag}");
    }
    for verb in ["read", "discover", "check", "spec"] {
        drop(bare().verb(verb).arg("--help").run().expect_code(0));
    }
}

#[test]
fn about_is_text_for_people_and_json_for_programs() {
    let text = bare().arg("--about").run().expect_code(0);
    assert!(text.stdout.contains("api_secret"));
    drop(bare().args(["--about", "--format", "text"]).run().expect_code(0));
    for arguments in [vec!["--about", "--format", "json"], vec!["--about", "--format=json"]] {
        let run = arguments.iter().fold(bare(), |bare, word| bare.arg(*word)).run().expect_code(0);
        let about: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(about["name"], "tap-confluent-cloud");
        for capability in ["catalog", "discover", "state", "about"] {
            let capabilities = about["capabilities"].as_array().unwrap();
            assert!(capabilities.contains(&json!(capability)), "{capability}");
        }
        let settings = &about["settings"];
        assert_eq!(settings["required"], json!([]), "each way to log in needs others");
        for setting in ["base_url", "organization_id", "streams", "concurrency", "page_size", "max_retries"] {
            assert!(settings["properties"][setting]["description"].is_string(), "{setting}");
        }
    }
    let sim = Simulator::start(small());
    drop(tap(&sim).args(["--about", "--format=json"]).run().expect_code(0));
    drop(bare().args(["--about", "--format", "yaml"]).run().expect_code(2));
}

#[test]
fn a_wrong_command_line_exits_with_2_and_a_message() {
    for arguments in
        [vec!["--colour"], vec!["--config"], vec!["fetch"], vec!["--log-level", "loud"], vec!["--state"]]
    {
        let run = arguments.iter().fold(bare(), |bare, word| bare.arg(*word)).run().expect_code(2);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains(arguments[0]), "{arguments:?} is not named");
    }
}

#[test]
fn test_reads_at_most_one_record_of_each_stream() {
    let sim = Simulator::start(polite());
    let run = tap(&sim).arg("--test").run().expect_code(0);
    for stream in STREAMS {
        assert_eq!(run.records(stream).len(), 1, "{stream}");
        assert!(run.schemas().contains_key(stream));
        assert!(run.asked(stream).len() <= 2, "{stream}: {} requests", run.asked(stream).len());
    }
}

#[test]
fn test_accepts_empty_streams() {
    let sim = Simulator::start(polite().users(0).invitations(0).service_accounts(0).role_bindings(0));
    let run = tap(&sim).set("empty_lists", "warn").arg("--test").run().expect_code(0);
    assert_eq!(run.schemas().len(), 4);
}

#[test]
fn test_finds_a_record_below_the_organization_or_on_a_later_page() {
    let sim = Simulator::start(polite().role_bindings(40).organization_bindings(0));
    assert_eq!(tap(&sim).arg("--test").run().expect_code(0).records("role_bindings").len(), 1);
}

#[test]
fn test_does_not_move_the_state() {
    let sim = Simulator::start(polite());
    let state = json!({"bookmarks": {"users": {"organization_id": null, "partition": null, "page_token": null, "started_at": null}}});
    for run in [tap(&sim).arg("--test").run(), tap(&sim).arg("--test").state(&state).run()] {
        for value in run.expect_code(0).states() {
            for stream in STREAMS {
                let bookmark = &value["bookmarks"][stream];
                assert!(bookmark["page_token"].is_null(), "{stream}: {bookmark}");
            }
        }
    }
}

#[test]
fn test_fails_as_a_sync_does() {
    let sim = Simulator::start(polite().refuse("invitations"));
    let run = tap(&sim).arg("--test").run().expect_code(3).expect_line("ERROR", ["invitations"]);
    assert_eq!(run.records("users").len(), 1);
    drop(tap(&sim).arg("--test").set("api_secret", "not-the-secret").run().expect_refusal(3, ["api_key"]));
}

#[test]
fn read_speaks_singer_when_it_is_given_no_catalog() {
    let sim = Simulator::start(small());
    crate::support::assert_whole(&tap(&sim).verb("read").run(), &sim);
    crate::support::assert_whole(&tap(&sim).args(["--protocol", "singer"]).run(), &sim);
}
