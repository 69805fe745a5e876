//! Answers that no client should take for a list: errors beside data, and lists without end.

use std::collections::HashSet;

use serde_json::Value;
use simulator::{At, Fault, Scenario, Simulator};

use crate::client::{encode, flat, get, next, organization};

#[test]
fn a_page_may_tell_of_errors_with_and_without_its_rows() {
    let sim = Simulator::start(Scenario::new().polite());
    let users = || get(&sim, "/iam/v2/users");
    let good = users().json();
    sim.add_fault(Fault::errors_page(503), At::stream("users").nth(1));
    let answer = users();
    assert_eq!((answer.status, &answer.json()["data"]), (200, &Value::Null));
    assert_eq!(answer.json()["errors"][0]["status"], "503");
    sim.add_fault(Fault::RowsAndErrors(500), At::stream("users").nth(1));
    let page = users().json();
    assert_eq!((&page["data"], &page["errors"][0]["status"]), (&good["data"], &"500".into()));
    sim.add_fault(Fault::far_reset(), At::stream("users").nth(1));
    let answer = users();
    assert_eq!(answer.status, 502);
    assert!(answer.head.contains("X-RateLimit-Reset: 3600\r\n"));
    assert_eq!(users().json()["data"], good["data"]);
}

/// Fifty pages in a row: the ids on them.
fn fifty(sim: &Simulator, path: &str) -> Vec<String> {
    let (mut ids, mut tokens, mut place) = (Vec::new(), HashSet::new(), String::new());
    while tokens.len() < 50 {
        let answer = get(sim, &format!("{path}page_size=20{place}"));
        if answer.status == 429 || answer.status == 503 {
            continue;
        }
        let page = answer.json();
        let rows = page["data"].as_array().into_iter().flatten();
        ids.extend(rows.map(|row| row["id"].as_str().unwrap().to_owned()));
        let token = next(&page).expect("a next link");
        place = format!("&page_token={}", encode(&token));
        assert!(tokens.insert(token), "{path}: a token that has been seen");
    }
    ids
}

#[test]
fn endless_lists_bring_ever_new_tokens_and_rows_or_none() {
    for scenario in [Scenario::new().polite(), Scenario::new()] {
        let sim = Simulator::start(scenario.users(5).environments(0).invitations(0));
        let top = encode(&organization(&sim));
        let own = format!("/iam/v2/role-bindings?crn_pattern={top}&principal=User%3Ax&");
        let provider = sim.truth().ids("identity_providers").swap_remove(0);
        let mut paths: Vec<String> = flat().map(|stream| format!("{}?", stream.path)).collect();
        paths.extend([
            format!("/iam/v2/role-bindings?crn_pattern={top}&"),
            own,
            format!("/iam/v2/identity-providers/{provider}/identity-pools?"),
        ]);
        for path in paths {
            sim.add_fault(Fault::EndlessEmpty, At::any());
            assert_eq!(fifty(&sim, &path), [] as [String; 0], "{path}");
            sim.clear_faults();
            sim.add_fault(Fault::EndlessRows, At::any());
            let ids = fifty(&sim, &path);
            let different: HashSet<&String> = ids.iter().collect();
            assert_eq!((ids.len(), different.len()), (1000, 1000), "{path}");
            sim.clear_faults();
        }
    }
}

#[test]
fn faults_meet_a_map_as_they_meet_a_page() {
    let sim = Simulator::start(Scenario::new().polite());
    let home = sim.truth().homes("connectors").swap_remove(0);
    let path = format!("/connect/v1/environments/{}/clusters/{}/connectors?expand=id", home[0], home[1]);
    sim.add_fault(Fault::RowsAndErrors(500), At::stream("connectors").nth(1));
    let map = get(&sim, &path).json();
    assert_eq!((map.as_object().unwrap().len(), &map["errors"][0]["status"]), (3, &"500".into()));
    sim.add_fault(Fault::errors(503, "later"), At::stream("connectors").nth(1));
    assert_eq!(get(&sim, &path).status, 503);
    assert_eq!(get(&sim, &path).json().as_object().unwrap().len(), 2);
    assert!(sim.requests().iter().all(|request| request.stream.as_deref() == Some("connectors")));
}
