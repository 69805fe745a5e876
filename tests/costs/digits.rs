//! What a line is: every digit as the service wrote it, and a key made of what says which line it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use simulator::Simulator;

use super::{COSTS, TODAY, before, billed, costs, same_lines, truth};
use crate::support::airbyte;
use crate::support::crafted::crafted_text;
use crate::support::tap;

#[test]
fn numbers_are_passed_on_with_every_digit_that_the_service_wrote() {
    let line = r#"{"start_date":"2026-05-08","end_date":"2026-05-09","granularity":"DAILY","product":"KAFKA","line_type":"KAFKA_STORAGE","unit":"GB","price":0.000123456789,"quantity":1E-7,"original_amount":12345678901234567890.123456789012,"discount_amount":-1.50,"amount":0.10000000000000000000001,"description":"x"}"#;
    let sim = crafted_text(COSTS, &format!("[{line}]"));
    let run = tap(&sim).set("streams", json!([COSTS])).set("start_date", "2026-05-08").on("2026-05-09").run();
    let run = run.expect_code(0);
    assert!(run.stdout.contains(line.trim_end_matches('}')), "it is another text");
    let heard = airbyte::read(
        tap(&sim).set("streams", json!([COSTS])).set("start_date", "2026-05-08").on("2026-05-09"),
        &airbyte::catalog_of(&[COSTS], "incremental"),
    );
    assert!(heard.run.stdout.contains(line.trim_end_matches('}')), "it is another text");
}

/// What says which line it is. An empty text is as good as none.
fn named(record: &Value) -> Vec<&str> {
    let fields = [
        "/start_date",
        "/end_date",
        "/granularity",
        "/product",
        "/line_type",
        "/network_access_type",
        "/unit",
        "/resource/id",
        "/resource/environment/id",
    ];
    fields.iter().map(|field| record.pointer(field).and_then(Value::as_str).unwrap_or_default()).collect()
}

#[test]
fn a_key_is_a_digest_and_a_number_among_equals() {
    let sim = Simulator::start(billed().billing_costs(24));
    let run = costs(&sim).run().expect_code(0);
    let (mut digests, mut groups) = (BTreeMap::new(), BTreeMap::<_, Vec<u64>>::new());
    let records = run.records(COSTS);
    for record in &records {
        let id = record["cost_id"].as_str().unwrap();
        assert!(id.len() <= 255 && !record["organization_id"].is_null());
        let (digest, number) = id.rsplit_once('-').unwrap();
        assert!(digest.len() >= 16 && digest.chars().all(|digit| digit.is_ascii_alphanumeric()), "{id}");
        let name = named(record);
        let before = digests.insert(digest.to_owned(), name.clone());
        assert!(before.is_none_or(|before| before == name), "two things share a digest");
        groups.entry(name).or_default().push(number.parse().unwrap());
    }
    assert_eq!(digests.len(), groups.len(), "one thing has two digests");
    assert!(groups.values().any(|numbers| numbers.len() > 2));
    for (name, numbers) in groups {
        assert_eq!(
            numbers,
            (0..numbers.len() as u64).collect::<Vec<_>>(),
            "{name:?}: in the order in which they come"
        );
    }
}

#[test]
fn keys_are_the_same_whatever_the_page_size_the_start_and_the_language() {
    let sim = Simulator::start(billed().billing_costs(24));
    let of = |records: Vec<Value>| {
        let row = |record: &Value| (record["description"].to_string(), record["cost_id"].to_string());
        records.iter().map(row).collect::<BTreeSet<_>>()
    };
    let start = before(TODAY, 40);
    let tap = |size: u64| costs(&sim).set("page_size", size);
    let all = of(tap(1000).run().expect_code(0).records(COSTS));
    let later = of(tap(3).set("start_date", start.as_str()).run().expect_code(0).records(COSTS));
    assert!(!later.is_empty() && later.is_subset(&all));
    let heard = airbyte::read(tap(7), &airbyte::catalog_of(&[COSTS], "full_refresh"));
    assert_eq!(of(heard.records(COSTS)), all);
}

/// One line with some fields changed.
fn line(changes: &Value) -> Value {
    let mut line = json!({
        "start_date": "2026-05-08", "end_date": "2026-05-09", "granularity": "DAILY", "product": "KAFKA",
        "line_type": "KAFKA_STORAGE", "unit": "GB", "price": 1, "quantity": 2, "original_amount": 2,
        "discount_amount": 0, "amount": 2, "network_access_type": "INTERNET", "description": "storage",
        "tier_dimensions": {"tier": "1"},
        "resource": {"id": "lkc-1", "display_name": "orders", "environment": {"id": "env-1"}},
    });
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            line.as_object_mut().unwrap().shift_remove(name);
        } else {
            line[name] = value.clone();
        }
    }
    line
}

fn keys_of(lines: &[Value]) -> Vec<String> {
    let sim = crafted_text(COSTS, &Value::from(lines).to_string());
    let run = tap(&sim).set("streams", json!([COSTS])).set("start_date", "2026-05-08").on("2026-05-09").run();
    let records = run.expect_code(0).records(COSTS);
    assert_eq!(records.len(), lines.len());
    records.iter().map(|record| record["cost_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_gets_corrected_is_no_part_of_a_key() {
    let corrected = [
        json!({}),
        json!({"price": 1.5}),
        json!({"quantity": 0, "amount": -1E-7}),
        json!({"original_amount": 3, "discount_amount": 1}),
        json!({"description": "absent"}),
        json!({"tier_dimensions": {"tier": "2"}}),
        json!({"resource": {"environment": {"id": "env-1"}, "display_name": "payments", "id": "lkc-1"}}),
        json!({"x_new": true}),
    ];
    let keys = keys_of(&corrected.map(|changes| line(&changes)));
    let digests: BTreeSet<&str> = keys.iter().map(|key| key.rsplit_once('-').unwrap().0).collect();
    assert_eq!(digests.len(), 1, "{keys:?}");
    let numbers: Vec<&str> = keys.iter().map(|key| key.rsplit_once('-').unwrap().1).collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn each_part_that_says_which_line_it_is_makes_another_key() {
    let others = [
        json!({}),
        json!({"start_date": "2026-05-07"}),
        json!({"end_date": "2026-05-10"}),
        json!({"granularity": "MONTHLY"}),
        json!({"product": "KSQL"}),
        json!({"product": "KAFKAKAFKA_STORAGE", "line_type": ""}),
        json!({"line_type": "KAFKA_BASE"}),
        json!({"unit": "GB-hour"}),
        json!({"unit": "absent"}),
        json!({"unit": "INTERNET", "network_access_type": "GB"}),
        json!({"network_access_type": "absent"}),
        json!({"resource": "absent"}),
        json!({"resource": {"id": "lkc-2", "environment": {"id": "env-1"}}}),
        json!({"resource": {"id": "lkc-1", "environment": {"id": "env-2"}}}),
        json!({"resource": {"id": "lkc-1"}}),
        json!({"resource": {"environment": {"id": "lkc-1"}}}),
    ];
    let keys = keys_of(&others.clone().map(|changes| line(&changes)));
    let unlike: BTreeSet<&str> = keys.iter().map(|key| key.rsplit_once('-').unwrap().0).collect();
    assert_eq!(unlike.len(), others.len(), "{keys:?}");
    assert!(keys.iter().all(|key| key.ends_with("-0")), "{keys:?}");
}

#[test]
fn a_field_that_is_null_is_as_good_as_absent_in_a_key() {
    let keys = keys_of(&[
        line(&json!({"resource": "absent"})),
        line(&json!({"resource": null})),
        line(&json!({"resource": {"id": null, "environment": null}})),
    ]);
    let digests: BTreeSet<&str> = keys.iter().map(|key| key.rsplit_once('-').unwrap().0).collect();
    assert_eq!(digests.len(), 1, "{keys:?}");
}

#[test]
fn what_is_derived_is_null_where_there_is_no_resource() {
    let sim = Simulator::start(billed().billing_costs(12));
    let run = costs(&sim).run().expect_code(0);
    let records = run.records(COSTS);
    let without = |record: &&Value| record["resource"].is_null();
    let of_support = records.iter().filter(without).count();
    assert!(of_support > 0 && of_support < records.len());
    for record in records.iter().filter(without) {
        for name in ["resource_id", "resource_name", "environment_id"] {
            assert_eq!(record.get(name), Some(&Value::Null), "{name}");
        }
    }
    same_lines(&sim, &records, &truth(&sim, ""));
}
