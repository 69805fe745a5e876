//! Role bindings that are granted while somebody reads.

use std::collections::HashSet;

use serde_json::Value;
use simulator::{BindingsServer, Grant, Scenario, Simulator};

use crate::client::{bindings, encode, get, next, organization, read_all};

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn granted(sim: &Simulator) -> Vec<Value> {
    sim.granted().into_iter().map(|granted| granted.record).collect()
}

#[test]
fn bindings_granted_between_the_listings_are_in_the_second_only() {
    for server in [BindingsServer::Inclusive, BindingsServer::NestedOnly] {
        for grant in [Grant::of_organization(3), Grant::in_environments(3)] {
            let scenario = Scenario::new().seed(5).bindings(server).role_bindings(100);
            let sim = Simulator::start(scenario.grant(grant.clone().between_listings()));
            let top = organization(&sim);
            let (truth, bare) = (sim.truth().records("role_bindings").to_vec(), bindings(&sim, &top));
            assert!(granted(&sim).is_empty());
            let nested = bindings(&sim, &format!("{top}/*"));
            let new = granted(&sim);
            assert_eq!((new.len(), sim.truth().records("role_bindings")), (3, truth.as_slice()));
            let of_organization = new.iter().filter(|row| row["crn_pattern"] == top.as_str()).count();
            let shown = match (server, of_organization) {
                (BindingsServer::NestedOnly, 3) => 0,
                (_, 0 | 3) => 3,
                other => panic!("{other:?}"),
            };
            assert_eq!(nested[nested.len() - shown..], new[..shown]);
            assert!(sim.granted().iter().all(|granted| granted.listed == (shown == 3)));
            assert!(!ids(&bare).iter().any(|id| ids(&new).contains(id)));
            assert_eq!(bindings(&sim, &top).len(), bare.len() + of_organization);
        }
    }
}

#[test]
fn what_is_granted_in_front_moves_rows_on_and_hides_none() {
    let sim = Simulator::start(Scenario::new().polite().role_bindings(60).organization_bindings(40));
    let top = organization(&sim);
    let path = format!("/iam/v2/role-bindings?crn_pattern={}&page_size=10", encode(&top));
    sim.grant(Grant::of_organization(2).after(2).in_front());
    sim.grant(Grant::of_organization(1).after(3));
    let (mut rows, mut place) = (Vec::new(), String::new());
    loop {
        let page = get(&sim, &format!("{path}{place}")).json();
        rows.extend(ids(page["data"].as_array().unwrap()));
        let Some(token) = next(&page) else { break };
        place = format!("&page_token={}", encode(&token));
    }
    let original = sim.truth().records("role_bindings").iter();
    let original: Vec<Value> = original.filter(|row| row["crn_pattern"] == top.as_str()).cloned().collect();
    let (original, new) = (ids(&original), ids(&granted(&sim)));
    // The two rows before the third page came again on it; the two new ones stand before it.
    let expected = [&original[..20], &original[18..], &new[2..]].concat();
    assert_eq!(rows, expected);
    let listed: Vec<bool> = sim.granted().iter().map(|granted| granted.listed).collect();
    assert_eq!(listed, [false, false, true]);
    assert_eq!(ids(&bindings(&sim, &top)), [&new[..2], &original, &new[2..]].concat());
    assert_eq!(sim.granted().iter().filter(|granted| granted.listed).count(), 3);
}

#[test]
fn granted_bindings_are_like_any_other_and_the_same_for_the_same_seed() {
    let start = || {
        let sim = Simulator::start(Scenario::new().seed(3).environments(2));
        sim.grant(Grant::in_environments(20));
        sim.grant(Grant::of_organization(20).in_front());
        sim
    };
    let sim = start();
    let new = granted(&sim);
    assert_eq!(new, granted(&start()));
    let mut all = sim.truth().ids("role_bindings");
    all.extend(ids(&new));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 264 + 40);
    let top = organization(&sim);
    let within = format!("{top}/environment=");
    for (place, row) in new.iter().enumerate() {
        let scope = row["crn_pattern"].as_str().unwrap();
        assert!(if place < 20 { scope.starts_with(&within) } else { scope == top }, "{scope}");
    }
    let id = new[0]["id"].as_str().unwrap();
    assert_eq!(get(&sim, &format!("/iam/v2/role-bindings/{id}")).json(), new[0]);
    let principal = new[39]["principal"].as_str().unwrap();
    let path = format!("/iam/v2/role-bindings?crn_pattern={}&principal={}", encode(&top), encode(principal));
    assert!(read_all(&sim, &path).contains(&new[39]));
    assert!(sim.granted().iter().all(|granted| !granted.listed), "a look-up is no listing");
}
