//! What a check, or `--test`, asks for of a stream with many parents.

use simulator::Simulator;

use crate::support::airbyte::{self, Level};
use crate::support::partitions::{asked, nested, order, reading};
use crate::support::{Run, tap};

/// Of one in a hundred: what a check asks for at most, all look-ups included.
const MOST: usize = 100;

#[track_caller]
fn is_bounded(run: &Run, least: usize) {
    let count = run.requests.len();
    assert!((least..=MOST).contains(&count), "{count} requests");
}

#[test]
fn a_check_of_connectors_asks_for_few_of_many_environments() {
    let cut = "not all of it was requested";
    // Without clusters there is no listing of connectors to end at: each environment would have to be asked.
    for (clusters, connectors, words) in
        [(0, 0, cut), (1, 0, "only 20 of its listings"), (2, 3, "only 20 of its listings")]
    {
        let scenario = nested().environments(300).kafka_clusters(clusters).connectors(connectors);
        let sim = Simulator::start(scenario);
        let only = || reading(&sim, &["connectors"]).set("page_size", 100);
        let check = airbyte::check(only());
        check.succeeded();
        check.expect_log(Level::Warn, &["connectors", words]);
        is_bounded(&check.run, 20);
        let test = only().arg("--test").run().expect_code(0).expect_line("WARN", ["connectors", words]);
        is_bounded(&test, 20);
        assert_eq!(test.records("connectors").len(), usize::from(connectors > 0));
        if clusters > 0 {
            assert_eq!(asked(&test, "connectors"), order(&sim, "connectors")[..20]);
        }
    }
}

#[test]
fn a_check_of_all_streams_stays_within_its_requests() {
    let scenario = nested().environments(300).kafka_clusters(0).identity_providers(300);
    let sim = Simulator::start(scenario.identity_pools(0));
    let all = || tap(&sim).set("streams", crate::support::EVERY.to_vec()).set("page_size", 5);
    let check = airbyte::check(all());
    check.succeeded();
    is_bounded(&check.run, 60);
    let test = all().arg("--test").run().expect_code(0);
    is_bounded(&test, 60);
    for child in ["kafka_clusters", "connectors", "identity_pools"] {
        assert!(test.says("WARN", &[child]), "{child}: nothing is said of what was not asked for");
    }
}

/// What a read would be denied at its beginning, a check is too.
#[test]
fn a_check_fails_at_a_partition_that_is_refused_among_the_first() {
    let sim = Simulator::start(nested());
    let name = order(&sim, "connectors")[3].clone();
    let cluster = name.split('/').next_back().unwrap();
    let sim = Simulator::start(nested().seed(sim.seed()).refuse(&format!("connectors/{cluster}")));
    airbyte::check(reading(&sim, &["connectors"])).failed(&["connectors", &name, "denied"]);
    let test = reading(&sim, &["connectors"]).arg("--test").run();
    assert_eq!(test.expect_code(3).records("connectors").len(), 1, "the others are readable");
}
