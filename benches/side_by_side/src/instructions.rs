//! Instructions, counted by callgrind: the one figure that a busy machine does not disturb, so that a test can hold it.

use std::process::{Command, Stdio};

use serde_json::json;
use simulator::Simulator;

use crate::contender::{Contender, polite};

/// Instructions a record, the connector's ÷ the floor's, that a test accepts.
pub const MOST: f64 = 1.85;

/// Runs whose difference is what records cost, without what a run costs whatever it reads.
const FEW: u64 = 2_000;
const MANY: u64 = 10_000;

/// Whether there is a valgrind to count with.
pub fn can_count() -> bool {
    Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Instructions of a whole run.
///
/// # Panics
/// If valgrind is missing, or the command fails.
pub fn of(command: &Command) -> u64 {
    let mut counted = Command::new("valgrind");
    counted.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = counted.arg(command.get_program()).args(command.get_args()).stdout(Stdio::null()).output();
    let output = output.expect("valgrind is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{counted:?} ended with {}: {said}", output.status);
    let count = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.unwrap_or_else(|| panic!("callgrind says no count: {said}"))
}

/// Instructions of a whole run, the connector's and the floor's.
pub fn of_both(records: u64) -> [u64; 2] {
    let sim = Simulator::start(polite(records));
    [Contender::singer("tap-confluent-cloud", json!({})), Contender::floor()]
        .map(|contender| of(&contender.ready(&sim).command))
}

/// Instructions a record, the connector's and the floor's.
pub fn a_record() -> [f64; 2] {
    let (few, many) = (of_both(FEW), of_both(MANY));
    [0, 1].map(|one| (many[one] - few[one]) as f64 / (MANY - FEW) as f64)
}
