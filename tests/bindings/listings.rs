//! Role bindings that one listing of the organization brings and the other does not: nothing is left
//! out because another listing must have had it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::pretend::{Asked, CRN, KEY, Pretend, Reply, binding, ordinary};
use crate::support::{Message, Run, ids_of};

/// A service whose two listings of role bindings bring these, as ids and what is below the organization.
fn listings(bare: &[(&str, &str)], nested: &[(&str, &str)]) -> Pretend {
    let rows = |rows: &[(&str, &str)]| -> Vec<Value> {
        rows.iter().map(|(id, below)| binding(id, &format!("{CRN}{below}"))).collect()
    };
    let (bare, nested) = (rows(bare), rows(nested));
    Pretend::start(move |asked| match (asked.path.as_str(), asked.parameter("crn_pattern")) {
        ("/iam/v2/role-bindings", Some(pattern)) if pattern.ends_with("/*") => {
            Reply::page(nested.clone(), None)
        }
        ("/iam/v2/role-bindings", _) => Reply::page(bare.clone(), None),
        _ => ordinary(asked),
    })
}

fn only(service: &Pretend) -> Run {
    service.tap().set("streams", json!(["role_bindings"])).set("emit_activate_version", true).run()
}

const ENVIRONMENT: &str = "/environment=env-1";

#[test]
fn organization_bindings_found_only_by_the_nested_listing_are_kept() {
    let both = [("rb-1", ""), ("rb-2", ENVIRONMENT)];
    for (bare, nested, expected) in [
        // Granted between the two listings, or shifted while paging.
        (&[("rb-1", "")][..], &[("rb-1", ""), ("rb-new", ""), ("rb-2", ENVIRONMENT)][..], 3),
        (&[], &both, 2),
        (&[("rb-1", "")], &[("rb-new", "")], 2),
        (&[("rb-1", "")], &[], 1),
        (&[("rb-1", "")], &both, 2),
    ] {
        let run = only(&listings(bare, nested)).expect_code(0);
        let records = run.records("role_bindings");
        assert_eq!((records.len(), ids_of(&records).len()), (expected, expected), "{bare:?} {nested:?}");
    }
}

#[test]
fn only_a_binding_in_an_environment_proves_a_bare_listing_whole() {
    for (below, asks_on) in [
        (ENVIRONMENT, false),
        ("/environment=env-1/cloud-cluster=lkc-1/kafka=lkc-1/topic=x", false),
        ("/environment=env-1/flink-region=aws.us-east-1", false),
        ("", true),
        ("/identity-provider=op-1", true),
        ("/service-account=sa-1", true),
        ("/something-new=x", true),
        ("/*", true),
        ("/environment=*", true),
    ] {
        let service = listings(&[("rb-1", ""), ("rb-3", below)], &[("rb-2", ENVIRONMENT)]);
        let run = only(&service).expect_code(0);
        assert_eq!(run.ids("role_bindings").contains(&"rb-2".to_owned()), asks_on, "{below}");
    }
}

/// A bare listing of two pages, whose second is refused or cut short as the test says.
fn paged(second: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> Pretend {
    let asked_before = AtomicUsize::new(0);
    Pretend::start(move |asked: &Asked| {
        let is_bare = asked.parameter("crn_pattern") == Some(CRN);
        if asked.path != "/iam/v2/role-bindings" || asked.parameter("principal").is_some() {
            return ordinary(asked);
        }
        match (is_bare, asked.parameter("page_token")) {
            (true, None) => Reply::page([binding("rb-1", CRN)], Some("second")),
            (true, Some(_)) => {
                let count = asked_before.fetch_add(1, Ordering::SeqCst);
                second(count).unwrap_or_else(|| Reply::page([binding("rb-2", CRN)], None))
            }
            (false, _) => Reply::page(["rb-1", "rb-2", "rb-3"].map(|id| binding(id, CRN)), None),
        }
    })
}

#[test]
fn after_a_resume_the_nested_listing_is_emitted_whole() {
    let service = paged(|count| (count == 0).then(|| Reply::new(503, "")));
    let tap = || service.tap().set("streams", json!(["role_bindings"])).set("max_retries", 0);
    let first = tap().run().expect_code(4);
    assert_eq!(first.ids("role_bindings"), ["rb-1"]);
    let run = tap().state(&first.last_state().unwrap()).run().expect_code(0);
    assert_eq!(run.ids("role_bindings"), ["rb-2", "rb-1", "rb-2", "rb-3"]);
}

#[test]
fn a_restart_emits_everything_again_under_a_later_version() {
    let service = paged(|count| (count == 0).then(|| Reply::new(410, "{}")));
    let run = only(&service).expect_code(0);
    assert_eq!(run.ids("role_bindings"), ["rb-1", "rb-1", "rb-2", "rb-3"]);
    let versions: Vec<u64> = run
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Record { version, .. } => *version,
            _ => None,
        })
        .collect();
    assert!(versions[0] < versions[1] && versions[1..].iter().all(|other| *other == versions[1]));
    let activated = |message: &Message| matches!(message, Message::ActivateVersion { version, .. } if *version == versions[1]);
    assert!(run.messages.iter().any(activated));
}

#[test]
fn a_refused_nested_listing_loses_no_binding_of_an_environment() {
    // Exact listings of environments, in which a schema registry proves nothing.
    let service = Pretend::start(|asked| match asked.parameter("crn_pattern") {
        _ if asked.path != "/iam/v2/role-bindings" || asked.parameter("principal").is_some() => {
            ordinary(asked)
        }
        Some(CRN) => Reply::page([binding("rb-1", CRN)], None),
        Some(pattern) if pattern == format!("{CRN}/*") => Reply::new(403, "{}"),
        Some(pattern) => match pattern.strip_suffix("/*") {
            None => Reply::page(
                [binding("rb-2", pattern), binding("rb-3", &format!("{pattern}/schema-registry=lsrc-1"))],
                None,
            ),
            Some(scope) => Reply::page(
                [binding("rb-2", scope), binding("rb-4", &format!("{scope}/cloud-cluster=lkc-1"))],
                None,
            ),
        },
        None => Reply::new(400, "{}"),
    });
    let run = only(&service).expect_code(3).expect_line("ERROR", ["role_bindings", "may be missing"]);
    assert_eq!(run.ids("role_bindings"), ["rb-1", "rb-2", "rb-3", "rb-4"]);
    assert!(!run.stdout.contains("ACTIVATE_VERSION"));
    assert!(!run.stdout.contains(KEY));
}
