//! Where things are: in which environment, in which of its networks, in which region of a cloud provider.

use fastrand::Rng;

use crate::json::{Object, quoted};
use crate::organization::{HOST, Organization, Row};
use crate::random::{one_in, short_id};
use crate::records::refer;

/// The ids of an environment's networks, listed or not, are set this far apart.
pub const NETWORKS: u64 = 4096;

/// So many networks of an environment are named by whatever is in one; the others are empty.
const USED: u64 = 2;

/// A region of a cloud provider.
pub struct Site {
    pub cloud: &'static str,
    pub region: &'static str,
    pub zones: [&'static str; 3],
}

pub const SITES: [Site; 4] = [
    Site { cloud: "AWS", region: "us-east-1", zones: ["use1-az1", "use1-az4", "use1-az6"] },
    Site { cloud: "AWS", region: "eu-central-1", zones: ["euc1-az1", "euc1-az2", "euc1-az3"] },
    Site {
        cloud: "GCP",
        region: "europe-west3",
        zones: ["europe-west3-a", "europe-west3-b", "europe-west3-c"],
    },
    Site { cloud: "AZURE", region: "westeurope", zones: ["1", "2", "3"] },
];

pub fn zones(site: &Site, several: bool) -> String {
    let zones = if several { &site.zones[..] } else { &site.zones[..1] };
    let quoted: Vec<String> = zones.iter().map(|zone| quoted(zone)).collect();
    format!("[{}]", quoted.join(","))
}

pub fn site(dice: &mut Rng) -> &'static Site {
    &SITES[dice.usize(..SITES.len())]
}

/// The id of network number `place` of an environment.
pub fn network_of(org: &Organization, environment: u64, place: u64) -> String {
    format!("n-{}", short_id(org.scenario.seed, 82, environment * NETWORKS + place))
}

/// The id of a network as others name it, by any number: one of the environment's, if it has any.
pub fn network(org: &Organization, environment: u64, number: u64) -> String {
    let listed = org.each(org.stream("networks")).min(USED);
    network_of(org, environment, number % if listed == 0 { USED } else { listed })
}

/// The environment that a record is in.
pub struct Place {
    pub home: Row,
    pub id: String,
    /// Its name, with which those of all that is in it begin.
    pub name: String,
}

impl Place {
    pub fn of(org: &Organization, row: Row) -> Self {
        let home = org.home(row).0.expect("the record is in an environment");
        let id = org.id_of(home);
        let name = format!("{}/environment={id}", org.crn());
        Self { home, id, name }
    }

    /// A reference to it, to be finished. Most recorded ones name what kind of object it is.
    pub fn reference(&self, dice: &mut Rng) -> Object {
        // An old path, as recorded.
        let link = format!("{HOST}/v2/environments/{}", self.id);
        let reference = refer(dice, &self.id, &link, &self.name);
        kinds(reference, dice, ("org/v2", "Environment"))
    }

    /// A reference to one of its networks, by any number.
    pub fn network(&self, org: &Organization, dice: &mut Rng) -> (String, String) {
        let id = network(org, self.home.index, dice.u64(..));
        let link = format!("{HOST}/networking/v1/networks/{id}?environment={}", self.id);
        let name = format!("{}/network={id}", self.name);
        let reference = refer(dice, &id, &link, &name);
        (name, kinds(reference, dice, ("networking/v1", "Network")).finish())
    }
}

/// Adds to two references of three what kind of object they point to.
fn kinds(reference: Object, dice: &mut Rng, (version, kind): (&str, &str)) -> Object {
    if one_in(dice, 3) { reference } else { reference.text("api_version", version).text("kind", kind) }
}
