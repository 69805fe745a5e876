//! API keys: whatever is named as a secret leaves in no form and at no depth, and a key for several
//! clusters is not taken for a key of one.

use serde_json::{Value, json};

use crate::support::airbyte;
use crate::support::crafted::{crafted_text, keys_only, listing};
use crate::support::leaks::keeps;
use crate::support::{lines, tap};

const HUSH: &str = "hush+hush/quiet+as/a+mouse";

/// Records in which every value that is named as a secret begins with `~`, and what is left of them.
const HIDING: [(&str, &str); 9] = [
    (r#"{"id":"K","secret":"~"}"#, r#"{"id":"K"}"#),
    (r#"{"api_secret":"~","id":"K","Password":["~"]}"#, r#"{"id":"K"}"#),
    (
        r#"{"id":"K","spec":{"token":{"a":"~"},"owner":{"TOKEN":"~","id":"u-1"}}}"#,
        r#"{"id":"K","spec":{"owner":{"id":"u-1"}}}"#,
    ),
    (
        r#"{"id":"K","spec":{"resources":[{"api_secret":"~","id":"lkc-1"},{"id":"lkc-2","x":[1.50,{"password":"~"}]}]}}"#,
        r#"{"id":"K","spec":{"resources":[{"id":"lkc-1"},{"id":"lkc-2","x":[1.50,{}]}]}}"#,
    ),
    (
        r#"{"id":"K","x_new":[[{"to\u006ben" : "~","n":1e5, "t":"\u00e9\ud83d" },[ ]], "s"]}"#,
        r#"{"id":"K","x_new":[[{"n":1e5,"t":"\u00e9\ufffd"},[]],"s"]}"#,
    ),
    (
        r#"{"id":"K","spec":{"display_name":{"s\u0065CRET":"~","a":{}}}}"#,
        r#"{"id":"K","spec":{"display_name":{"a":{}}}}"#,
    ),
    (r#"{"id":"K","spec":{"description":[{"password":"~"}]}}"#, r#"{"id":"K","spec":{"description":[{}]}}"#),
    (
        r#"{"id":"K","x_new":{"\ud800":1,"secret":"~"},"y":{"a":{"\udfff":{"token":"~"}}}}"#,
        r#"{"id":"K","x_new":{"�":1},"y":{"a":{"�":{}}}}"#,
    ),
    (
        r#"{"id":"K","x":{"secrets":"a","token_type":"b","password_set":true,"next_token":"c"},"secret_id":"d"}"#,
        r#"{"id":"K","x":{"secrets":"a","token_type":"b","password_set":true,"next_token":"c"},"secret_id":"d"}"#,
    ),
];

#[test]
fn whatever_is_named_as_a_secret_is_dropped_at_every_depth() {
    let secret = HUSH.to_owned();
    for (sent, left) in HIDING {
        let sim = listing(&format!("[{}]", sent.replace('~', HUSH)));
        let left = left.strip_suffix('}').unwrap();
        for drift in ["warn", "pass"] {
            let run = keys_only(&sim).set("schema_drift", drift).run().expect_code(0);
            let heard = airbyte::read(
                keys_only(&sim).set("schema_drift", drift),
                &airbyte::catalog_of(&["api_keys"], "full_refresh"),
            );
            for run in [&run, &heard.run] {
                assert!(
                    run.stdout.contains(&format!("{left},\"organization_id\"")),
                    "{left}: {}",
                    run.stdout
                );
                assert!(!run.stdout.contains(HUSH) && !run.stderr.contains(HUSH));
            }
        }
        let fail = || keys_only(&sim).set("schema_drift", "fail");
        keeps(&fail().run(), std::slice::from_ref(&secret));
        keeps(&airbyte::check(fail()).run, std::slice::from_ref(&secret));
    }
}

#[test]
fn a_dropped_secret_is_not_drift() {
    let spec = json!({"token": HUSH, "owner": {"id": "u-1", "Secret": HUSH}});
    let sim = listing(&json!([{"id": "K", "password": HUSH, "spec": spec}]).to_string());
    for drift in ["warn", "fail"] {
        let run = keys_only(&sim).set("schema_drift", drift).run().expect_code(0);
        assert_eq!(lines(&run, &["WARN api_keys"]), 0, "{}", run.stderr);
        assert_eq!(run.records("api_keys")[0]["spec"], json!({"owner": {"id": "u-1"}}));
    }
}

#[test]
fn streams_without_secrets_keep_fields_with_such_names() {
    let user = r#"{"id":"u-1","token":"a","x":{"secret":[ 1.0 ]}}"#;
    let run = tap(&crafted_text("users", &format!("[{user}]"))).run().expect_code(0);
    assert!(run.stdout.contains(user.strip_suffix('}').unwrap()), "{}", run.stdout);
}

#[test]
fn a_key_for_several_clusters_names_no_single_resource() {
    let cluster = |id: &str| json!({"id": id, "kind": "Cluster", "environment": "env-1"});
    let one = json!(["lkc-1", "Cluster", "env-1"]);
    let none = json!([null, null, null]);
    let cases = [
        (json!({"resource": cluster("lkc-1"), "resources": [cluster("lkc-1"), cluster("lkc-2")]}), &none),
        (json!({"resources": [cluster("lkc-1"), cluster("lkc-2")], "resource": cluster("lkc-1")}), &none),
        (json!({"resource": cluster("lkc-1"), "resources": [cluster("lkc-1")]}), &one),
        (json!({"resource": cluster("lkc-1"), "resources": []}), &one),
        (json!({"resource": cluster("lkc-1"), "resources": null}), &one),
        (json!({"resource": cluster("lkc-1")}), &one),
    ];
    let keys: Vec<Value> =
        cases.iter().enumerate().map(|(i, (spec, _))| json!({"id": format!("K{i}"), "spec": spec})).collect();
    let sim = listing(&Value::from(keys).to_string());
    let run = keys_only(&sim).run().expect_code(0);
    let heard = airbyte::read(keys_only(&sim), &airbyte::catalog_of(&["api_keys"], "full_refresh"));
    for found in [run.records("api_keys"), heard.records("api_keys")] {
        for (record, (spec, expected)) in found.iter().zip(&cases) {
            let columns = ["resource_id", "resource_kind", "environment_id"].map(|name| record[name].clone());
            assert_eq!((&Value::from(columns.to_vec()), &record["spec"]), (*expected, spec));
        }
    }
}
