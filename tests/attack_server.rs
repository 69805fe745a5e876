//! What a service may repeat, blow up or say in other words, and what a check must not pass over.

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::airbyte;
use crate::support::pretend::{Asked, CRN, Pretend, Reply, binding, environment, ordinary, organization};

/// KiB that a run may ever have had in memory, whatever it was sent.
const MEMORY: u64 = 120 * 1024;

/// An ordinary service but for one path.
fn but(path: &'static str, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Pretend {
    Pretend::start(move |asked: &Asked| if asked.path == path { answer(asked) } else { ordinary(asked) })
}

fn refusal() -> Reply {
    Reply::new(403, r#"{"errors":[{"detail":"not for you"}]}"#)
}

#[test]
fn a_check_asks_each_stream_whatever_the_look_ups_took() {
    let service = Pretend::start(|asked: &Asked| {
        let page: usize = asked.parameter("page_token").map_or(0, |token| token.parse().unwrap());
        match asked.path.as_str() {
            "/org/v2/environments" if page < 99 => {
                Reply::page([environment(&format!("env-{page:02}"))], Some(&(page + 1).to_string()))
            }
            "/cmk/v2/clusters" => refusal(),
            _ => ordinary(asked),
        }
    });
    let tap = service.tap().set("streams", json!(["kafka_clusters"])).set("page_size", 1);
    drop(airbyte::check(tap).failed(&["kafka_clusters", "403"]));
}

#[test]
fn an_organization_that_is_listed_twice_is_one() {
    let service = but("/org/v2/organizations", |_| Reply::page([organization(), organization()], None));
    let run = service.tap().run().expect_code(0);
    assert_eq!(run.ids("role_bindings"), ["rb-1", "rb-2"]);
}

#[test]
fn somebody_elses_role_does_not_make_the_owner_an_admin() {
    let service = Pretend::start(|asked: &Asked| {
        let mut other = binding("rb-1", CRN);
        other["principal"] = "User:u-other".into();
        match asked.parameter("principal") {
            Some(_) => Reply::page([other], None),
            None => ordinary(asked),
        }
    });
    let tap = service.tap().set("shortened_lists", "fail");
    drop(tap.run().expect_refusal(3, ["OrganizationAdmin", "shortened"]));
}

