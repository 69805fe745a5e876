//! Identity providers and their pools, as a client gets them.

use serde_json::Value;

use super::{Scenario, Simulator, get, json, patient, read};

fn pools(sim: &Simulator, provider: &str) -> Vec<Value> {
    read(sim, &format!("/iam/v2/identity-providers/{provider}/identity-pools?page_size=3"))
}

#[test]
fn the_pools_of_all_providers_are_the_truth_and_one_may_have_none() {
    for seed in 0..12 {
        let sim = Simulator::start(Scenario::new().seed(seed).identity_pools(7));
        let (providers, truth) = (sim.truth().ids("identity_providers"), sim.truth());
        let each: Vec<Vec<Value>> = providers.iter().map(|provider| pools(&sim, provider)).collect();
        let mut sizes: Vec<usize> = each.iter().map(Vec::len).collect();
        let homes: Vec<[&str; 1]> = providers
            .iter()
            .zip(&sizes)
            .flat_map(|(provider, size)| vec![[provider.as_str()]; *size])
            .collect();
        assert_eq!(
            (each.concat().as_slice(), truth.homes("identity_pools")),
            (
                truth.records("identity_pools"),
                homes.iter().map(|home| home.map(str::to_owned).to_vec()).collect()
            )
        );
        for place in 0..14 {
            assert_eq!(truth.record("identity_pools", place), each.concat()[place as usize], "{seed}");
        }
        sizes.sort_unstable();
        assert_eq!((sizes, truth.count("identity_pools")), (vec![0, 7, 7], 14), "{seed}");
    }
    for scenario in [Scenario::new().identity_providers(1), Scenario::new().polite().identity_providers(2)] {
        let sim = Simulator::start(scenario);
        assert_eq!(sim.truth().count("identity_pools"), 4 * sim.truth().count("identity_providers"));
    }
}

#[test]
fn a_pool_does_not_say_its_provider_and_a_provider_may_have_keys() {
    let sim = Simulator::start(Scenario::new().seed(1).identity_providers(40));
    for (pool, homes) in sim.truth().records("identity_pools").iter().zip(sim.truth().homes("identity_pools"))
    {
        let own = pool.as_object().unwrap().iter().filter(|(name, _)| *name != "metadata");
        assert!(!own.clone().any(|(_, value)| value.to_string().contains(&homes[0])), "{pool}");
        let link = format!(
            "https://confluent.cloud/api/iam/v2/identity-providers/{}/identity-pools/{}",
            homes[0],
            pool["id"].as_str().unwrap()
        );
        assert_eq!((&pool["metadata"]["self"], &pool["principal"]), (&link.into(), &pool["id"]));
    }
    let providers = sim.truth().records("identity_providers");
    let with = |place: &str| providers.iter().filter(|row| row.pointer(place).is_some()).count();
    for place in ["/keys", "/keys/0/kid", "/keys/0/x5c/0", "/identity_claim"] {
        assert!((1..40).contains(&with(place)), "{place}");
    }
    assert!(providers[0]["keys"][0]["kid"].is_string());
}

#[test]
fn links_to_more_are_under_the_web_alias_and_tokens_are_of_one_provider() {
    let sim = Simulator::start(Scenario::new().polite().identity_providers(11).identity_pools(11));
    let next = |path: &str| json(&get(&sim, path))["metadata"]["next"].as_str().unwrap().to_owned();
    let link = next("/iam/v2/identity-providers");
    assert!(link.starts_with("https://confluent.cloud/api/iam/v2/identity-providers?page_token="), "{link}");
    let ids = sim.truth().ids("identity_providers");
    let path = |id: &str| format!("/iam/v2/identity-providers/{id}/identity-pools");
    let link = next(&path(&ids[0]));
    let query = link.strip_prefix(&format!("https://confluent.cloud/api{}", path(&ids[0]))).unwrap();
    let status = |id: &str| get(&sim, &format!("{}{query}", path(id))).status;
    assert_eq!([status(&ids[0]), status(&ids[1])], [200, 400]);
}

#[test]
fn what_is_not_there_or_refused_is_told_with_a_code() {
    let sim = Simulator::start(Scenario::new().polite().refuse("identity_pools/#1"));
    let ids = sim.truth().ids("identity_providers");
    let path = |id: &str| format!("/iam/v2/identity-providers/{id}/identity-pools");
    let code = |target: &str| {
        let answer = get(&sim, target);
        (answer.status, json(&answer)["error_code"].as_u64())
    };
    assert_eq!(code(&path(&ids[0])), (200, None));
    assert_eq!(code(&path(&ids[1])), (403, Some(403)));
    assert_eq!(code(&path("op-nosuch")), (404, Some(404)));
    let pool = &sim.truth().ids("identity_pools")[0];
    assert_eq!(code(&format!("{}/{pool}", path(&ids[0]))), (200, None));
    assert_eq!(code(&format!("{}/{pool}", path(&ids[2]))), (404, Some(404)));
}

#[test]
fn bindings_name_providers_and_pools_that_are_listed() {
    let sim = Simulator::start(Scenario::new().seed(2).role_bindings(2000).identity_providers(9));
    let (providers, pools) = (sim.truth().ids("identity_providers"), sim.truth().ids("identity_pools"));
    let bindings = sim.truth().records("role_bindings").iter();
    let named = |place: &str, start: &str| -> Vec<String> {
        let texts = bindings.clone().filter_map(|row| row[place].as_str()?.split_once(start));
        texts.map(|(_, id)| id.to_owned()).collect()
    };
    let scopes = named("crn_pattern", "/identity-provider=");
    assert!(!scopes.is_empty() && scopes.iter().all(|id| providers.contains(id)));
    let principals = named("principal", "User:");
    assert!(principals.iter().any(|id| pools.contains(id)));
}

#[test]
fn pools_go_with_their_provider() {
    let mut sim = Simulator::start(Scenario::new().polite());
    let gone = sim.delete("identity_providers", 1).remove(0);
    assert_eq!(sim.truth().count("identity_pools"), 8);
    assert!(sim.truth().homes("identity_pools").iter().all(|homes| homes[0] != gone));
    let path = format!("/iam/v2/identity-providers/{gone}/identity-pools");
    assert_eq!(patient(&sim, &path).status, 404);
}
