//! Columns that the configured catalog leaves out of a stream's schema are not sent.

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::airbyte::{catalog_of, read};
use crate::support::{polite, rude, same_ids, small, tap};

/// A catalog of one stream, its schema changed.
fn with_schema(stream: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut catalog = catalog_of(&[stream], "full_refresh");
    change(&mut catalog["streams"][0]["stream"]["json_schema"]);
    catalog
}

fn drop_property(schema: &mut Value, name: &str) {
    schema["properties"].as_object_mut().unwrap().remove(name).expect("it was declared");
}

#[test]
fn a_column_left_out_is_not_sent_and_the_others_are_untouched() {
    let sim = Simulator::start(polite());
    let whole = read(tap(&sim), &catalog_of(&["users"], "full_refresh"));
    let catalog = with_schema("users", |schema| {
        drop_property(schema, "email");
        drop_property(schema, "created_at");
    });
    let heard = read(tap(&sim), &catalog).expect_code(0);
    let mut expected = whole.records("users");
    for record in &mut expected {
        let record = record.as_object_mut().unwrap();
        record.shift_remove("email").expect("every user has an email");
        record.shift_remove("created_at").expect("every record has created_at");
    }
    assert_eq!(Value::from(heard.records("users")).to_string(), Value::from(expected).to_string());
}

#[test]
fn a_nested_column_left_out_is_not_sent() {
    let sim = Simulator::start(polite());
    let catalog = with_schema("invitations", |schema| {
        drop_property(&mut schema["properties"]["metadata"], "self");
        drop_property(&mut schema["properties"]["user"], "related");
    });
    let heard = read(tap(&sim), &catalog).expect_code(0);
    let records = heard.records("invitations");
    same_ids("invitations", &records, &sim.truth().ids("invitations"));
    for record in &records {
        assert!(
            record["metadata"].get("self").is_none() && record["user"].get("related").is_none(),
            "{record}"
        );
        assert!(record["metadata"]["created_at"].is_string() && record["user"]["id"].is_string(), "{record}");
    }
    assert!(
        records.iter().any(|record| record["creator"].get("related").is_some()),
        "creator was not touched"
    );
}

#[test]
fn leaving_out_an_object_keeps_the_columns_derived_from_it() {
    let sim = Simulator::start(small());
    let heard = read(tap(&sim), &with_schema("users", |schema| drop_property(schema, "metadata")));
    for record in heard.expect_code(0).records("users") {
        assert!(record.get("metadata").is_none(), "{record}");
        assert!(record["created_at"].is_string(), "{record}");
    }
}

#[test]
fn only_the_columns_left_in_are_sent() {
    let sim = Simulator::start(small());
    let catalog = with_schema("role_bindings", |schema| {
        schema["properties"]
            .as_object_mut()
            .unwrap()
            .retain(|name, _| ["id", "role_name"].contains(&name.as_str()));
    });
    let heard = read(tap(&sim), &catalog).expect_code(0);
    let records = heard.records("role_bindings");
    same_ids("role_bindings", &records, &sim.truth().ids("role_bindings"));
    for record in &records {
        let names: Vec<&String> = record.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "role_name"]);
    }
}

#[test]
fn undeclared_fields_pass_whatever_is_left_out() {
    let sim = Simulator::start(rude());
    let catalog = with_schema("users", |schema| drop_property(schema, "email"));
    let heard = read(tap(&sim), &catalog).expect_code(0);
    let with_stray = |records: &[Value]| records.iter().filter(|r| r.get("x_preview_tier").is_some()).count();
    assert_eq!(with_stray(&heard.records("users")), with_stray(sim.truth().records("users")));
}

#[test]
fn a_configured_schema_without_properties_leaves_nothing_out() {
    let sim = Simulator::start(small());
    for empty in [json!({}), json!({"type": "object"}), json!({"properties": {}})] {
        let catalog = with_schema("users", |schema| *schema = empty);
        let heard = read(tap(&sim), &catalog).expect_code(0);
        let records = heard.records("users");
        same_ids("users", &records, &sim.truth().ids("users"));
        assert!(records.iter().all(|record| record["email"].is_string()));
    }
}

#[test]
fn the_key_is_sent_even_if_it_was_left_out() {
    let sim = Simulator::start(small());
    let heard = read(tap(&sim), &with_schema("users", |schema| drop_property(schema, "id")));
    same_ids("users", &heard.expect_code(0).records("users"), &sim.truth().ids("users"));
}
