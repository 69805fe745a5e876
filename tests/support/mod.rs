//! What the tests stand on: `tap(&sim)` builds a command line, `.run()` or `.spawn()` gives what
//! came of it. Every run is parsed, and searched for the secret, whatever the test is about.

pub mod airbyte;
mod child;
pub mod leaks;
mod messages;
pub mod pretend;
mod run;
pub mod runtimes;
mod tap;
mod terminal;
mod watch;
mod whole;

pub use child::{Spawned, eventually};
pub use messages::{Message, parse};
pub use run::Run;
pub use tap::{Tap, bare, tap};
pub use terminal::{Seen, Terminal};
pub use whole::{
    DERIVED, EVERY, PASS_KEYS, STREAMS, assert_record, assert_stream_whole, assert_whole, assert_whole_of,
    has_no_position, ids_of, most_repeated, same_ids, starts_over,
};

use simulator::{Scenario, Simulator};

/// KiB that a run may ever have had in memory, whatever it was sent.
pub const MEMORY: u64 = 120 * 1024;

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

/// What no program that runs the binary may say: the simulator's secret, alone and in the header
/// made of it, and the secrets that its listing of API keys lets slip.
pub fn secrets_of(sim: &Simulator) -> Vec<String> {
    let header = tap::base64(format!("{}:{}", sim.api_key(), sim.api_secret()).as_bytes());
    let mut secrets = sim.key_secrets();
    secrets.extend([sim.api_secret().to_owned(), header.trim_end_matches('=').to_owned()]);
    secrets
}
