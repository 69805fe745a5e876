//! Several environments that are refused, and what is told of them when the last look fails.

use serde_json::json;
use simulator::{At, Fault, Scenario, Simulator};

use crate::on_demand::few;
use crate::support::{Run, tap};

const CLUSTERS: &str = "kafka_clusters";

fn eight() -> Scenario {
    few().polite().environments(8).kafka_clusters(3)
}

/// Clusters alone, so that environments are listed for their sake only.
fn run(sim: &Simulator) -> Run {
    let tap = tap(sim).set("streams", json!([CLUSTERS])).set("emit_activate_version", true);
    tap.set("max_retries", 0).run()
}

/// Nothing tells a later run, or a target, that what came was all.
#[track_caller]
fn is_told_as_failed(run: &Run) {
    let nulls = json!({"organization_id": null, "partition": null, "page_token": null, "started_at": null});
    assert_eq!(run.bookmark(CLUSTERS), nulls);
    assert!(!run.stdout.contains("ACTIVATE_VERSION"), "activated");
}

#[test]
fn every_refused_environment_is_warned_of_and_the_error_counts_them() {
    for refused in [2, 6] {
        let scenario = (0..refused).fold(eight(), |scenario, n| scenario.refuse(&format!("{CLUSTERS}/#{n}")));
        let sim = Simulator::start(scenario);
        let words = format!("{refused} environments are refused");
        let run = run(&sim).expect_code(3).expect_line("ERROR", [&words, "Operator"]);
        is_told_as_failed(&run);
        assert_eq!(run.records(CLUSTERS).len(), 3 * (8 - refused));
        for environment in &sim.truth().ids("environments")[..refused] {
            assert!(run.says("WARN", &[environment, "is refused"]), "{environment} is not named");
        }
        let listed = run.requests.iter().filter(|one| one.stream.as_deref() == Some("environments")).count();
        assert_eq!(listed, 2, "once to go through, once at the end");
    }
}

#[test]
fn where_the_last_look_fails_nothing_that_has_come_is_lost_and_nothing_is_taken_for_deleted() {
    let answers = [
        Fault::errors(403, "Forbidden Access"),
        Fault::errors(503, "try later"),
        Fault::Body(r#"{"data":[],"metadata":{}}"#.into(), Vec::new()),
    ];
    for answer in answers {
        let sim = Simulator::start(eight().refuse("kafka_clusters/#3"));
        sim.add_fault(answer, At::stream("environments").from(2));
        let refused = &sim.truth().ids("environments")[3];
        let run = run(&sim).expect_code(3).expect_line("ERROR", [refused, "is refused"]);
        is_told_as_failed(&run);
        assert_eq!(run.records(CLUSTERS).len(), 21);
    }
}

#[test]
fn of_several_refused_the_one_that_is_left_is_told_with_its_own_answer() {
    let sim = Simulator::start(eight());
    // The last of the listing is deleted once it has been refused; another is refused for good.
    let gone = sim.truth().ids("environments")[7].clone();
    let mut order = sim.truth().ids("environments");
    order.sort();
    let place = order.iter().position(|id| *id == gone).unwrap() as u64;
    let other = if place == 7 { 6 } else { place + 1 };
    sim.add_fault(Fault::errors_title(404, "gone it is"), At::stream(CLUSTERS).nth(place + 1));
    sim.add_fault(Fault::errors(403, "not for you"), At::stream(CLUSTERS).nth(other + 1));
    let listing: Vec<_> = sim.truth().records("environments").iter().take(7).cloned().collect();
    let left = json!({"data": listing, "metadata": {}}).to_string();
    sim.add_fault(Fault::Body(left.into(), Vec::new()), At::stream("environments").from(2));
    let run = run(&sim).expect_code(3).expect_line("ERROR", [&order[other as usize], "not for you"]);
    assert!(!run.says("ERROR", &["gone it is"]));
    assert!(run.says("WARN", &[&gone, "not listed any more"]));
    is_told_as_failed(&run);
}
