//! Connectors, as a client gets them.

use serde_json::{Value, json};

use super::{Scenario, Simulator, get, json as body, patient};

fn path(environment: &str, cluster: &str) -> String {
    format!("/connect/v1/environments/{environment}/clusters/{cluster}/connectors")
}

/// The environment and the cluster of each cluster.
fn places(sim: &Simulator) -> Vec<(String, String)> {
    let homes = sim.truth().homes("kafka_clusters").into_iter().map(|mut homes| homes.remove(0));
    homes.zip(sim.truth().ids("kafka_clusters")).collect()
}

fn connectors(sim: &Simulator, environment: &str, cluster: &str) -> Vec<(String, Value)> {
    let answer = patient(sim, &format!("{}?expand=id,info,status", path(environment, cluster)));
    assert_eq!(answer.status, 200);
    body(&answer).as_object().unwrap().clone().into_iter().collect()
}

#[test]
fn the_connectors_of_all_clusters_are_the_truth_under_their_names() {
    for seed in 0..12 {
        let sim = Simulator::start(Scenario::new().seed(seed).connectors(5));
        let (mut all, mut homes, mut empty) = (Vec::new(), Vec::new(), 0);
        for (environment, cluster) in places(&sim) {
            let found = connectors(&sim, &environment, &cluster);
            assert!(found.iter().all(|(name, row)| row["info"]["name"] == name.as_str()));
            empty += usize::from(found.is_empty());
            homes.extend(found.iter().map(|_| vec![environment.clone(), cluster.clone()]));
            all.extend(found.into_iter().map(|(_, row)| row));
        }
        assert_eq!(
            (all.as_slice(), &homes),
            (sim.truth().records("connectors"), &sim.truth().homes("connectors"))
        );
        let ids: Vec<&str> = all.iter().map(|row| row["id"]["id"].as_str().unwrap()).collect();
        assert_eq!(
            (ids.as_slice(), empty),
            (sim.truth().ids("connectors").iter().map(String::as_str).collect::<Vec<_>>().as_slice(), 1)
        );
    }
    let none = Simulator::start(Scenario::new().polite().connectors(0));
    let (environment, cluster) = places(&none).remove(0);
    assert_eq!(get(&none, &format!("{}?expand=id", path(&environment, &cluster))).body, b"{}");
}

#[test]
fn parts_come_if_they_are_asked_for_and_nothing_comes_in_pages() {
    let sim = Simulator::start(Scenario::new().polite().seed(1).connectors(60));
    let (environment, cluster) = places(&sim).remove(0);
    let path = path(&environment, &cluster);
    let all = connectors(&sim, &environment, &cluster);
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 60);
    assert_eq!(body(&get(&sim, &format!("{path}?page_size=7"))), json!(names));
    let part = body(&get(&sim, &format!("{path}?expand=id&expand=status")));
    assert_eq!(part[names[0]]["id"], all[0].1["id"]);
    assert!(part.as_object().unwrap().values().all(|row| row.get("info").is_none()));
    for place in
        ["/status", "/extensions", "/info/config/connector.class", "/info/tasks/0", "/status/tasks/0"]
    {
        let some = all.iter().filter(|(_, row)| row.pointer(place).is_some()).count();
        assert!(some > 0 && some < 60, "{place} {some}");
    }
    assert_eq!(get(&sim, &format!("{path}/{}", sim.truth().ids("connectors")[0])).status, 404);
}

#[test]
fn what_is_not_there_or_refused_is_told_in_an_object() {
    let refused = |which: &str| {
        let sim = Simulator::start(Scenario::new().polite().seed(3).refuse(which));
        let status =
            |(environment, cluster): &(String, String)| get(&sim, &path(environment, cluster)).status;
        places(&sim).iter().map(status).collect::<Vec<_>>()
    };
    assert_eq!(refused("connectors"), [403; 6]);
    assert_eq!(refused("connectors/#4"), [200, 200, 200, 200, 403, 200]);
    let sim = Simulator::start(Scenario::new().polite().seed(3));
    let places = places(&sim);
    assert_eq!(refused(&format!("connectors/{}", places[2].0)), [200, 200, 403, 403, 200, 200]);
    assert_eq!(refused(&format!("connectors/{}", places[2].1)), [200, 200, 403, 200, 200, 200]);
    for (environment, cluster, status) in [
        ("env-nosuch", places[0].1.as_str(), 404),
        (&places[0].0, "lkc-nosuch", 403),
        (&places[0].0, &places[2].1, 403),
    ] {
        let answer = get(&sim, &path(environment, cluster));
        assert_eq!((answer.status, &body(&answer)["error"]["code"]), (status, &status.into()));
    }
}

#[test]
fn secrets_that_nobody_masked_are_known() {
    let sim = Simulator::start(Scenario::new().environments(1).kafka_clusters(1).connectors(100));
    let (secrets, records) = (sim.connector_secrets(), sim.truth().records("connectors"));
    assert!(!secrets.is_empty() && secrets.len() < 60, "{}", secrets.len());
    for secret in secrets {
        let holds = |place: &str| {
            records
                .iter()
                .filter(|row| row.pointer(place).is_some_and(|part| part.to_string().contains(&secret)))
                .count()
        };
        assert_eq!([holds("/info/config"), holds("/info"), holds("/status")], [1, 1, 0]);
    }
    let polite = Simulator::start(Scenario::new().polite());
    assert_eq!(polite.connector_secrets(), [] as [String; 0]);
}

#[test]
fn a_rude_service_stumbles_over_maps_too() {
    let met = (0..30).map(|seed| {
        let sim = Simulator::start(Scenario::new().seed(seed));
        for (environment, cluster) in places(&sim) {
            connectors(&sim, &environment, &cluster);
        }
        sim.faults_met()
    });
    assert!(met.sum::<u64>() > 0);
}
