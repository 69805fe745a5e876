//! Streams that are listed once for each record of another: which listings there are, in which order they
//! are read, and which of them a run has asked for.

use serde_json::{Value, json};
use simulator::{Request, Scenario, Simulator};

use super::{Run, Tap, few, tap};

/// Three environments of two clusters, each with two connectors; four providers, each with three pools.
/// Polite.
pub fn nested() -> Scenario {
    nested_rude().polite()
}

/// The same, rude.
pub fn nested_rude() -> Scenario {
    let scenario = few().environments(3).kafka_clusters(2).connectors(2);
    scenario.identity_providers(4).identity_pools(3)
}

/// A run of these streams, in pages of two.
pub fn reading<'s>(sim: &'s Simulator, streams: &[&str]) -> Tap<'s> {
    tap(sim).set("streams", json!(streams)).set("page_size", 2)
}

/// The stream whose records make the partitions of another.
pub fn parent(stream: &str) -> &'static str {
    let found = simulator::STREAMS.iter().find(|other| other.name == stream);
    found.and_then(simulator::Stream::parent).unwrap_or_else(|| panic!("{stream} has no parent"))
}

/// All streams that are listed for each record of this one, or for each record of one of those.
pub fn children(stream: &str) -> Vec<&'static str> {
    let of_this = simulator::STREAMS.iter().filter(|other| other.parent() == Some(stream));
    of_this.flat_map(|child| [vec![child.name], children(child.name)].concat()).collect()
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
fn partition(request: &Request) -> String {
    let ids: Vec<&str> = request.path.split('/').skip(4).step_by(2).collect();
    request.parameter("environment").map_or_else(|| ids.join("/"), str::to_owned)
}

/// The partitions that a run has asked for, each once in a row.
pub fn asked(run: &Run, stream: &str) -> Vec<String> {
    let mut asked: Vec<String> = run.asked(stream).into_iter().map(partition).collect();
    asked.dedup();
    asked
}

/// The partition that a record came from.
pub fn home(record: &Value) -> String {
    let columns = ["identity_provider_id", "certificate_authority_id", "environment_id", "kafka_cluster_id"];
    let ids: Vec<&str> = columns.iter().filter_map(|name| record[*name].as_str()).collect();
    ids.join("/")
}

/// The ids of the records that are in none of the listings which `left_out` names.
pub fn but_for(sim: &Simulator, stream: &str, left_out: impl Fn(&str) -> bool) -> Vec<String> {
    let (truth, mut ids) = (sim.truth(), Vec::new());
    for (homes, id) in truth.homes(stream).into_iter().zip(truth.ids(stream)) {
        if !left_out(&homes.join("/")) {
            ids.push(id);
        }
    }
    ids
}
