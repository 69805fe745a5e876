//! Several environments that are refused.

use serde_json::json;
use simulator::{Scenario, Simulator};

use crate::support::{Run, few, has_no_position, tap};

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
    assert!(has_no_position(&run.bookmark(CLUSTERS)));
    assert!(!run.stdout.contains("ACTIVATE_VERSION"), "activated");
}

#[test]
fn each_refused_environment_is_a_warning_and_the_error_counts_them() {
    for refused in [2, 6] {
        let scenario = (0..refused).fold(eight(), |scenario, n| scenario.refuse(&format!("{CLUSTERS}/#{n}")));
        let sim = Simulator::start(scenario);
        let words = format!("{refused} listings are denied");
        let run = run(&sim).expect_code(3).expect_line("ERROR", [&words, "Operator"]);
        is_told_as_failed(&run);
        assert_eq!(run.records(CLUSTERS).len(), 3 * (8 - refused));
        for environment in &sim.truth().ids("environments")[..refused] {
            assert!(run.says("WARN", &[environment, "is denied"]), "{environment} is not named");
        }
        let listed = run.requests.iter().filter(|one| one.stream.as_deref() == Some("environments")).count();
        assert_eq!(listed, 1, "as often as it is gone through, however many are refused");
    }
}
