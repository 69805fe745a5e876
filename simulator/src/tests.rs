//! What a client gets of the listings that are narrowed to the records of another, and what they
//! have in common with the truth; below, what the records are.

mod access;
mod bindings;
mod clusters;
mod connectors;
mod costs;
mod identities;
mod keys;
mod places;

use super::*;
use crate::http::{Answer, Head};
use crate::page::Twist;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// An organization of the streams that are served.
fn organization(scenario: Scenario) -> Organization {
    Organization::new(scenario, STREAMS)
}

/// Every record that a stream would have, were none deleted.
fn made(org: &Organization, stream: &str) -> Vec<Value> {
    let record = |index| serde_json::from_str(&org.record(org.row(stream, index))).unwrap();
    (0..org.count(stream)).map(record).collect()
}

const CLUSTERS: &str = "/cmk/v2/clusters";

fn get(sim: &Simulator, target: &str) -> Answer {
    let key = STANDARD.encode(format!("{}:{}", sim.api_key(), sim.api_secret()));
    let head = format!("GET {target} HTTP/1.1\r\nAuthorization: Basic {key}\r\n\r\n");
    sim.shared.service.answer(&Head::read(&head).unwrap(), Twist::None)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn environment(sim: &Simulator, number: usize) -> String {
    sim.truth().ids("environments").swap_remove(number)
}

fn clusters(sim: &Simulator, environment: &str) -> Vec<Value> {
    read(sim, &format!("{CLUSTERS}?environment={environment}&page_size=4"))
}

/// The answer after a rude service's hiccups.
fn patient(sim: &Simulator, target: &str) -> Answer {
    loop {
        let answer = get(sim, target);
        if answer.status != 429 && answer.status != 503 {
            return answer;
        }
    }
}

fn read(sim: &Simulator, path: &str) -> Vec<Value> {
    let (mut rows, mut place) = (Vec::new(), String::new());
    loop {
        let answer = patient(sim, &format!("{path}{place}"));
        assert_eq!(answer.status, 200);
        let page = json(&answer);
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
        let next = page["metadata"]["next"].as_str().unwrap_or_default();
        let Some((_, query)) = next.split_once("page_token=") else {
            return rows;
        };
        place = format!("&page_token={}", query.split('&').next().unwrap());
    }
}

#[test]
fn the_clusters_of_all_environments_are_the_truth_however_rude() {
    for seed in 0..12 {
        let sim = Simulator::start(Scenario::new().seed(seed).kafka_clusters(11));
        let all: Vec<Value> = (0..3).flat_map(|number| clusters(&sim, &environment(&sim, number))).collect();
        assert_eq!((all.len(), all.as_slice()), (33, sim.truth().records("kafka_clusters")));
    }
    let none = Simulator::start(Scenario::new().kafka_clusters(0));
    assert_eq!(clusters(&none, &environment(&none, 0)), [] as [Value; 0]);
    assert_eq!(none.truth().count("kafka_clusters"), 0);
}

#[test]
fn a_polite_link_to_more_clusters_has_the_token_first() {
    let sim = Simulator::start(Scenario::new().kafka_clusters(25).polite());
    let env = environment(&sim, 1);
    let page = json(&get(&sim, &format!("{CLUSTERS}?environment={env}")));
    assert_eq!((&page["kind"], page["data"].as_array().unwrap().len()), (&"ClusterList".into(), 10));
    let next = page["metadata"]["next"].as_str().unwrap();
    assert!(next.starts_with("https://api.confluent.cloud/cmk/v2/clusters?page_token="), "{next}");
    assert!(next.ends_with(&format!("&environment={env}")), "{next}");
    let target = next.trim_start_matches("https://api.confluent.cloud");
    assert_eq!(get(&sim, target).status, 200);
    let other = target.replace(&env, &environment(&sim, 0));
    assert_eq!(get(&sim, &other).status, 400, "the token of another environment");
}

#[test]
fn an_environment_must_be_named_and_exist() {
    let sim = Simulator::start(Scenario::new().polite());
    for target in [CLUSTERS.to_owned(), format!("{CLUSTERS}?environment=&page_size=9")] {
        let answer = get(&sim, &target);
        let error = json(&answer)["errors"][0].clone();
        assert_eq!((answer.status, &error["source"]["parameter"]), (400, &"environment".into()));
    }
    let answer = get(&sim, &format!("{CLUSTERS}?environment=env-nosuch"));
    let error = json(&answer)["errors"][0].clone();
    assert_eq!((answer.status, &error["title"], error.get("detail")), (404, &"Not Found".into(), None));
    let id = sim.truth().ids("kafka_clusters").swap_remove(0);
    let one = |query: &str| get(&sim, &format!("{CLUSTERS}/{id}{query}")).status;
    assert_eq!(one(&format!("?environment={}", environment(&sim, 0))), 200);
    assert_eq!(one(&format!("?environment={}", environment(&sim, 1))), 404);
    assert_eq!(one(""), 400);
}

#[test]
fn quotas_are_listed_for_the_scope_that_must_be_named() {
    let sim = Simulator::start(Scenario::new().polite());
    let quotas = |query: &str| get(&sim, &format!("/service-quota/v1/applied-quotas{query}"));
    for query in ["", "?scope=", "?id=iam.max_environments.per_org"] {
        let answer = quotas(query);
        let parameter = json(&answer)["errors"][0]["source"]["parameter"].clone();
        assert_eq!((answer.status, parameter), (400, "scope".into()), "{query}");
    }
    let count = |query: &str| json(&quotas(query))["data"].as_array().unwrap().len();
    assert_eq!((count("?scope=ORGANIZATION"), count("?scope=NETWORK")), (5, 0));
}

#[test]
fn clusters_are_narrowed_to_a_network_and_by_nothing_unknown() {
    let sim = Simulator::start(Scenario::new().seed(2).kafka_clusters(60).polite());
    let env = environment(&sim, 0);
    let network = sim.truth().records("kafka_clusters")[..60]
        .iter()
        .find_map(|row| row["spec"]["network"]["id"].as_str())
        .unwrap();
    let found = clusters(&sim, &format!("{env}&spec.network={network}"));
    assert!(!found.is_empty() && found.len() < 60);
    assert!(found.iter().all(|row| row["spec"]["network"]["id"] == network));
    assert_eq!(clusters(&sim, &format!("{env}&colour=red")).len(), 60);
}

#[test]
fn the_clusters_of_one_environment_or_of_all_are_refused() {
    let status = |sim: &Simulator| {
        [0, 1, 2].map(|number| {
            let env = environment(sim, number);
            get(sim, &format!("{CLUSTERS}?environment={env}")).status
        })
    };
    let scenario = || Scenario::new().seed(8).polite();
    assert_eq!(status(&Simulator::start(scenario().refuse("kafka_clusters"))), [403; 3]);
    assert_eq!(status(&Simulator::start(scenario().refuse("kafka_clusters/#1"))), [200, 403, 200]);
    let env = environment(&Simulator::start(scenario()), 2);
    let sim = Simulator::start(scenario().refuse(&format!("kafka_clusters/{env}")));
    assert_eq!(status(&sim), [200, 200, 403]);
    let answer = get(&sim, &format!("{CLUSTERS}?environment={env}"));
    assert_eq!(json(&answer)["errors"][0]["code"], "forbidden_access");
    assert_eq!(sim.truth().count("kafka_clusters"), 6);
}

#[test]
fn clusters_go_by_themselves_or_with_their_environment() {
    let mut sim = Simulator::start(Scenario::new().polite());
    let before = sim.truth().records("kafka_clusters").to_vec();
    let env = environment(&sim, 2);
    assert_eq!(clusters(&sim, &env), before[4..]);
    assert_eq!(sim.delete("kafka_clusters", 1), [before[5]["id"].as_str().unwrap()]);
    assert_eq!(sim.truth().records("kafka_clusters"), &before[..5]);
    assert_eq!(clusters(&sim, &env), before[4..5]);
    assert_eq!(sim.delete("environments", 1), [env.as_str()]);
    assert_eq!(get(&sim, &format!("{CLUSTERS}?environment={env}")).status, 404);
    assert_eq!((sim.truth().count("kafka_clusters"), sim.truth().ids("kafka_clusters").len()), (4, 4));
    assert_eq!((sim.truth().count("connectors"), sim.truth().ids("connectors").len()), (8, 8));
    assert_eq!(sim.truth().records("kafka_clusters"), &before[..4]);
    assert_eq!(clusters(&sim, &environment(&sim, 1)), before[2..4]);
    sim.delete("environments", 9);
    assert_eq!(sim.truth().count("kafka_clusters"), 0);
}

#[test]
fn key_secrets_are_those_that_the_listing_lets_slip() {
    let sim = Simulator::start(Scenario::new());
    let said = sim.truth().records("api_keys").iter().filter_map(|row| row["spec"]["secret"].as_str());
    let said: Vec<&str> = said.filter(|secret| !secret.is_empty()).collect();
    assert!(!said.is_empty());
    assert_eq!(sim.key_secrets(), said);
    assert_eq!(Simulator::start(Scenario::new().polite()).key_secrets(), [] as [String; 0]);
}

/// What the simulator says to a test that means a stream or a part of one that is not served.
fn complaint(misuse: impl FnOnce() -> Simulator + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(misuse).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn whoever_names_a_stream_that_is_not_served_is_told() {
    let words = |name: &str| format!("the simulator serves no stream called {name}");
    let at = || At::stream("groups");
    let start = Simulator::start;
    assert_eq!(complaint(|| start(Scenario::new().size("groups", 3))), words("groups"));
    assert_eq!(complaint(move || start(Scenario::new().fault(Fault::Reset, at()))), words("groups"));
    let later = complaint(move || {
        let sim = start(Scenario::new());
        sim.add_fault(Fault::Reset, at());
        sim
    });
    assert_eq!(later, words("groups"));
    for refused in
        ["groups", "groups/#1", "users/*", "users/#1", "users/u-1", "kafka_clusters/#x", "kafka_clusters/*"]
    {
        let said = complaint(|| start(Scenario::new().refuse(refused)));
        let name = if refused.starts_with("groups") { "groups" } else { refused };
        assert_eq!(said, words(name));
    }
}
