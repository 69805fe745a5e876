//! What the catalog chose: streams, properties at every depth, and every way to say so.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{
    DERIVED, Run, STREAMS, assert_record, assert_whole_of, bare, discovered, rude, small, tap,
};

/// A catalog as discovered, to be edited.
struct Catalog(Value);

impl Catalog {
    fn discovered() -> Self {
        Self(discovered(bare()))
    }

    fn entry(&mut self, stream: &str) -> &mut Value {
        let entries = self.0["streams"].as_array_mut().unwrap();
        entries.iter_mut().find(|entry| entry["tap_stream_id"] == stream).unwrap()
    }

    /// Sets one key of the metadata of a dotted property of users; of the stream if empty.
    fn users(mut self, property: &str, key: &str, value: impl Into<Value>) -> Self {
        let breadcrumb = breadcrumb(property);
        let entries = self.entry("users")["metadata"].as_array_mut().unwrap();
        let found = entries.iter_mut().find(|entry| entry["breadcrumb"] == breadcrumb);
        let entry = found.unwrap_or_else(|| panic!("no metadata for {property}"));
        entry["metadata"][key] = value.into();
        self
    }

    /// Takes the metadata of a property away.
    fn without(mut self, property: &str) -> Self {
        let breadcrumb = breadcrumb(property);
        self.entry("users")["metadata"]
            .as_array_mut()
            .unwrap()
            .retain(|entry| entry["breadcrumb"] != breadcrumb);
        self
    }

    fn edit(mut self, stream: &str, edit: impl FnOnce(&mut Value)) -> Self {
        edit(self.entry(stream));
        self
    }
}

fn breadcrumb(property: &str) -> Value {
    property.split('.').filter(|name| !name.is_empty()).flat_map(|name| ["properties", name]).collect()
}

/// A run under the users' entry of this catalog.
fn run(sim: &Simulator, catalog: &Catalog) -> Run {
    let entries = catalog.0["streams"].as_array().unwrap();
    let users: Vec<_> = entries.iter().filter(|entry| entry["tap_stream_id"] == "users").collect();
    tap(sim).catalog(&json!({"streams": users})).run().expect_code(0)
}

fn remove(value: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let parent =
        parent.split('.').filter(|name| !name.is_empty()).try_fold(value, |value, name| value.get_mut(name));
    if let Some(parent) = parent.and_then(Value::as_object_mut) {
        parent.shift_remove(name);
    }
}

/// Users come out whole but for these dotted properties, in SCHEMA and in RECORD.
#[track_caller]
fn assert_only_without(case: &str, catalog: &Catalog, gone: &[&str]) {
    println!("case: {case}");
    let sim = Simulator::start(rude().users(60));
    let run = run(&sim, catalog);
    let schema = &run.schemas()["users"];
    let whole = &Catalog::discovered().entry("users")["schema"].clone();
    let mut expected = whole["properties"].clone();
    for path in gone {
        remove(&mut expected, &path.replace('.', ".properties."));
    }
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&schema["properties"]), names(&expected), "properties in SCHEMA");
    let nested = |schema: &Value| {
        schema["metadata"]["properties"].as_object().map(|_| names(&schema["metadata"]["properties"]))
    };
    assert_eq!(nested(&schema["properties"]), nested(&expected), "nested properties in SCHEMA");
    let records = run.records("users");
    assert_eq!(records.len(), 60);
    for record in &records {
        let truth = sim.truth().records("users").iter().find(|truth| truth["id"] == record["id"]).unwrap();
        let mut expected = truth.clone();
        let mut record = record.clone();
        for path in gone {
            let found = record.pointer(&format!("/{}", path.replace('.', "/")));
            assert!(found.is_none(), "{path} is in a RECORD");
            remove(&mut expected, path);
        }
        // Compared on their own: derived columns do not hang on what else is selected.
        for name in ["created_at", "updated_at"] {
            if !gone.contains(&name) {
                assert_eq!(record[name], truth["metadata"][name], "{name}");
                expected[name] = truth["metadata"][name].clone();
            }
        }
        let organization = record.as_object_mut().unwrap().shift_remove("organization_id");
        assert_eq!(organization, Some(json!(sim.organization_id())));
        assert_eq!(record, expected, "RECORD");
    }
}

#[test]
fn metadata_is_weighed_by_the_precedence_of_the_sdk() {
    let all = Catalog::discovered;
    let cases: [(&str, Catalog, &[&str]); 14] = [
        ("as discovered", all(), &[]),
        ("selected is believed", all().users("email", "selected", false), &["email"]),
        ("selected true", all().users("email", "selected", true), &[]),
        ("a key is there all the same", all().users("id", "selected", false), &[]),
        (
            "automatic beats selected",
            all().users("email", "inclusion", "automatic").users("email", "selected", false),
            &[],
        ),
        (
            "unsupported beats selected",
            all().users("email", "inclusion", "unsupported").users("email", "selected", true),
            &["email"],
        ),
        ("by default off", all().users("email", "selected-by-default", false), &["email"]),
        (
            "selected beats the default",
            all().users("email", "selected-by-default", false).users("email", "selected", true),
            &[],
        ),
        ("a derived column", all().users("created_at", "selected", false), &["created_at"]),
        ("nested", all().users("metadata.self", "selected", false), &["metadata.self"]),
        (
            "the parent off",
            all().users("metadata", "selected", false).users("metadata.self", "selected", true),
            &["metadata"],
        ),
        ("without metadata the parent counts", all().without("email").without("metadata.self"), &[]),
        (
            "a nested one without metadata, its parent off",
            all().without("metadata.self").users("metadata", "selected", false),
            &["metadata"],
        ),
        (
            "every nested one off",
            all()
                .users("metadata.self", "selected", false)
                .users("metadata.resource_name", "selected", false)
                .users("metadata.created_at", "selected", false)
                .users("metadata.updated_at", "selected", false)
                .users("metadata.deleted_at", "selected", false),
            &[
                "metadata.self",
                "metadata.resource_name",
                "metadata.created_at",
                "metadata.updated_at",
                "metadata.deleted_at",
            ],
        ),
    ];
    for (case, catalog, gone) in cases {
        assert_only_without(case, &catalog, gone);
    }
}

#[test]
fn a_catalog_without_metadata_selects_everything() {
    let empty = Catalog::discovered().edit("users", |entry| entry["metadata"] = json!([]));
    assert_only_without("an empty list", &empty, &[]);
    let absent = Catalog::discovered().edit("users", |entry| {
        entry.as_object_mut().unwrap().shift_remove("metadata");
    });
    assert_only_without("no list", &absent, &[]);
}

/// Whether users are read under this catalog.
fn reads_users(catalog: &Catalog) -> bool {
    let sim = Simulator::start(small());
    let run = run(&sim, catalog);
    let chosen = run.schemas().contains_key("users");
    assert_eq!(chosen, run.records("users").len() == 25, "a SCHEMA and records, or neither");
    assert_eq!(chosen, !run.asked("users").is_empty(), "a stream is asked for if it is chosen");
    chosen
}

#[test]
fn a_stream_is_selected_by_metadata_or_else_by_the_legacy_keys() {
    let all = Catalog::discovered;
    let with = |key: &str, value: bool| all().edit("users", |entry| entry[key] = value.into());
    let schema = |value: bool| all().edit("users", |entry| entry["schema"]["selected"] = value.into());
    assert!(reads_users(&all()));
    assert!(reads_users(&all().users("", "selected", true)));
    assert!(!reads_users(&all().users("", "selected", false)));
    assert!(!reads_users(&all().users("", "selected-by-default", false)));
    assert!(!reads_users(&all().users("", "inclusion", "unsupported").users("", "selected", true)));
    assert!(!reads_users(&with("selected", false)), "the entry's own key");
    assert!(reads_users(&with("selected", true)), "the entry's own key");
    assert!(!reads_users(&schema(false)), "the schema's key");
    assert!(reads_users(&schema(true)), "the schema's key");
    assert!(
        reads_users(&with("selected", false).users("", "selected", true)),
        "metadata beats the entry's key"
    );
    assert!(!reads_users(&schema(true).users("", "selected", false)), "metadata beats the schema's key");
    let by_default = with("selected", true).users("", "selected-by-default", false);
    assert!(reads_users(&by_default), "the entry's key beats the default");
}

/// As Meltano writes it: `selected` in the root metadata and on the entry, the method twice, a
/// selection for every property.
fn as_meltano(chosen: &[&str]) -> Catalog {
    let mut catalog = Catalog::discovered();
    for stream in STREAMS {
        let selected = chosen.contains(&stream);
        let entry = catalog.entry(stream);
        entry["selected"] = selected.into();
        entry["replication_method"] = json!("FULL_TABLE");
        for metadata in entry["metadata"].as_array_mut().unwrap() {
            metadata["metadata"]["selected"] =
                if metadata["breadcrumb"] == json!([]) { selected } else { true }.into();
        }
        entry["metadata"][0]["metadata"]["replication-method"] = json!("FULL_TABLE");
        entry["metadata"][0]["metadata"]["replication_method"] = json!("FULL_TABLE");
    }
    catalog
}

#[test]
fn a_catalog_as_meltano_writes_it_is_followed() {
    let sim = Simulator::start(small());
    let chosen = ["users", "role_bindings"];
    let run = tap(&sim).catalog(&as_meltano(&chosen).0).run().expect_code(0);
    assert_whole_of(&run, &sim, &chosen);
    assert_eq!(run.schemas().len(), 2);
    assert!(run.asked("invitations").is_empty() && run.asked("service_accounts").is_empty());
    assert!(!run.says("WARN", &[""]), "a warning about what is normal");
    let run = tap(&sim).catalog(&as_meltano(&STREAMS).0).run().expect_code(0);
    assert_whole_of(&run, &sim, &STREAMS);
}

#[test]
fn properties_is_an_alias_of_catalog_and_read_accepts_it() {
    let sim = Simulator::start(small());
    let catalog = as_meltano(&["users"]).0.to_string();
    for build in [
        tap(&sim).file("--properties", "p.json", &catalog),
        tap(&sim).verb("read").file("--catalog", "c.json", &catalog),
    ] {
        let run = build.run().expect_code(0);
        assert_whole_of(&run, &sim, &["users"]);
        assert_eq!(run.schemas().len(), 1);
    }
}

#[test]
fn an_unknown_stream_in_the_catalog_is_a_warning() {
    let sim = Simulator::start(small());
    let mut catalog = Catalog::discovered();
    let stale = json!({"tap_stream_id": "orders", "stream": "orders", "key_properties": ["id"], "schema": {"type": "object", "properties": {}}, "metadata": [{"breadcrumb": [], "metadata": {"selected": true}}]});
    catalog.0["streams"].as_array_mut().unwrap().push(stale);
    let run = tap(&sim).catalog(&catalog.0).run().expect_code(0).expect_line("WARN", ["orders"]);
    assert_whole_of(&run, &sim, &STREAMS);
    assert_eq!(run.schemas().len(), 4);
}

#[test]
fn a_catalog_of_one_stream_reads_one_stream() {
    let sim = Simulator::start(small());
    let entry = Catalog::discovered().entry("invitations").clone();
    let run = tap(&sim).catalog(&json!({"streams": [entry]})).run().expect_code(0);
    assert_whole_of(&run, &sim, &["invitations"]);
    assert_eq!(run.schemas().len(), 1);
}

#[test]
fn an_empty_selection_reads_nothing_and_says_so() {
    let sim = Simulator::start(small());
    for catalog in [as_meltano(&[]).0, json!({"streams": []})] {
        let run = tap(&sim).catalog(&catalog).run().expect_code(0).expect_line("WARN", ["no stream"]);
        assert!(run.schemas().is_empty());
    }
}

#[test]
fn a_bad_catalog_is_named_before_any_request() {
    let sim = Simulator::start(small());
    for text in ["", "{", "[]", "null", "7", "{}", r#"{"streams": {}}"#, r#"{"streams": [7]}"#] {
        drop(tap(&sim).file("--catalog", "chosen.json", text).run().expect_refusal(2, ["catalog"]));
    }
    drop(tap(&sim).args(["--catalog", "/nowhere/c.json"]).run().expect_refusal(2, ["/nowhere/c.json"]));
    assert!(sim.requests().is_empty());
}

#[test]
fn emitted_schemas_are_the_discovered_ones() {
    let sim = Simulator::start(small());
    let run = tap(&sim).run().expect_code(0);
    let mut catalog = Catalog::discovered();
    for stream in STREAMS {
        assert_eq!(run.schemas()[stream], catalog.entry(stream)["schema"], "{stream}");
        let truth = &sim.truth().records(stream)[0];
        let records = run.records(stream);
        let record = records.iter().find(|record| record["id"] == truth["id"]).unwrap();
        assert_record(stream, record, truth, &[], Some(sim.organization_id()));
    }
}

/// What is chosen by the metadata of a property, as the Singer SDK decides: the parent's word
/// counts first, then the property's own inclusion, `selected`, its default, and the parent's again.
fn is_chosen(metadata: &Value, parent: bool, is_key: bool) -> bool {
    if !parent {
        return false;
    }
    let inclusion = metadata["inclusion"].as_str();
    if is_key || inclusion == Some("automatic") {
        return true;
    }
    let said = metadata["selected"].as_bool().or_else(|| metadata["selected-by-default"].as_bool());
    inclusion != Some("unsupported") && said.unwrap_or(true)
}

fn odd_metadata() -> impl Strategy<Value = Value> {
    let flag = || prop_oneof![Just(Value::Null), Just(json!(true)), Just(json!(false))];
    let inclusion = prop_oneof![3 => Just("available"), 1 => Just("automatic"), 1 => Just("unsupported")];
    (inclusion, flag(), flag()).prop_map(|(inclusion, selected, default)| {
        let mut metadata = json!({"inclusion": inclusion});
        if !selected.is_null() {
            metadata["selected"] = selected;
        }
        if !default.is_null() {
            metadata["selected-by-default"] = default;
        }
        metadata
    })
}

#[test]
fn schema_and_records_hold_exactly_what_is_selected() {
    let sim = Simulator::start(small());
    let discovered = Catalog::discovered().entry("users").clone();
    let count = discovered["metadata"].as_array().unwrap().len();
    let choices = proptest::collection::vec(odd_metadata(), count);
    let config = Config { cases: 40, max_shrink_iters: 30, failure_persistence: None, ..Config::default() };
    let try_out = |choices: Vec<Value>| {
        let mut entry = discovered.clone();
        let mut chosen = BTreeMap::from([(String::new(), true)]);
        let metadata = entry["metadata"].as_array_mut().unwrap();
        metadata.sort_by_key(|metadata| metadata["breadcrumb"].as_array().unwrap().len());
        for (metadata, choice) in metadata.iter_mut().zip(choices).skip(1) {
            let words = metadata["breadcrumb"].as_array().unwrap();
            let names: Vec<&str> =
                words.iter().skip(1).step_by(2).map(|word| word.as_str().unwrap()).collect();
            let (path, parent) = (names.join("."), names[..names.len() - 1].join("."));
            chosen.insert(path.clone(), is_chosen(&choice, chosen[&parent], path == "id"));
            metadata["metadata"] = choice;
        }
        let run = run(&sim, &Catalog(json!({"streams": [entry]})));
        let schema = run.schemas()["users"].clone();
        let records = run.records("users");
        assert_eq!(records.len(), 25);
        for (path, chosen) in chosen.iter().skip(1) {
            let described = schema.pointer(&format!("/properties/{}", path.replace('.', "/properties/")));
            assert_eq!(described.is_some(), *chosen, "{path} in SCHEMA");
            let place = format!("/{}", path.replace('.', "/"));
            for record in &records {
                let truth =
                    sim.truth().records("users").iter().find(|truth| truth["id"] == record["id"]).unwrap();
                let sent = truth.pointer(&place).is_some() || DERIVED.contains(&path.as_str());
                assert_eq!(record.pointer(&place).is_some(), *chosen && sent, "{path} in RECORD");
            }
        }
    };
    let result = TestRunner::new(config).run(&choices, |choices| {
        try_out(choices);
        Ok(())
    });
    result.unwrap();
}
