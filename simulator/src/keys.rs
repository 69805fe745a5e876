//! API keys: whose they are, what they open, and the secret that a listing promises to leave out.

use fastrand::Rng;

use crate::clusters;
use crate::json::Object;
use crate::organization::{Organization, base64};
use crate::random::{one_in, pick, short_id};
use crate::records::{head, person};
use crate::stream::Stream;

/// A secret that the service lets slip. It promises `""` or nothing, and when rude does not keep
/// to that. The caller's own key never has one.
pub fn secret(org: &Organization, index: u64) -> Option<String> {
    let mut dice = org.dice(Stream::ApiKeys, index, 6);
    let slips = org.scenario.rude && index > 0 && (one_in(&mut dice, 12) || index == 1);
    slips.then(|| base64(&mut dice, 64))
}

fn resource(org: &Organization, dice: &mut Rng, kind: &str) -> String {
    // Dice of its own: the rest of the record does not depend on the kind.
    let mut dice = Rng::with_seed(dice.u64(..));
    let home = dice.u64(..org.scenario.environments.max(1));
    let environment = org.id_of(Stream::Environments, home);
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

pub fn record(org: &Organization, index: u64) -> Object {
    const KINDS: [&str; 7] =
        ["Cloud", "Cluster", "SchemaRegistry", "ksqlDB", "Region", "Tableflow", "Global"];
    let mut dice = org.dice(Stream::ApiKeys, index, 0);
    let id = org.id_of(Stream::ApiKeys, index);
    let (kind, owner) = if index == 0 {
        org.owner()
    } else {
        let kind = pick(&mut dice, &[Stream::Users, Stream::ServiceAccounts]);
        // One past the last is the id of an owner that no longer exists.
        let owner = dice.u64(..=org.count(kind));
        (kind, org.active(kind, owner))
    };
    // Recorded: a key's own name has another authority than everything else.
    let name = format!("crn://api.confluent.cloud/organization={}/api-key={id}", org.id);
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
    let owner = person(&mut dice, kind, &owner);
    // Multi-cluster keys are recorded with both.
    let several = (index > 0 && one_in(&mut dice, 8)).then(|| {
        let clusters = [(); 2].map(|()| resource(org, &mut dice, "Cluster"));
        opens.clone_from(&clusters[0]);
        format!("[{}]", clusters.join(","))
    });
    let spec = Object::new()
        .text("display_name", &format!("key {index}"))
        .text("description", description)
        .maybe("secret", secret(org, index).or(promised).as_deref())
        .raw("owner", &owner)
        .raw("resource", &opens);
    let spec = match several {
        Some(several) => spec.raw("resources", &several),
        None => spec,
    };
    head(org, (Stream::ApiKeys, index), &id, &name, &mut dice).raw("spec", &spec.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use serde_json::Value;

    fn records(scenario: Scenario) -> (Organization, Vec<Value>) {
        let org = Organization::new(scenario);
        let records = (0..org.scenario.api_keys)
            .map(|index| serde_json::from_str(&record(&org, index).finish()).unwrap())
            .collect();
        (org, records)
    }

    #[test]
    fn secrets_slip_out_of_a_rude_service_only() {
        for seed in 0..20 {
            let (org, rude) = records(Scenario::new().seed(seed));
            let said: Vec<&str> = rude
                .iter()
                .filter_map(|row| row["spec"]["secret"].as_str())
                .filter(|said| !said.is_empty())
                .collect();
            let known: Vec<String> = (0..64).filter_map(|index| secret(&org, index)).collect();
            assert_eq!(said, known);
            assert!(!known.is_empty() && known.iter().all(|secret| secret.len() == 64));
            assert!(rude.iter().any(|row| row["spec"]["secret"] == ""));
            assert!(rude.iter().any(|row| row["spec"].get("secret").is_none()));
            let (_, polite) = records(Scenario::new().seed(seed).polite());
            assert!(polite.iter().all(|row| row["spec"]["secret"].as_str().unwrap_or_default().is_empty()));
        }
    }

    #[test]
    fn keys_of_clusters_name_mostly_listed_ones_and_mostly_their_environment() {
        let (org, all) = records(Scenario::new().seed(4).api_keys(2000).environments(5));
        let listed: Vec<String> = (0..10).map(|index| org.id_of(Stream::KafkaClusters, index)).collect();
        let of = |kind: &'static str| {
            all.iter().map(|row| &row["spec"]["resource"]).filter(move |resource| resource["kind"] == kind)
        };
        let (count, gone) = (
            of("Cluster").count(),
            of("Cluster").filter(|row| !listed.iter().any(|id| row["id"] == *id)).count(),
        );
        assert!(gone > 0 && gone < count / 6, "{gone} of {count}");
        for kind in ["Cluster", "SchemaRegistry", "ksqlDB", "Region"] {
            let (count, scoped) =
                (of(kind).count(), of(kind).filter(|row| row["environment"].is_string()).count());
            assert!(scoped < count && scoped > count / 2, "{kind} {scoped} of {count}");
        }
        assert!(of("Global").all(|row| row.get("environment").is_none()));
    }

    #[test]
    fn a_key_in_eight_is_for_several_clusters_and_names_one_of_them() {
        let (_, all) = records(Scenario::new().seed(4).api_keys(2000));
        let several: Vec<&Value> = all.iter().filter(|row| row["spec"].get("resources").is_some()).collect();
        assert!((200..300).contains(&several.len()), "{}", several.len());
        for row in several {
            let (one, all) = (&row["spec"]["resource"], row["spec"]["resources"].as_array().unwrap());
            assert!(all.len() == 2 && all.contains(one) && all.iter().all(|one| one["kind"] == "Cluster"));
        }
    }

    #[test]
    fn a_service_account_in_twelve_has_neither_key_nor_binding() {
        for seed in 0..20 {
            let (org, keys) = records(Scenario::new().seed(seed).service_accounts(24).api_keys(600));
            let bindings = (0..600).map(|index| crate::bindings::record(&org, index).finish());
            let bindings = bindings.collect::<String>();
            for index in 0..24 {
                let id = org.id_of(Stream::ServiceAccounts, index);
                let owns = keys.iter().any(|key| key["spec"]["owner"]["id"] == id);
                let bound = bindings.contains(&format!(r#""principal":"User:{id}""#));
                assert_eq!((owns, bound), if index % 12 == 7 { (false, false) } else { (true, true) });
            }
        }
    }

    #[test]
    fn some_keys_are_old_and_some_are_young() {
        for seed in 0..20 {
            let (_, all) = records(Scenario::new().seed(seed));
            let made = all.iter().map(|row| row["metadata"]["created_at"].as_str().unwrap());
            // 90 days before the last day anything is made.
            let young = made.clone().filter(|made| *made > "2025-10-10").count();
            assert!((12..24).contains(&young), "{young}");
            assert!(made.clone().all(|made| ("2020".."2026-01-09").contains(&made)));
        }
    }
}
