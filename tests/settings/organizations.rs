//! Which organization a key belongs to, and the guard `organization_id`: only a look-up that is refused
//! altogether leaves it unverified.

use serde_json::json;

use crate::support::Tap;
use crate::support::airbyte;
use crate::support::pretend::{
    CRN, ORGANIZATION, Pretend, Reply, binding, environment, ordinary, organization,
};

const OTHER: &str = "00000000-1111-2222-3333-444444444444";

/// What the two look-ups answer, of organizations first.
fn answering(organizations: &Reply, environments: &Reply) -> Pretend {
    let (organizations, environments) = (organizations.clone(), environments.clone());
    Pretend::start(move |asked| match asked.path.as_str() {
        "/org/v2/organizations" => organizations.clone(),
        "/org/v2/environments" => environments.clone(),
        _ => ordinary(asked),
    })
}

fn guarded(service: &Pretend, id: &str) -> Tap<'static> {
    service.tap().set("organization_id", id)
}

fn empty() -> Reply {
    Reply::page([], None)
}

fn refused() -> Reply {
    Reply::new(403, r#"{"errors":[{"status":"403","detail":"Forbidden Access"}]}"#)
}

fn not_found() -> Reply {
    Reply::new(404, r#"{"errors":[{"status":"404","title":"Not Found"}]}"#)
}

#[test]
fn a_look_up_without_the_wanted_organization_is_denied_at_once() {
    let ours = || Reply::page([organization()], None);
    let an_environment = || Reply::page([environment("env-1")], None);
    let nameless = || Reply::page([json!({"id": "env-1"})], None);
    for (organizations, environments, wanted) in [
        (ours(), an_environment(), OTHER),
        (empty(), an_environment(), ORGANIZATION),
        (empty(), refused(), ORGANIZATION),
        (empty(), empty(), ORGANIZATION),
        (refused(), an_environment(), OTHER),
        (refused(), empty(), ORGANIZATION),
        (refused(), nameless(), ORGANIZATION),
        (not_found(), empty(), ORGANIZATION),
    ] {
        let service = answering(&organizations, &environments);
        let run = guarded(&service, wanted).run();
        drop(run.expect_refusal(3, ["organization_id", wanted]));
        assert!(service.asked("/iam/v2/users").is_empty());
        airbyte::check(guarded(&service, wanted)).failed(&["organization_id", wanted]);
    }
}

#[test]
fn one_look_up_that_answers_verifies_the_wanted_organization() {
    let an_environment = Reply::page([environment("env-1")], None);
    for organizations in [refused(), not_found(), Reply::page([organization()], None)] {
        let service = answering(&organizations, &an_environment);
        let run = guarded(&service, ORGANIZATION).run().expect_code(0);
        assert!(!run.says("WARN", &[""]), "it is verified");
    }
}

#[test]
fn only_where_both_look_ups_are_refused_is_the_setting_believed() {
    for (organizations, environments, words) in [
        (refused(), refused(), ["organizations is denied (403)", "environments is denied (403)"]),
        (not_found(), refused(), ["organizations is not found (404)", "environments is denied (403)"]),
        (refused(), not_found(), ["organizations is denied (403)", "environments is not found (404)"]),
    ] {
        let service = answering(&organizations, &environments);
        let run = guarded(&service, ORGANIZATION).run().expect_code(0);
        assert!(run.says("WARN", &["not verified", words[0], words[1]]), "{words:?}");
        assert_eq!(run.ids("role_bindings").len(), 2);
    }
}

#[test]
fn errors_distinguish_refused_not_found_and_empty_look_ups() {
    for (organizations, environments, words) in [
        (refused(), refused(), ["organizations is denied (403)", "environments is denied (403)"]),
        (empty(), refused(), ["organizations is empty", "environments is denied (403)"]),
        (not_found(), empty(), ["organizations is not found (404)", "environments is empty"]),
        (
            empty(),
            Reply::page([json!({"id": "env-1"})], None),
            ["organizations is empty", "environments contains none"],
        ),
    ] {
        let service = answering(&organizations, &environments);
        let run =
            service.tap().run().expect_code(3).expect_line("ERROR", ["role_bindings", "organization_id"]);
        assert!(run.says("WARN", &words), "{words:?}");
        assert_eq!(run.ids("users"), ["u-1"]);
    }
}

#[test]
fn a_base_url_at_which_nothing_is_served_is_a_wrong_setting() {
    for body in ["404 page not found\n", "<html>no</html>", ""] {
        let service = answering(&Reply::new(404, body), &Reply::page([environment("env-1")], None));
        drop(service.tap().run().expect_refusal(2, ["base_url", "404"]));
        airbyte::check(service.tap()).failed(&["base_url", "404"]);
    }
}

#[test]
fn environments_of_several_organizations_need_the_setting() {
    let mut other = environment("env-2");
    other["metadata"]["resource_name"] =
        json!(format!("crn://confluent.cloud/organization={OTHER}/environment=env-2"));
    let service = answering(&refused(), &Reply::page([environment("env-1"), other], None));
    drop(service.tap().run().expect_refusal(2, ["organization_id", ORGANIZATION, OTHER]));
    drop(guarded(&service, ORGANIZATION).run().expect_code(0));
}

#[test]
fn only_a_bare_organization_name_is_used_as_the_scope() {
    for name in [
        format!("{CRN}/environment=env-1"),
        format!("{CRN}/"),
        format!("{CRN}/*"),
        format!("crn://confluent.cloud/organization={OTHER}"),
        format!("crn://confluent.cloud/environment=env-1/organization={ORGANIZATION}"),
        "https://confluent.cloud".to_owned(),
        String::new(),
    ] {
        let mut row = organization();
        row["metadata"]["resource_name"] = json!(name);
        let service = Pretend::start(move |asked| match asked.path.as_str() {
            "/org/v2/organizations" => Reply::page([row.clone()], None),
            "/iam/v2/role-bindings" if asked.parameter("crn_pattern") == Some(CRN) => {
                Reply::page([binding("rb-1", &format!("{CRN}/environment=env-1"))], None)
            }
            "/iam/v2/role-bindings" => Reply::new(400, "{}"),
            _ => ordinary(asked),
        });
        let run = service.tap().set("streams", json!(["role_bindings"])).run().expect_code(0);
        assert_eq!(run.ids("role_bindings"), ["rb-1"], "{name}");
    }
}

#[test]
fn an_invalid_organization_id_is_refused() {
    for id in [json!(""), json!("x".repeat(256)), json!(5), json!(null)] {
        let service = answering(&Reply::page([json!({"id": id})], None), &empty());
        drop(service.tap().run().expect_refusal(5, ["without an id", "req-pretend-1"]));
    }
}
