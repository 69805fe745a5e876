//! API keys: whose they are, what they open, and the secret that a listing promises to leave out.

use fastrand::Rng;

use crate::clusters;
use crate::json::Object;
use crate::organization::{Organization, Row};
use crate::random::{base64, characters, one_in, pick, short_id};
use crate::records::{head, person};

pub fn id(org: &Organization, row: Row) -> String {
    if row.index == 0 {
        return org.credentials.newest().0.to_owned();
    }
    let rest = characters(&mut org.dice(row, 2), b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 10);
    format!("{}{rest}", org.short_id(row).to_uppercase())
}

/// A secret that the service lets slip. It promises `""` or nothing, and when rude does not keep
/// to that. The caller's own key never has one.
pub fn secret(org: &Organization, row: Row) -> Option<String> {
    let mut dice = org.dice(row, 6);
    let slips = org.scenario.rude && row.index > 0 && (one_in(&mut dice, 12) || row.index == 1);
    slips.then(|| base64(&mut dice, 64))
}

fn resource(org: &Organization, dice: &mut Rng, kind: &str) -> String {
    // Dice of its own: the rest of the record does not depend on the kind.
    let mut dice = Rng::with_seed(dice.u64(..));
    let home = dice.u64(..org.count("environments").max(1));
    let environment = org.id("environments", home);
    let short = short_id(org.scenario.seed, 78, dice.u64(..9));
    let id = match kind {
        "Cluster" => clusters::named(org, home, dice.u64(..)),
        "SchemaRegistry" => format!("lsrc-{short}"),
        "ksqlDB" => format!("lksqlc-{short}"),
        "Region" => "aws.us-east-1".to_owned(),
        other => other.to_lowercase(),
    };
    let name = match kind {
        "Cluster" => format!("{}/environment={environment}/cloud-cluster={id}", org.crn()),
        _ => format!("crn://confluent.cloud/{}={id}", kind.to_lowercase()),
    };
    // Optional, and of no meaning for what is in no environment.
    let scoped = ["Cluster", "SchemaRegistry", "ksqlDB", "Region"].contains(&kind) && !one_in(&mut dice, 6);
    Object::new()
        .text("id", &id)
        .maybe("environment", scoped.then_some(environment.as_str()))
        .text("related", "cloud")
        .text("resource_name", &name)
        .text("api_version", if kind == "Cluster" { "cmk/v2" } else { "iam/v2" })
        .text("kind", kind)
        .finish()
}

pub fn record(org: &Organization, row: Row) -> Object {
    const KINDS: [&str; 7] =
        ["Cloud", "Cluster", "SchemaRegistry", "ksqlDB", "Region", "Tableflow", "Global"];
    let (mut dice, index) = (org.dice(row, 0), row.index);
    let (kind, owner) = if index == 0 {
        org.owner()
    } else {
        let kind = pick(&mut dice, &["users", "service_accounts"]);
        // One past the last is the id of an owner that no longer exists.
        let owner = dice.u64(..=org.count(kind));
        (kind, org.active(kind, owner))
    };
    // Recorded: a key's own name has another authority than everything else.
    let name = format!("crn://api.confluent.cloud/organization={}/api-key={}", org.id, org.id_of(row));
    let mut opens = match index {
        0 => resource(org, &mut dice, "Cloud"),
        _ if one_in(&mut dice, 6) => "null".to_owned(),
        _ => {
            let kind = pick(&mut dice, &KINDS);
            resource(org, &mut dice, kind)
        }
    };
    let description = pick(&mut dice, &["", "made by terraform", "for the \"nightly\" job"]);
    let promised = one_in(&mut dice, 2).then(String::new);
    let owner = person(org, &mut dice, (kind, &owner));
    // Multi-cluster keys are recorded with both.
    let several = (index > 0 && one_in(&mut dice, 8)).then(|| {
        let clusters = [(); 2].map(|()| resource(org, &mut dice, "Cluster"));
        opens.clone_from(&clusters[0]);
        format!("[{}]", clusters.join(","))
    });
    let spec = Object::new()
        .text("display_name", &format!("key {index}"))
        .text("description", description)
        .maybe("secret", secret(org, row).or(promised).as_deref())
        .raw("owner", &owner)
        .raw("resource", &opens);
    let spec = match several {
        Some(several) => spec.raw("resources", &several),
        None => spec,
    };
    head(org, row, &name, &mut dice).raw("spec", &spec.finish())
}
