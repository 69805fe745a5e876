//! What a run printed, beside what the organization holds.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use simulator::Simulator;
use tap_confluent_cloud::streams;

use super::run::Run;

/// The streams that are offered unless the settings say otherwise.
pub const STREAMS: [&str; count(false)] = names(false);

/// All streams that are read: those beyond the core are offered where the setting `streams` names them.
pub const EVERY: [&str; count(true)] = names(true);

/// The stream that tells of the runs, and is not read.
pub const HISTORY: &str = "extractions";

/// The core streams but for users, which tests let fail.
pub const OTHERS: [&str; 3] = {
    let [_, others @ ..] = STREAMS;
    others
};

/// The history of runs is not read, and has no path.
const fn is_counted(index: usize, on_demand_too: bool) -> bool {
    let stream = &streams::STREAMS[index];
    !stream.path.is_empty() && (on_demand_too || !stream.on_demand)
}

const fn count(on_demand_too: bool) -> usize {
    let (mut count, mut index) = (0, 0);
    while index < streams::STREAMS.len() {
        count += is_counted(index, on_demand_too) as usize;
        index += 1;
    }
    count
}

const fn names<const COUNT: usize>(on_demand_too: bool) -> [&'static str; COUNT] {
    let mut names = [""; COUNT];
    let (mut count, mut index) = (0, 0);
    while count < COUNT {
        if is_counted(index, on_demand_too) {
            names[count] = streams::STREAMS[index].name;
            count += 1;
        }
        index += 1;
    }
    names
}

/// The keys of a bookmark but for `last_records`, in alphabetical order.
pub const PASS_KEYS: [&str; 6] =
    ["api_key_hash", "organization_id", "page_token", "partition", "records", "started_at"];

/// Whether a bookmark, which has all keys, says that nothing of a pass has been read. How long the last complete list
/// was, and by which key of which organization it was read, outlives a pass.
pub fn has_no_position(bookmark: &Value) -> bool {
    PASS_KEYS.iter().skip(2).all(|key| bookmark.get(*key) == Some(&Value::Null))
        && ["api_key_hash", "organization_id", "last_records"].iter().all(|key| bookmark.get(*key).is_some())
}

/// Columns of ours that a record of any stream has beside the API's own.
pub const DERIVED: [&str; 3] = ["organization_id", "created_at", "updated_at"];

/// Columns of ours that a role binding has: two of its principal, then those of its pattern.
pub const OF_BINDINGS: [&str; 10] = [
    "principal_type",
    "principal_id",
    "scope_type",
    "environment_id",
    "cloud_cluster_id",
    "service_type",
    "service_id",
    "resource_type",
    "resource_name",
    "pattern_type",
];

/// Columns of ours that a record of this stream has, and no other.
fn own_derived(stream: &str) -> &'static [&'static str] {
    match stream {
        "invitations" => &["user_id", "creator_id"],
        "role_bindings" => &OF_BINDINGS,
        "api_keys" => &["display_name", "owner_id", "resource_id", "resource_kind", "environment_id"],
        "kafka_clusters" => &["environment_id", "display_name", "cloud", "region", "network_id", "phase"],
        "schema_registry_clusters" | "networks" | "private_link_attachments" => {
            &["environment_id", "display_name", "cloud", "region", "phase"]
        }
        "ksqldb_clusters" => {
            &["environment_id", "display_name", "kafka_cluster_id", "credential_identity_id", "phase"]
        }
        "flink_compute_pools" => {
            &["environment_id", "display_name", "cloud", "region", "network_id", "phase"]
        }
        "peerings" | "transit_gateway_attachments" => {
            &["environment_id", "display_name", "network_id", "phase"]
        }
        "identity_pools" => &["identity_provider_id"],
        "certificate_pools" => &["certificate_authority_id"],
        "byok_keys" => &["region", "phase"],
        "provider_integrations" => &["environment_id"],
        "service_quotas" => &["quota_key"],
        "billing_costs" => &["cost_id", "resource_id", "resource_name", "environment_id"],
        "connectors" => &[
            "connector_id",
            "environment_id",
            "kafka_cluster_id",
            "name",
            "type",
            "state",
            "connector_class",
        ],
        _ => &[],
    }
}

/// Columns of ours that are called the same on all streams that are listed by environment, and where the API says
/// what stands in them.
const OF_PLACES: [(&str, &str); 7] = [
    ("display_name", "/spec/display_name"),
    ("cloud", "/spec/cloud"),
    ("region", "/spec/region"),
    ("network_id", "/spec/network/id"),
    ("kafka_cluster_id", "/spec/kafka_cluster/id"),
    ("credential_identity_id", "/spec/credential_identity/id"),
    ("phase", "/status/phase"),
];

/// Whether the stream is listed by the query parameter of an environment.
fn is_in_environment(stream: &str) -> bool {
    let columns = own_derived(stream);
    columns.contains(&"environment_id") && columns.contains(&"phase")
}

/// The field that identifies a record of this stream.
pub fn key_of(stream: &str) -> &'static str {
    match stream {
        "connectors" => "connector_id",
        "service_quotas" => "quota_key",
        "billing_costs" => "cost_id",
        HISTORY => "extraction_id",
        _ => "id",
    }
}

/// The field that has the id of a record of this stream, which the simulator knows it by.
pub fn id_column(stream: &str) -> &'static str {
    match stream {
        "connectors" => "connector_id",
        // They have no id.
        "billing_costs" => "description",
        _ => "id",
    }
}

/// The id of a record, as the API sends it: that of a connector stands in an object. A cost has none; what
/// the simulator says of it is said of no other.
pub fn id_of(record: &Value) -> &str {
    let id = record["id"].as_str().or(record["id"]["id"].as_str());
    id.or(record["description"].as_str()).unwrap_or_else(|| panic!("no id: {record}"))
}

pub fn ids_of(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| id_of(record).to_owned()).collect()
}

/// Each id of the truth exactly once, each record as the API sent it, in all four streams; and a
/// last state in which all are finished.
#[track_caller]
pub fn assert_whole(run: &Run, sim: &Simulator) {
    assert_whole_of(run, sim, &STREAMS);
    assert_eq!(run.code(), Some(0), "exit code");
}

/// The same of some streams, whatever became of the others and of the run.
#[track_caller]
pub fn assert_whole_of(run: &Run, sim: &Simulator, streams: &[&str]) {
    for stream in streams {
        assert_stream_whole(run, sim, stream, Some(sim.organization_id()));
        let bookmark = run.bookmark(stream);
        let token = bookmark.get("page_token").expect("the bookmark names a page_token");
        assert!(token.is_null(), "{stream} is not finished in the last STATE: {bookmark}");
    }
}

/// Each id of one stream exactly once, each record as the API sent it.
#[track_caller]
pub fn assert_stream_whole(run: &Run, sim: &Simulator, stream: &str, organization: Option<&str>) {
    let records = run.records(stream);
    same_ids(stream, &records, &sim.truth().ids(stream));
    let homes = sim.truth().homes(stream);
    let mut truth: Vec<(&Value, Vec<String>)> = sim.truth().records(stream).iter().zip(homes).collect();
    truth.sort_by_key(|(record, _)| id_of(record));
    let mut records: Vec<&Value> = records.iter().collect();
    records.sort_by_key(|record| id_of(record));
    for (record, (truth, homes)) in records.iter().zip(truth) {
        assert_record(stream, record, truth, &homes, organization);
    }
    assert!(run.schemas().contains_key(stream), "no SCHEMA of {stream}");
}

/// The same ids, each once.
#[track_caller]
pub fn same_ids(stream: &str, records: &[Value], truth: &[String]) {
    let seen = ids_of(records);
    let truth: BTreeSet<String> = truth.iter().cloned().collect();
    let missing: Vec<&String> = truth.difference(&seen).take(5).collect();
    let extra: Vec<&String> = seen.difference(&truth).take(5).collect();
    assert!(
        missing.is_empty() && extra.is_empty() && records.len() == truth.len(),
        "{stream}: {} records of {} there are; missing {missing:?}…, not there {extra:?}…, {} repeated",
        records.len(),
        truth.len(),
        records.len() - seen.len(),
    );
}

/// The API's fields with its values and in its order, then the derived ones. `homes`: the ids of what the
/// record is in, outermost first, as far as it does not say so itself.
#[track_caller]
pub fn assert_record(
    stream: &str,
    record: &Value,
    truth: &Value,
    homes: &[String],
    organization: Option<&str>,
) {
    let mut derived = derived(stream, truth, homes, organization);
    if let Some(id) = derived.get_mut("cost_id") {
        // A digest, which nobody else can make.
        assert!(record["cost_id"].is_string(), "{record}");
        *id = record["cost_id"].clone();
    }
    let (record, truth) = (record.as_object().unwrap(), &without_secrets(stream, truth));
    let id = truth.get("id").or(truth.get("description")).cloned().unwrap_or_default();
    for (name, value) in truth {
        assert_eq!(record.get(name), Some(value), "{stream} {id}: field {name}");
    }
    let order: Vec<&String> = record.keys().filter(|name| truth.contains_key(*name)).collect();
    assert_eq!(order, truth.keys().collect::<Vec<_>>(), "{stream} {id}: order of fields");
    for name in record.keys().filter(|name| !truth.contains_key(*name)) {
        assert!(derived.contains_key(name), "{stream} {id}: nobody sent the field {name}");
    }
    for (name, value) in derived {
        assert_eq!(record.get(&name), Some(&value), "{stream} {id}: derived column {name}");
    }
}

/// A record but for what never leaves.
fn without_secrets(stream: &str, truth: &Value) -> Map<String, Value> {
    let mut truth = truth.clone();
    let mut remove = |path: &str, name: &str| {
        if let Some(Value::Object(object)) = truth.pointer_mut(path) {
            object.shift_remove(name);
        }
    };
    match stream {
        "api_keys" => remove("/spec", "secret"),
        "connectors" => {
            remove("/info", "config");
            remove("/status/connector", "trace");
            remove("/status/tasks/0", "msg");
        }
        _ => {}
    }
    truth.as_object().unwrap().clone()
}

/// The derived columns, derived once more from the record and from what it is in.
fn derived(stream: &str, truth: &Value, homes: &[String], organization: Option<&str>) -> Map<String, Value> {
    let inside = |object: &str, name: &str| truth.get(object).and_then(|object| object.get(name)).cloned();
    let mut all: Map<String, Value> =
        own_derived(stream).iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    all.insert("organization_id".to_owned(), organization.into());
    for name in ["created_at", "updated_at"] {
        all.insert(name.to_owned(), inside("metadata", name).unwrap_or_default());
    }
    for (name, object) in [("user_id", "user"), ("creator_id", "creator")] {
        if let Some(column) = all.get_mut(name) {
            *column = inside(object, "id").unwrap_or_default();
        }
    }
    if stream == "api_keys" {
        read_key(&truth["spec"], &mut all);
    }
    if is_in_environment(stream) {
        let name = truth["metadata"]["resource_name"].as_str().unwrap();
        let environment = name.split("/environment=").nth(1).unwrap().split('/').next().unwrap();
        all["environment_id"] = environment.into();
        for (name, place) in OF_PLACES {
            if let Some(column) = all.get_mut(name) {
                *column = truth.pointer(place).cloned().unwrap_or_default();
            }
        }
    }
    if stream == "billing_costs" {
        let resource = &truth["resource"];
        all["resource_id"] = resource["id"].clone();
        all["resource_name"] = resource["display_name"].clone();
        all["environment_id"] = resource["environment"]["id"].clone();
    }
    if stream == "identity_pools" {
        all["identity_provider_id"] = homes[0].as_str().into();
    }
    if stream == "certificate_pools" {
        all["certificate_authority_id"] = homes[0].as_str().into();
    }
    if stream == "provider_integrations" {
        all["environment_id"] = homes[0].as_str().into();
    }
    if stream == "service_quotas" {
        let (id, organization) =
            (truth["id"].as_str().unwrap(), truth["organization"]["id"].as_str().unwrap());
        all["quota_key"] = format!("id={id}/scope=ORGANIZATION/organization.id={organization}").into();
    }
    if stream == "byok_keys" {
        all["region"] = truth["validation"]["region"].clone();
        all["phase"] = truth["validation"]["phase"].clone();
    }
    if stream == "connectors" {
        read_connector(truth, homes, &mut all);
    }
    if stream == "role_bindings" {
        read_principal(truth["principal"].as_str().unwrap(), &mut all);
        read_pattern(truth["crn_pattern"].as_str().unwrap(), &mut all);
    }
    all
}

fn read_connector(truth: &Value, homes: &[String], columns: &mut Map<String, Value>) {
    columns["connector_id"] = truth["id"]["id"].clone();
    columns["environment_id"] = homes[0].as_str().into();
    columns["kafka_cluster_id"] = homes[1].as_str().into();
    columns["name"] = truth["info"]["name"].clone();
    columns["type"] = truth["info"]["type"].clone();
    columns["state"] = truth["status"]["connector"]["state"].clone();
    columns["connector_class"] = truth["info"]["config"]["connector.class"].clone();
}

fn read_key(spec: &Value, columns: &mut Map<String, Value>) {
    columns["display_name"] = spec["display_name"].clone();
    columns["owner_id"] = spec["owner"]["id"].clone();
    if spec["resources"].as_array().is_none_or(|resources| resources.len() < 2) {
        columns["resource_id"] = spec["resource"]["id"].clone();
        columns["resource_kind"] = spec["resource"]["kind"].clone();
        columns["environment_id"] = spec["resource"]["environment"].clone();
    }
}

fn read_principal(principal: &str, columns: &mut Map<String, Value>) {
    let (authority, id) = principal.split_once(':').expect("the simulator's principals have an authority");
    let kind = match (authority, id.split('-').next().unwrap()) {
        ("User", "u") => "user",
        ("User", "sa") => "service_account",
        ("User", "pool") => "identity_pool",
        ("User", "group") => "group_mapping",
        _ => "unknown",
    };
    columns["principal_type"] = kind.into();
    columns["principal_id"] = id.into();
}

/// Reads a pattern of the simulator from its end, other than the binary does.
fn read_pattern(pattern: &str, columns: &mut Map<String, Value>) {
    let plain = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    for segment in pattern.split('/').rev().filter(|segment| segment.contains('=')) {
        let (key, value) = segment.split_at(segment.find('=').unwrap());
        let value = &value[1..];
        match key {
            "organization" | "environment" | "cloud-cluster" => {
                if columns["scope_type"].is_null() {
                    columns["scope_type"] = key.into();
                }
                if key != "organization" {
                    columns[format!("{}_id", key.replace('-', "_")).as_str()] = plain(value).into();
                }
            }
            "kafka" | "schema-registry" | "ksql" | "flink-region" => {
                columns["service_type"] = key.into();
                columns["service_id"] = plain(value).into();
            }
            _ => {
                columns["resource_type"] = key.into();
                columns["resource_name"] = plain(value.trim_end_matches('*')).into();
                columns["pattern_type"] = if value.ends_with('*') { "PREFIXED" } else { "LITERAL" }.into();
            }
        }
    }
}
