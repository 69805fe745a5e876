//! What API keys there are: whose, for what, how old, and which secrets slip out.

use serde_json::Value;

use super::{made, organization};
use crate::keys::secret;
use crate::organization::Organization;
use crate::scenario::Scenario;

fn records(scenario: Scenario) -> (Organization, Vec<Value>) {
    let org = organization(scenario);
    let records = made(&org, "api_keys");
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
        let known: Vec<String> =
            (0..64).filter_map(|index| secret(&org, org.row("api_keys", index))).collect();
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
    let listed: Vec<String> = (0..10).map(|index| org.id("kafka_clusters", index)).collect();
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
        let bindings = (0..600).map(|index| org.record(org.row("role_bindings", index)));
        let bindings = bindings.collect::<String>();
        for index in 0..24 {
            let id = org.id("service_accounts", index);
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
