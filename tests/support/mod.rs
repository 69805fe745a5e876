//! What the tests stand on: `tap(&sim)` builds a command line, `.run()` or `.spawn()` gives what
//! came of it. Every run is parsed, and searched for the secret, whatever the test is about.

pub mod airbyte;
mod child;
pub mod clock;
pub mod crafted;
pub mod golden;
mod interrupted;
pub mod leaks;
pub mod meltano;
mod messages;
pub mod partitions;
pub mod postgres;
pub mod pretend;
pub mod repository;
mod run;
pub mod runtimes;
pub mod sample;
mod tap;
mod terminal;
mod watch;
mod whole;

pub use child::{Spawned, eventually};
pub use interrupted::{
    first_tokens, in_the_middle, interrupted, middling, most_repeated, starts_over, stopped,
};
pub use messages::{Message, parse};
pub use run::{LEVELS, Run, lines};
pub use tap::{KEY_ONLY, Tap, as_pool, bare, pool_settings, tap};
pub use terminal::{Seen, Terminal};
pub use whole::{
    DERIVED, EVERY, HISTORY, OF_BINDINGS, OTHERS, PASS_KEYS, STREAMS, assert_record, assert_stream_whole,
    assert_whole, assert_whole_of, has_no_position, id_column, id_of, ids_of, key_of, same_ids,
};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use simulator::{BindingsServer, Scenario, Simulator};

/// KiB that a run may ever have had in memory, whatever it was sent.
pub const MEMORY: u64 = 120 * 1024;

/// The ways in which a service may take the bare name of an organization.
pub const SERVERS: [BindingsServer; 3] =
    [BindingsServer::Inclusive, BindingsServer::NestedOnly, BindingsServer::Partial];

/// A number to reproduce a failure with: `TEST_SEED=…` in the environment, else a random one.
/// Failures print it.
pub fn seed() -> u64 {
    std::env::var("TEST_SEED").map_or_else(|_| fastrand::u64(..1_000_000), |seed| seed.parse().unwrap())
}

/// The organization of the acceptance list (237 users, 205 invitations, 131 service accounts, 264
/// role bindings), rude.
pub fn rude() -> Scenario {
    Scenario::new().users(237).invitations(205).service_accounts(131).role_bindings(264).seed(seed())
}

/// The same, polite.
pub fn polite() -> Scenario {
    rude().polite()
}

/// A few records of each kind, polite.
pub fn small() -> Scenario {
    polite().users(25).invitations(23).service_accounts(12).role_bindings(31)
}

/// A few of each, rude.
pub fn few() -> Scenario {
    rude().users(25).invitations(23).service_accounts(12).role_bindings(31)
}

/// A run that is offered all streams.
pub fn every(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!(EVERY))
}

/// Who asks nobody and offers these.
pub fn offering(streams: &[&str]) -> Tap<'static> {
    bare().config(json!({
        "api_key": "ABCDEFGHIJKLMNOP", "api_secret": "of no use", "base_url": "http://127.0.0.1:9",
        "streams": streams,
    }))
}

/// Singer's catalog of what is offered.
pub fn discovered(tap: Tap<'_>) -> Value {
    serde_json::from_str(&tap.arg("--discover").run().expect_code(0).stdout).unwrap()
}

/// A run that says versions, in pages of ten.
pub fn versioned(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("emit_activate_version", true).set("page_size", 10)
}

/// What no program that runs the binary may say: the simulator's secret, alone and in the header
/// made of it, and the secrets that its listings of API keys and connectors let slip.
pub fn secrets_of(sim: &Simulator) -> Vec<String> {
    let header = BASE64_STANDARD.encode(format!("{}:{}", sim.api_key(), sim.api_secret()));
    let mut secrets = [sim.key_secrets(), sim.connector_secrets()].concat();
    secrets.extend([sim.api_secret().to_owned(), header.trim_end_matches('=').to_owned()]);
    secrets.extend(sim.tokens());
    secrets
}
