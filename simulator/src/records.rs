//! Records of people, their accounts and where they work, in the shapes recorded in the Terraform provider's
//! fixtures: optional fields come and go, references carry odd links, names hold anything.

use fastrand::Rng;

use crate::json::Object;
use crate::organization::{self, ALIAS, HOST, Organization, Row};
use crate::random::{one_in, pick};
use crate::time::rfc3339;

const FIRST: [&str; 12] = [
    "Ada", "Zoë", "Łukasz", "Siobhán", "José", "Mehmet", "Yuki", "Anneke", "D'Arcy", "Olu", "Chloe", "Björn",
];
const LAST: [&str; 12] = [
    "Okafor",
    "O’Neill",
    "Müller",
    "García-López",
    "Nowak",
    "Tanaka",
    "van der Berg",
    "Smith",
    "Åkesson",
    "Đorđević",
    "Lee",
    "Abd al-Rahman",
];
const ASCII: [&str; 8] = ["ada", "zoe", "lukas", "jose", "mehmet", "yuki", "olu", "chloe"];

/// 2020-01-01T12:00:00Z; nothing is older.
pub const FIRST_DAY: u64 = 1_577_880_000;
/// 2026-01-08T13:46:40Z, the present of ages; nothing is made later.
pub const LAST_DAY: u64 = FIRST_DAY + 190_000_000;

/// The moment a record was made. A fifth of the API keys are less than 90 days old on the last day:
/// by chance a small organization would have none.
fn born(org: &Organization, row: Row) -> u64 {
    let mut dice = org.dice(row, 5);
    if row.stream.name == "api_keys" && row.index % 5 == 3 {
        return LAST_DAY - dice.u64(..90 * 86_400);
    }
    FIRST_DAY + dice.u64(..LAST_DAY - FIRST_DAY)
}

/// What every record begins with.
pub fn head(org: &Organization, row: Row, name: &str, dice: &mut Rng) -> Object {
    let (stream, id, born) = (row.stream, org.id_of(row), born(org, row));
    let host = if stream.alias { ALIAS } else { HOST };
    let metadata = Object::new()
        .text("self", &format!("{host}{}/{id}", org.path(stream, org.home(row).0)))
        .text("resource_name", name)
        .text("created_at", &rfc3339(dice, born));
    let updated = born + dice.u64(..20_000_000);
    // Optional, like every field but the id; keys of the customer's own are recorded without.
    let lacks = ["organizations", "byok_keys"].contains(&stream.name) && org.scenario.rude;
    let metadata = if lacks { metadata } else { metadata.text("updated_at", &rfc3339(dice, updated)) };
    Object::new()
        .text("api_version", stream.api_version())
        .text("kind", stream.kind)
        .text("id", &id)
        .raw("metadata", &metadata.finish())
}

fn email(org: &Organization, index: u64) -> String {
    let mut dice = org.dice(org.row("users", index), 3);
    let name = pick(&mut dice, &ASCII);
    match dice.u32(..10) {
        0 => format!("{name}+audit{index}@example.com"),
        1 => format!("{}.{index}@Mail.Example.ORG", name.to_uppercase()),
        _ => format!("{name}.{index}@example.com"),
    }
}

pub fn user(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    // No organization in the names of users and service accounts, unlike the documents say.
    let name = format!("crn://confluent.cloud/user={id}");
    let mut object = head(org, row, &name, &mut dice).text("email", &email(org, row.index));
    if !one_in(&mut dice, 9) {
        let full = format!("{} {}", pick(&mut dice, &FIRST), pick(&mut dice, &LAST));
        object = object.text("full_name", if one_in(&mut dice, 30) { "" } else { &full });
    }
    match dice.u32(..20) {
        0 | 1 => object,
        2 => object.text("auth_type", "AUTH_TYPE_UNKNOWN"),
        3..=9 => object.text("auth_type", "AUTH_TYPE_LOCAL"),
        _ => object.text("auth_type", "AUTH_TYPE_SSO"),
    }
}

/// A reference as recorded, to be finished: the link may be plain http, empty, a bare word or missing.
pub fn refer(dice: &mut Rng, id: &str, link: &str, name: &str) -> Object {
    let related = match dice.u32(..12) {
        0 => None,
        1 => Some(String::new()),
        2 => Some(link.replace("https://", "http://")),
        3 => Some("cloud".to_owned()),
        _ => Some(link.to_owned()),
    };
    Object::new().text("id", id).maybe("related", related.as_deref()).text("resource_name", name)
}

/// A reference to a user or a service account.
pub fn person(org: &Organization, dice: &mut Rng, (stream, id): (&str, &str)) -> String {
    let link = format!("{HOST}{}/{id}", org.stream(stream).path);
    let word = if stream == "users" { "user" } else { "service-account" };
    refer(dice, id, &link, &format!("crn://confluent.cloud/{word}={id}")).finish()
}

pub fn invitation(org: &Organization, row: Row) -> Object {
    const STATUSES: [&str; 5] = ["SENT", "ACCEPTED", "EXPIRED", "STAGED", "DEACTIVATED"];
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    let index = row.index;
    let status = if index < 5 { STATUSES[index as usize] } else { pick(&mut dice, &STATUSES) };
    // An invitation makes its user at once; whether the listing shows one not yet accepted is unknown.
    let users = org.count("users");
    let invitee = if status == "ACCEPTED" && users > 0 { index % users } else { users + index };
    let name = format!("{}/invitation={id}", org.crn());
    let email = email(org, invitee);
    // People type their own address in capitals as they like.
    let email = if index % 5 == 1 { email.to_uppercase() } else { email };
    let mut object = head(org, row, &name, &mut dice)
        .text("email", &email)
        .text("auth_type", pick(&mut dice, &["AUTH_TYPE_LOCAL", "AUTH_TYPE_SSO"]))
        .text("status", &format!("INVITE_STATUS_{status}"));
    let sent = born(org, row);
    if status == "ACCEPTED" {
        object = object.text("accepted_at", &rfc3339(&mut dice, sent + 86_400));
    } else if index.is_multiple_of(2) {
        object = object.raw("accepted_at", "null");
    }
    // Recorded validity: seven days.
    object = object.text("expires_at", &rfc3339(&mut dice, sent + 7 * 86_400));
    let user = person(org, &mut dice, ("users", &org.id("users", invitee)));
    object = object.raw("user", &user);
    let creator = match dice.u32(..10) {
        0 => return object,
        1 | 2 => "service_accounts",
        _ => "users",
    };
    let by = org.id(creator, dice.u64(..org.count(creator).clamp(1, 40)));
    let by = person(org, &mut dice, (creator, &by));
    object.raw("creator", &by)
}

pub fn service_account(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    let (name, index) = (format!("crn://confluent.cloud/service-account={id}"), row.index);
    let display = match dice.u32(..12) {
        0 => format!("the \"{index}\" pipeline"),
        1 => format!("søk-indexer-{index} 🦀"),
        2 => format!("C:\\jobs\\{index}"),
        3 => format!("tabs\tand\nlines {index}"),
        4 => format!("R&D <{index}>"),
        _ => {
            format!("{}-{index}", pick(&mut dice, &["orders", "billing-sink", "ci", "terraform", "connect"]))
        }
    };
    let object = head(org, row, &name, &mut dice).text("display_name", &display);
    match dice.u32(..6) {
        0 => object,
        1 => object.text("description", ""),
        2 => object.text("description", "Reads `orders.*`; owner: data & analytics\u{2028}since 2021"),
        _ => object.text("description", &format!("Service account number {index}")),
    }
}

pub fn organization_id(org: &Organization, row: Row) -> String {
    organization::organization_id(org.scenario.seed, row.index)
}

pub fn organization(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    let name = format!("crn://confluent.cloud/organization={id}");
    let display = if row.index == 0 { org.name.clone() } else { format!("Subsidiary {}", row.index) };
    head(org, row, &name, &mut dice)
        .text("display_name", &display)
        .raw("jit_enabled", pick(&mut dice, &["true", "false"]))
}

pub fn environment(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    let name = format!("{}/environment={id}", org.crn());
    let display = match row.index {
        0 => "default".to_owned(),
        1 => "production".to_owned(),
        2 => "staging (EU)".to_owned(),
        index => format!("env {index}"),
    };
    let object = head(org, row, &name, &mut dice).text("display_name", &display);
    match dice.u32(..3) {
        0 => object,
        1 => object.raw("stream_governance_config", r#"{"package":"ESSENTIALS"}"#),
        _ => object.raw("stream_governance_config", r#"{"package":"ADVANCED"}"#),
    }
}
