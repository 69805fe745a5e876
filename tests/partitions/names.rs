//! Names of partitions in a state: those that are known are gone on from, also in states of the version
//! before; any other starts the stream over with a warning.

use serde_json::{Value, json};
use simulator::{BindingsServer, Request, Simulator};

use crate::support::partitions::{asked, nested, order, reading};
use crate::support::{Run, assert_whole_of, middling, stopped, tap};

/// A state in which the bookmark of a stream names that partition, and that page token.
fn at(state: &Value, stream: &str, partition: impl Into<Value>, token: impl Into<Value>) -> Value {
    let mut state = state.clone();
    state["bookmarks"][stream]["partition"] = partition.into();
    state["bookmarks"][stream]["page_token"] = token.into();
    state
}

/// A state in the middle of a stream.
fn middle(sim: &Simulator, stream: &str) -> Value {
    stopped(reading(sim, &[stream]), sim, &[stream], 3).last_state().unwrap()
}

fn warnings(run: &Run) -> usize {
    run.stderr.lines().filter(|line| line.starts_with("WARN")).count()
}

/// The stream is read whole from its first page, after one warning, whether there is a page token or none.
#[track_caller]
fn starts_over(sim: &Simulator, stream: &str, state: &Value, partition: &str) {
    for token in [Value::Null, "a-token".into()] {
        let state = at(state, stream, partition, token);
        let run = reading(sim, &[stream]).state(&state).run().expect_code(0);
        let run = run.expect_line("WARN", [stream, "names a partition that no longer exists"]);
        assert_eq!(warnings(&run), 1, "{stream}, {partition:?}");
        assert_whole_of(&run, sim, &[stream]);
    }
}

#[test]
fn a_stream_of_one_listing_resumes_only_without_a_partition() {
    let sim = Simulator::start(nested());
    let state = middle(&sim, "users");
    let token = state["bookmarks"]["users"]["page_token"].clone();
    let run = reading(&sim, &["users"]).state(&at(&state, "users", Value::Null, token.clone())).run();
    assert_eq!(run.asked("users")[0].parameter("page_token"), token.as_str());
    assert_eq!(warnings(&run.expect_code(0)), 0);
    for name in
        ["", "organization", "organization+", "organization/*", "env-1", "env-1/lkc-1", "+", "*", "/*"]
    {
        starts_over(&sim, "users", &state, name);
    }
}

#[test]
fn a_child_resumes_only_at_the_whole_name_of_a_partition() {
    let sim = Simulator::start(nested());
    for stream in ["kafka_clusters", "identity_pools", "connectors"] {
        let (state, order) = (middle(&sim, stream), order(&sim, stream));
        let known = &order[1];
        let run = reading(&sim, &[stream]).state(&at(&state, stream, known.as_str(), Value::Null)).run();
        let run = run.expect_code(0);
        assert_eq!((asked(&run, stream).as_slice(), warnings(&run)), (&order[1..], 0));
        let (first, last) = (known.split('/').next().unwrap(), known.split('/').next_back().unwrap());
        let other = order.last().unwrap().split('/').next_back().unwrap();
        for name in [
            "",
            "organization",
            "organization+",
            "organization/*",
            "+",
            "*",
            "/*",
            "/",
            "a/b/c",
            "env-",
            "env-1/lkc-1",
            &known.to_uppercase(),
            &format!("{known}+"),
            &format!("{known}/*"),
            &format!("{known}/"),
            &format!("/{known}"),
            &format!("{known}/{last}"),
            &format!("{first}//{last}"),
            &format!("{first}/{other}x"),
            &known.replacen('-', "%2D", 1),
        ] {
            starts_over(&sim, stream, &state, name);
        }
    }
    // One level of two, and a cluster that is in another environment.
    let (state, order) = (middle(&sim, "connectors"), order(&sim, "connectors"));
    let ids = |place: usize| order[place].split_once('/').unwrap();
    for name in [ids(0).0, ids(0).1, &format!("{}/{}", ids(0).0, ids(order.len() - 1).1)] {
        starts_over(&sim, "connectors", &state, name);
    }
}

/// What the first listing of role bindings is narrowed to, without the organization.
fn scope(sim: &Simulator, run: &Run) -> String {
    let listing = |request: &&Request| request.parameter("principal").is_none();
    let first = run.asked("role_bindings").into_iter().find(listing).unwrap();
    let pattern = first.parameter("crn_pattern").unwrap();
    pattern.split_once(sim.organization_id()).unwrap().1.to_owned()
}

/// All names that the version before gave to the listings of role bindings.
#[test]
fn role_bindings_resume_at_each_name_of_the_version_before() {
    let sim = middling();
    let state = middle(&sim, "role_bindings");
    let env = sim.truth().ids("environments").into_iter().min().unwrap();
    let (of_env, plus, nested) = (format!("/environment={env}"), format!("{env}+"), format!("{env}/*"));
    let of_env_nested = format!("{of_env}/*");
    for (name, narrowed, code) in [
        ("organization", "", 0),
        ("organization+", "", 0),
        ("organization/*", "/*", 0),
        // Environment by environment is how it is read where the whole is refused, which is a failure.
        (&env, &of_env, 3),
        (&plus, &of_env, 3),
        (&nested, &of_env_nested, 3),
    ] {
        let state = at(&state, "role_bindings", name, Value::Null);
        let run = reading(&sim, &["role_bindings"]).state(&state).run().expect_code(code);
        assert_eq!(scope(&sim, &run), narrowed, "{name}");
        assert!(!run.says("WARN", &["from the first page"]), "{name} is started over");
    }
}

#[test]
fn role_bindings_start_over_at_any_other_name() {
    for server in [BindingsServer::Inclusive, BindingsServer::NestedOnly] {
        let sim = Simulator::start(nested().bindings(server).refuse("api_keys"));
        let state = middle(&sim, "role_bindings");
        let env = sim.truth().ids("environments").into_iter().min().unwrap();
        let names = [
            "",
            "+",
            "*",
            "/*",
            "/+",
            "/",
            "a/b/c",
            "env-1",
            "env-1+",
            "env-1/*",
            "env-1/lkc-1",
            "organization/",
            "organization*",
            "organization/+",
            "organization/*+",
            "organization+/*",
            "organization++",
            "ORGANIZATION",
            "/organization",
            "organization/*/*",
        ];
        for name in names {
            starts_over_bindings(&sim, &state, name);
        }
        for odd in ["*", "/", "/+", "//*", "+/*", "/lkc-1", "/lkc-1/*"] {
            starts_over_bindings(&sim, &state, &format!("{env}{odd}"));
        }
    }
}

/// As `starts_over`, but that the look-up of the key's owner, which is refused, warns too.
#[track_caller]
fn starts_over_bindings(sim: &Simulator, state: &Value, name: &str) {
    let state = at(state, "role_bindings", name, Value::Null);
    let run = reading(sim, &["role_bindings"]).state(&state).run().expect_code(0);
    assert!(run.says("WARN", &["role_bindings", "names a partition that no longer exists"]), "{name:?}");
    assert_eq!(scope(sim, &run), "", "{name:?}");
    assert_whole_of(&run, sim, &["role_bindings"]);
}

/// A bookmark of the version before, of which its partition was the environment.
#[test]
fn a_bookmark_of_clusters_of_the_version_before_is_gone_on_from() {
    let sim = Simulator::start(nested());
    let before = stopped(reading(&sim, &["kafka_clusters"]), &sim, &["kafka_clusters"], 2);
    let bookmark = before.bookmark("kafka_clusters");
    let keys: Vec<&String> = bookmark.as_object().unwrap().keys().collect();
    assert_eq!(bookmark["partition"], order(&sim, "kafka_clusters")[1]);
    let seven = [
        "organization_id",
        "api_key_hash",
        "partition",
        "page_token",
        "started_at",
        "records",
        "last_records",
    ];
    assert_eq!(keys, seven);
    let run = tap(&sim).set("streams", json!(["kafka_clusters"])).state(&before.last_state().unwrap()).run();
    assert_eq!(asked(&run.expect_code(0), "kafka_clusters"), order(&sim, "kafka_clusters")[1..]);
}
