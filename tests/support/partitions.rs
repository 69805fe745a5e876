//! Streams that are listed once for each record of another: which listings there are, in which order they
//! are read, and which of them a run has asked for.

use serde_json::json;
use simulator::{Request, Scenario, Simulator};

use super::{Run, Tap, few, tap};

/// Three environments of two clusters, each with two connectors; four providers, each with three pools.
pub fn nested() -> Scenario {
    let scenario = few().polite().environments(3).kafka_clusters(2).connectors(2);
    scenario.identity_providers(4).identity_pools(3)
}

/// A run of these streams, in pages of two.
pub fn reading<'s>(sim: &'s Simulator, streams: &[&str]) -> Tap<'s> {
    tap(sim).set("streams", json!(streams)).set("page_size", 2)
}

/// The stream whose records make the partitions of another.
pub fn parent(stream: &str) -> &'static str {
    match stream {
        "kafka_clusters" => "environments",
        "connectors" => "kafka_clusters",
        "identity_pools" => "identity_providers",
        other => panic!("{other} has no parent"),
    }
}

/// Names of the partitions of a stream, in the order in which they are read.
pub fn order(sim: &Simulator, stream: &str) -> Vec<String> {
    let (truth, parent) = (sim.truth(), parent(stream));
    let mut rows: Vec<Vec<String>> = truth.homes(parent);
    rows.iter_mut().zip(truth.ids(parent)).for_each(|(homes, id)| homes.push(id));
    rows.sort();
    rows.into_iter().map(|ids| ids.join("/")).collect()
}

/// The partition that a request is for; that of clusters stands in the query, others in the path.
pub fn partition(request: &Request) -> String {
    let ids: Vec<&str> = request.path.split('/').skip(4).step_by(2).collect();
    request.parameter("environment").map_or_else(|| ids.join("/"), str::to_owned)
}

/// The partitions that a run has asked for, each once in a row.
pub fn asked(run: &Run, stream: &str) -> Vec<String> {
    let mut asked: Vec<String> = run.asked(stream).into_iter().map(|request| partition(request)).collect();
    asked.dedup();
    asked
}
