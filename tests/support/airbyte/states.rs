//! States of Airbyte: in which form they are handed over, and what they say.

use serde_json::{Value, json};
use simulator::Simulator;

use super::read::{begin, catalog_of, ended};
use crate::support::{PASS_KEYS, polite, tap};

/// A STATE of a stream, as it is printed.
pub fn state_of(stream: &str, state: Value) -> Value {
    json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}})
}

/// A simulator, and a position after the second of five pages of users.
pub fn interrupted() -> (Simulator, Value) {
    let sim = Simulator::start(polite());
    let users = catalog_of(&["users"], "full_refresh");
    let child = begin(tap(&sim).set("page_size", 50), &users);
    child.read_lines(110);
    child.signal("KILL");
    let heard = ended(child.finish(), &users);
    let state = heard.states("users").into_iter().find(|(state, _)| state["page_token"].is_string());
    (sim, Value::from(state.expect("a position within 110 lines").0))
}

/// Whether a stream's state says that it has been read to its end, and by whom.
pub fn is_complete(state: &Value) -> bool {
    let is_text = |key: &&str| ["api_key_hash", "organization_id"].contains(key);
    let fits = |key: &&str| if is_text(key) { state[*key].is_string() } else { state[*key].is_null() };
    state["__ab_full_refresh_sync_complete"] == true
        && PASS_KEYS.iter().all(fits)
        && state["last_records"].is_u64()
}

/// The same, also where it is only handed on.
pub fn is_complete_marker(state: &Value) -> bool {
    state["__ab_full_refresh_sync_complete"] == true && state["page_token"].is_null()
}

/// What older versions said of a stream that has been read to its end.
pub fn bare_complete() -> Value {
    json!({"__ab_full_refresh_sync_complete": true})
}
