//! A check and `--test` ask for what a read would ask for, within bounds, and say what they left out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::airbyte::{self, Heard, Level};
use crate::support::pretend::{Asked, CRN, Pretend, Reply, binding, environment, ordinary};

const BINDINGS: &str = "/iam/v2/role-bindings";
const CLUSTERS: &str = "/cmk/v2/clusters";

fn check(service: &Pretend, streams: &[&str]) -> Heard {
    airbyte::check(service.tap().set("streams", json!(streams)).set("max_retries", 0))
}

/// The patterns that were asked for by listings, with the number of pages of each.
fn patterns(service: &Pretend) -> BTreeMap<String, usize> {
    let mut patterns = BTreeMap::new();
    for asked in service.asked(BINDINGS).iter().filter(|asked| asked.parameter("principal").is_none()) {
        *patterns.entry(asked.parameter("crn_pattern").unwrap().replace(CRN, "ORG")).or_default() += 1;
    }
    patterns
}

/// A bare listing of so many pages, each with a binding of the organization; on one of them is, beside it, one of
/// an environment.
fn bare(pages: usize, proof: Option<usize>) -> Pretend {
    Pretend::start(move |asked: &Asked| {
        if asked.path != BINDINGS || asked.parameter("principal").is_some() {
            return ordinary(asked);
        }
        if asked.parameter("crn_pattern").unwrap().ends_with("/*") {
            return Reply::page([binding("rb-nested", &format!("{CRN}/environment=env-1"))], None);
        }
        let page: usize = asked.parameter("page_token").map_or(1, |token| token.parse().unwrap());
        let mut rows = vec![binding(&format!("rb-{page}"), CRN)];
        if proof == Some(page) {
            rows.push(binding("rb-proof", &format!("{CRN}/environment=env-1")));
        }
        let next = (page + 1).to_string();
        Reply::page(rows, (page < pages).then_some(next.as_str()))
    })
}

#[test]
fn the_bare_listing_is_followed_until_it_proves_complete_or_ends() {
    for (pages, proof, expected) in [
        (1, Some(1), vec![("ORG", 1)]),
        (5, Some(3), vec![("ORG", 3)]),
        (1, None, vec![("ORG", 1), ("ORG/*", 1)]),
        (4, None, vec![("ORG", 4), ("ORG/*", 1)]),
        (10, None, vec![("ORG", 10), ("ORG/*", 1)]),
        (50, None, vec![("ORG", 10)]),
    ] {
        let service = bare(pages, proof);
        let heard = check(&service, &["role_bindings"]);
        heard.succeeded();
        let expected = expected.iter().map(|(pattern, count)| ((*pattern).to_owned(), *count));
        assert_eq!(patterns(&service), expected.collect(), "{pages} pages, {proof:?}");
        let says = heard.logs(Level::Warn).iter().any(|line| line.contains("10 pages"));
        assert_eq!(says, pages == 50, "{:?}", heard.logs(Level::Warn));
    }
}

#[test]
fn test_sends_the_same_requests_and_emits_one_record() {
    let service = bare(4, None);
    let run = service.tap().set("streams", json!(["role_bindings"])).arg("--test").run().expect_code(0);
    assert_eq!(run.ids("role_bindings"), ["rb-1"]);
    assert_eq!(patterns(&service).values().sum::<usize>(), 5);
    let bookmark = run.bookmark("role_bindings");
    assert!(crate::support::has_no_position(&bookmark), "{bookmark}");
}

#[test]
fn a_refused_nested_listing_fails_the_check_as_it_fails_a_read() {
    let service = Pretend::start(|asked| match asked.parameter("crn_pattern") {
        Some(pattern) if pattern.ends_with("/*") => Reply::new(403, "{}"),
        _ => ordinary(asked),
    });
    let heard = check(&service, &["role_bindings"]);
    heard.failed(&["role_bindings", "each environment", "403"]);
    let read = service.tap().set("streams", json!(["role_bindings"])).run();
    drop(read.expect_code(3).expect_line("ERROR", ["each environment was read separately"]));
}

/// So many environments, of which the clusters are answered by the function, else one cluster in each.
fn environments(
    count: usize,
    clusters: impl Fn(&str, &Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Pretend {
    Pretend::start(move |asked: &Asked| match asked.path.as_str() {
        "/org/v2/environments" => {
            Reply::page((0..count).map(|number| environment(&format!("env-{number:02}"))), None)
        }
        CLUSTERS => {
            let id = asked.parameter("environment").unwrap();
            let cluster = json!({"id": format!("lkc-{id}"), "spec": {"environment": {"id": id}}});
            clusters(id, asked).unwrap_or_else(|| Reply::page([cluster], Some("more")))
        }
        _ => ordinary(asked),
    })
}

#[test]
fn each_environment_is_asked_for_one_page_of_full_size() {
    let service = environments(15, |_, _| None);
    check(&service, &["kafka_clusters"]).succeeded();
    let asked = service.asked(CLUSTERS);
    assert_eq!(asked.len(), 15);
    assert!(asked.iter().all(|asked| asked.parameter("page_size") == Some("100")));
    assert!(asked.iter().all(|asked| asked.parameter("page_token").is_none()));
    assert_eq!(service.asked("/org/v2/environments").len(), 1);
}

#[test]
fn environments_are_listed_once_for_all_who_need_them() {
    let service = environments(3, |_, _| None);
    let refusing = Pretend::start({
        let inner = environments(3, |_, _| None);
        move |asked| match asked.path.as_str() {
            "/org/v2/organizations" => Reply::new(403, "{}"),
            _ if inner.url.is_empty() => Reply::new(500, "{}"),
            _ => ordinary(asked),
        }
    });
    check(&service, &["kafka_clusters"]).succeeded();
    check(&refusing, &["kafka_clusters", "users"]).succeeded();
    for service in [&service, &refusing] {
        assert_eq!(service.asked("/org/v2/environments").len(), 1);
    }
}

#[test]
fn a_refused_environment_anywhere_fails_the_check() {
    let service = environments(9, |id, _| (id == "env-07").then(|| Reply::new(403, "{}")));
    check(&service, &["kafka_clusters"]).failed(&["kafka_clusters", "env-07", "denied"]);
}

#[test]
fn refused_environments_count_as_listings() {
    let service = environments(45, |_, _| Some(Reply::new(403, "{}")));
    check(&service, &["kafka_clusters"]).failed(&["kafka_clusters", "20 listings are denied"]);
    assert_eq!(service.asked(CLUSTERS).len(), 20);
}

#[test]
fn a_check_reads_at_most_twenty_listings_and_says_so() {
    let service = environments(45, |_, _| None);
    let heard = check(&service, &["kafka_clusters"]);
    heard.succeeded();
    assert_eq!(service.asked(CLUSTERS).len(), 20);
    heard.expect_log(Level::Warn, &["kafka_clusters", "20", "listings"]);
}

#[test]
fn a_check_makes_at_most_a_hundred_requests_and_says_so() {
    // Every page is empty and has a next link, so that none of them tells anything.
    let service = environments(20, |id, asked| {
        let page: u32 = asked
            .parameter("page_token")
            .map_or(0, |token| token.rsplit('-').next().unwrap().parse().unwrap());
        Some(Reply::page([], Some(&format!("{id}-{}", page + 1))))
    });
    let every = crate::support::EVERY;
    let heard = check(&service, &every);
    assert!(service.asked("").len() <= 100, "{} requests", service.asked("").len());
    let said = heard.logs(Level::Warn).join("\n");
    airbyte::has_words(&said, &["kafka_clusters", "requested"]);
}

#[test]
fn an_empty_first_page_does_not_prove_that_a_list_is_empty() {
    let service = Pretend::start(|asked| match (asked.path.as_str(), asked.parameter("page_token")) {
        ("/iam/v2/users", None) => Reply::page([], Some("second")),
        _ => ordinary(asked),
    });
    check(&service, &["users"]).succeeded();
    assert_eq!(service.asked("/iam/v2/users").len(), 2);
}

/// What a look-up finds decides what a read does, so a check does not cut it.
#[test]
fn a_check_looks_up_the_organization_behind_as_many_pages_as_a_read() {
    let service = Pretend::but("/org/v2/organizations", |asked| {
        let page: u32 = asked.parameter("page_token").map_or(1, |token| token.parse().unwrap());
        if page < 15 { Reply::page([], Some(&(page + 1).to_string())) } else { ordinary(asked) }
    });
    check(&service, &["role_bindings"]).succeeded();
    assert_eq!(service.asked("/org/v2/organizations").len(), 15);
    assert!(service.asked("/org/v2/environments").is_empty(), "the look-up fell back");
}

#[test]
fn a_check_finds_what_would_break_a_read_on_its_first_page() {
    let service = Pretend::start(|asked| match asked.path.as_str() {
        "/iam/v2/users" => Reply::page([json!({"id": "u-1"}), json!({"email": "nobody"})], None),
        _ => ordinary(asked),
    });
    check(&service, &["users"]).failed(&["users", "without"]);
    let wrong = |value: Value| json!({"id": "u-1", "email": value});
    let service = Pretend::start(move |asked| match asked.path.as_str() {
        "/iam/v2/users" => Reply::page([wrong(json!("a@b.c")), wrong(json!(5))], None),
        _ => ordinary(asked),
    });
    let drift = service.tap().set("streams", json!(["users"])).set("schema_drift", "fail");
    airbyte::check(drift).failed(&["users", "schema"]);
}
