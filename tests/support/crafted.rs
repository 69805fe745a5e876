//! Listings made for one test, served by the simulator, and runs that read nothing else.

use serde_json::{Value, json};
use simulator::{At, Fault, Simulator};

use super::{Run, Tap, small, tap};

pub const ORGANIZATION: &str = "THE-ORGANIZATION";

/// A service whose every listing of a stream is one page of this text, in which [`ORGANIZATION`]
/// stands for the id of the organization.
pub fn crafted_text(stream: &str, data: &str) -> Simulator {
    // Nobody looks up the key, which would ask for role bindings too.
    let sim = Simulator::start(small().refuse("api_keys"));
    let data = data.replace(ORGANIZATION, sim.organization_id());
    let page = format!(r#"{{"api_version":"iam/v2","kind":"List","metadata":{{}},"data":{data}}}"#);
    sim.add_fault(Fault::Body(page.into_bytes(), Vec::new()), At::stream(stream));
    sim
}

pub fn crafted(stream: &str, records: &[Value]) -> Simulator {
    crafted_text(stream, &Value::from(records).to_string())
}

/// A service whose every listing of API keys is one page of this text.
pub fn listing(data: &str) -> Simulator {
    let sim = Simulator::start(small());
    let page = format!(r#"{{"metadata":{{}},"data":{data}}}"#);
    sim.add_fault(Fault::Body(page.into_bytes(), Vec::new()), At::stream("api_keys"));
    sim
}

/// A run that reads one stream only.
pub fn only(sim: &Simulator, stream: &str) -> Run {
    tap(sim).set("streams", json!([stream])).run().expect_code(0)
}

pub fn keys_only(sim: &Simulator) -> Tap<'_> {
    tap(sim).set("streams", json!(["api_keys"])).args(["--log-level", "debug"])
}
