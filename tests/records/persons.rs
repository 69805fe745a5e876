//! Names and e-mail addresses of persons, hashed or left out: none of them occurs anywhere, in
//! whatever a run prints, and hashed ones can still be joined by.

use std::collections::{BTreeMap, BTreeSet};

use ring::hmac;
use serde_json::{Value, json};
use simulator::{Scenario, Simulator};

use crate::support::airbyte;
use crate::support::crafted::crafted;
use crate::support::{Run, STREAMS, Tap, discovered, polite, rude, same_ids, small, tap};

const KEY: &str = "a long random text: 7f3b9c";

fn hashing(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("personal_data", "hash").set("personal_data_key", KEY)
}

/// What a value becomes, computed once more.
fn hashed(key: &str, value: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, value.trim().to_lowercase().as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names and addresses of all persons of the organization, in small letters.
fn persons(sim: &Simulator) -> BTreeSet<String> {
    let mut persons = BTreeSet::new();
    for (stream, field) in [("users", "email"), ("users", "full_name"), ("invitations", "email")] {
        let records = sim.truth().records(stream).iter();
        persons.extend(records.filter_map(|record| record[field].as_str()).map(str::to_lowercase));
    }
    persons.remove("");
    assert!(persons.len() > 10);
    persons
}

#[track_caller]
fn names_nobody(run: &Run, persons: &BTreeSet<String>) {
    for (name, text) in [("stdout", run.stdout.to_lowercase()), ("stderr", run.stderr.to_lowercase())] {
        let found: Vec<&String> = persons.iter().filter(|person| text.contains(*person)).collect();
        assert!(found.is_empty(), "{name} names {found:?}");
    }
    assert!(!run.stdout.contains(KEY) && !run.stderr.contains(KEY), "the key is said");
}

/// By id, what each record of a stream has in a field.
fn field(records: &[Value], name: &str) -> BTreeMap<String, Value> {
    records.iter().map(|record| (record["id"].as_str().unwrap().to_owned(), record[name].clone())).collect()
}

#[test]
fn with_hashes_no_person_is_named_anywhere() {
    for scenario in [polite(), rude()] {
        let sim = Simulator::start(scenario);
        let persons = persons(&sim);
        let run = hashing(&sim).args(["--log-level", "debug"]).run().expect_code(0);
        names_nobody(&run, &persons);
        for stream in STREAMS {
            same_ids(stream, &run.records(stream), &sim.truth().ids(stream));
        }
        let heard = airbyte::read(hashing(&sim), &airbyte::catalog());
        heard.assert_whole(&sim);
        names_nobody(&heard.run, &persons);
        names_nobody(&airbyte::check(hashing(&sim)).run, &persons);
        names_nobody(&hashing(&sim).arg("--test").run().expect_code(0), &persons);
    }
}

#[test]
fn a_hash_is_the_hmac_of_the_trimmed_lowercase_value() {
    // printf ada@example.com | openssl dgst -sha256 -hmac 0123456789abcdef
    let known = "512383176ce1b4c279ee430548cf07ec0b58efa588517b611c1f0da6d2b9e577";
    assert_eq!(hashed("0123456789abcdef", " Ada@Example.com\n"), known);
    let sim = Simulator::start(polite());
    let run = hashing(&sim).run().expect_code(0);
    for (stream, name) in [("users", "email"), ("users", "full_name"), ("invitations", "email")] {
        let found = field(&run.records(stream), name);
        for truth in sim.truth().records(stream) {
            let Some(value) = truth[name].as_str().filter(|value| !value.is_empty()) else { continue };
            assert_eq!(found[truth["id"].as_str().unwrap()], hashed(KEY, value), "{stream}.{name}: {value}");
        }
    }
}

#[test]
fn users_join_invitations_by_the_hashed_address_as_by_the_address() {
    fn pairs(users: &[Value], invitations: &[Value], plain: bool) -> BTreeSet<(String, String)> {
        let address = |record: &Value| {
            let email = record["email"].as_str().unwrap();
            if plain { email.trim().to_lowercase() } else { email.to_owned() }
        };
        let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
        let mut pairs = BTreeSet::new();
        for user in users {
            let invited = invitations.iter().filter(|invitation| address(invitation) == address(user));
            pairs.extend(invited.map(|invitation| (id(user), id(invitation))));
        }
        pairs
    }
    let sim = Simulator::start(polite());
    let run = hashing(&sim).run().expect_code(0);
    let truth = sim.truth();
    let expected = pairs(truth.records("users"), truth.records("invitations"), true);
    let as_spelled: Vec<&Value> = truth.records("users").iter().map(|user| &user["email"]).collect();
    let other = |record: &&Value| {
        expected.iter().any(|(_, id)| record["id"] == **id) && !as_spelled.contains(&&record["email"])
    };
    assert!(expected.len() > 10, "few users were invited");
    assert!(truth.records("invitations").iter().any(|record| other(&record)), "all are spelled the same");
    assert_eq!(pairs(&run.records("users"), &run.records("invitations"), false), expected);
}

#[test]
fn the_same_key_gives_the_same_hashes_and_another_key_others() {
    let sim = Simulator::start(rude());
    let (one, two) = (hashing(&sim).run().expect_code(0), hashing(&sim).run().expect_code(0));
    let other = hashing(&sim).set("personal_data_key", "quite another text, as long").run().expect_code(0);
    let heard = airbyte::read(hashing(&sim), &airbyte::catalog());
    for stream in ["users", "invitations"] {
        let emails = field(&one.records(stream), "email");
        assert_eq!(emails, field(&two.records(stream), "email"), "{stream}: another run");
        assert_eq!(emails, field(&heard.records(stream), "email"), "{stream}: the other protocol");
        let others = field(&other.records(stream), "email");
        assert!(emails.iter().all(|(id, email)| others[id] != *email), "{stream}: another key");
    }
}

#[test]
fn singer_and_airbyte_bring_the_same_hashes() {
    fn sorted(mut records: Vec<Value>) -> Vec<String> {
        records.sort_by(|one, other| one["id"].as_str().cmp(&other["id"].as_str()));
        records.iter().map(Value::to_string).collect()
    }
    let sim = Simulator::start(rude());
    for mode in ["keep", "hash", "omit"] {
        let singer = hashing(&sim).set("personal_data", mode).run().expect_code(0);
        let heard = airbyte::read(hashing(&sim).set("personal_data", mode), &airbyte::catalog());
        for stream in STREAMS {
            let (one, other) = (sorted(singer.records(stream)), sorted(heard.records(stream)));
            assert_eq!(one.len(), sim.truth().records(stream).len());
            assert!(one == other, "{mode}: {stream} differs");
        }
    }
}

#[test]
fn only_persons_are_hashed() {
    let sim = Simulator::start(polite());
    let run = hashing(&sim).run().expect_code(0).expect_line("INFO", [sim.organization_name()]);
    let names = field(&run.records("service_accounts"), "display_name");
    assert_eq!(names, field(sim.truth().records("service_accounts"), "display_name"));
    for (stream, records) in [("users", run.records("users")), ("invitations", run.records("invitations"))] {
        for name in ["kind", "metadata", "auth_type", "status", "user", "creator"] {
            assert_eq!(field(&records, name), field(sim.truth().records(stream), name), "{stream}.{name}");
        }
    }
}

#[test]
fn absent_and_null_values_stay_so_and_case_does_not_matter() {
    let sim = crafted(
        "users",
        &[
            json!({"id": "u-1", "email": "\t Ada.Ä@Example.ORG \n", "full_name": null}),
            json!({"id": "u-2", "email": "ada.ä@example.org"}),
        ],
    );
    let run = hashing(&sim).run().expect_code(0);
    let users = run.records("users");
    assert_eq!(users[0]["email"], hashed(KEY, "ada.ä@example.org"));
    assert_eq!(users[0]["email"], users[1]["email"]);
    assert_eq!(users[0].get("full_name"), Some(&Value::Null));
    assert_eq!(users[1].get("full_name"), None);
    drop(run);
}

/// A value of another type than declared must not slip through, nor an error quote the record.
#[test]
fn persons_stay_hidden_in_misfit_values_and_in_errors() {
    let hidden = BTreeSet::from(["grace hopper".to_owned(), "grace@example.com".to_owned()]);
    let odd = json!({
        "id": "u-1", "full_name": {"display": "Grace Hopper"}, "email": ["grace@example.com"],
    });
    let broken = json!({"full_name": "Grace Hopper", "email": "grace@example.com"});
    for (record, modes) in [(odd, ["pass", "warn", "fail"]), (broken, ["pass", "warn", "fail"])] {
        let sim = crafted("users", &[record]);
        for mode in modes {
            for personal in ["hash", "omit"] {
                let tap = || {
                    let tap = hashing(&sim).set("personal_data", personal).set("schema_drift", mode);
                    tap.set("streams", json!(["users"]))
                };
                names_nobody(&tap().args(["--log-level", "debug"]).run(), &hidden);
                names_nobody(&tap().arg("--test").run(), &hidden);
                let catalog = airbyte::catalog_of(&["users"], "full_refresh");
                names_nobody(&airbyte::read(tap(), &catalog).run, &hidden);
                names_nobody(&airbyte::check(tap()).run, &hidden);
            }
        }
    }
}

fn omitting(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("personal_data", "omit")
}

#[test]
fn omitted_fields_are_in_neither_schema_nor_record() {
    let sim = Simulator::start(rude());
    let persons = persons(&sim);
    let run = omitting(&sim).run().expect_code(0);
    names_nobody(&run, &persons);
    for (stream, names) in [("users", &["email", "full_name"][..]), ("invitations", &["email"])] {
        same_ids(stream, &run.records(stream), &sim.truth().ids(stream));
        for name in names {
            assert!(run.schemas()[stream]["properties"].get(name).is_none(), "SCHEMA of {stream}: {name}");
            assert!(run.records(stream).iter().all(|record| record.get(name).is_none()), "{stream}.{name}");
        }
    }
    let names = field(&run.records("service_accounts"), "display_name");
    assert_eq!(names, field(sim.truth().records("service_accounts"), "display_name"));
}

#[test]
fn a_catalog_cannot_bring_omitted_fields_back() {
    let sim = Simulator::start(small());
    let persons = persons(&sim);
    let mut catalog = discovered(tap(&sim));
    for entry in catalog["streams"].as_array_mut().unwrap() {
        for metadata in entry["metadata"].as_array_mut().unwrap() {
            metadata["metadata"]["selected"] = json!(true);
        }
    }
    names_nobody(&omitting(&sim).catalog(&catalog).run().expect_code(0), &persons);
    names_nobody(&hashing(&sim).catalog(&catalog).run().expect_code(0), &persons);
    let heard = airbyte::read(omitting(&sim), &airbyte::catalog());
    heard.assert_whole(&sim);
    names_nobody(&heard.run, &persons);
}

#[test]
fn a_hash_needs_a_key_of_sufficient_length() {
    let sim = Simulator::start(small());
    let without = tap(&sim).set("personal_data", "hash").run();
    drop(without.expect_refusal(2, ["personal_data_key"]));
    let short = tap(&sim).set("personal_data", "hash").set("personal_data_key", "0short_key!").run();
    let short = short.expect_refusal(2, ["personal_data_key"]);
    assert!(!short.stderr.contains("0short_key!"), "the key is said");
    drop(tap(&sim).set("personal_data", "blur").run().expect_refusal(2, ["personal_data", "omit"]));
    airbyte::check(tap(&sim).set("personal_data", "hash")).failed(&["personal_data_key"]);
}

#[test]
fn an_unused_hash_key_is_harmless_and_never_printed() {
    let sim = Simulator::start(Scenario::new().users(20).invitations(10));
    let run = tap(&sim).set("personal_data_key", KEY).args(["--log-level", "debug"]).run().expect_code(0);
    assert!(!run.stdout.contains(KEY) && !run.stderr.contains(KEY), "the key is said");
    assert_eq!(field(&run.records("users"), "email"), field(sim.truth().records("users"), "email"));
}
