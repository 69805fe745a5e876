//! Records of every stream but role bindings, in the shapes recorded in the Terraform provider's
//! fixtures: optional fields come and go, references carry odd links, names hold anything.

use fastrand::Rng;

use crate::json::Object;
use crate::organization::{HOST, Organization};
use crate::random::{one_in, pick, short_id};
use crate::stream::Stream;
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

/// The moment record number `index` was made, in seconds of 2020 and later.
fn born(org: &Organization, stream: Stream, index: u64) -> u64 {
    1_577_880_000 + org.dice(stream, index, 5).u64(..190_000_000)
}

fn head(org: &Organization, (stream, index): (Stream, u64), id: &str, name: &str, dice: &mut Rng) -> Object {
    let born = born(org, stream, index);
    let metadata = Object::new()
        .text("self", &format!("{HOST}{}/{id}", stream.path()))
        .text("resource_name", name)
        .text("created_at", &rfc3339(dice, born));
    let updated = born + dice.u64(..20_000_000);
    // Optional, like every field but the id.
    let metadata = if stream == Stream::Organizations && org.scenario.rude {
        metadata
    } else {
        metadata.text("updated_at", &rfc3339(dice, updated))
    };
    Object::new()
        .text("api_version", stream.api_version())
        .text("kind", stream.kind())
        .text("id", id)
        .raw("metadata", &metadata.finish())
}

fn email(org: &Organization, index: u64) -> String {
    let mut dice = org.dice(Stream::Users, index, 3);
    let name = pick(&mut dice, &ASCII);
    match dice.u32(..10) {
        0 => format!("{name}+audit{index}@example.com"),
        1 => format!("{}.{index}@Mail.Example.ORG", name.to_uppercase()),
        _ => format!("{name}.{index}@example.com"),
    }
}

pub fn user(org: &Organization, index: u64) -> Object {
    let mut dice = org.dice(Stream::Users, index, 0);
    let id = org.id_of(Stream::Users, index);
    // No organization in the names of users and service accounts, unlike the documents say.
    let name = format!("crn://confluent.cloud/user={id}");
    let mut object =
        head(org, (Stream::Users, index), &id, &name, &mut dice).text("email", &email(org, index));
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

/// A reference as recorded: the link may be plain http, empty, a bare word or missing.
fn reference(dice: &mut Rng, stream: Stream, id: &str) -> String {
    let link = format!("{HOST}{}/{id}", stream.path());
    let related = match dice.u32(..12) {
        0 => None,
        1 => Some(String::new()),
        2 => Some(link.replace("https://", "http://")),
        3 => Some("cloud".to_owned()),
        _ => Some(link),
    };
    let word = if stream == Stream::Users { "user" } else { "service-account" };
    Object::new()
        .text("id", id)
        .maybe("related", related.as_deref())
        .text("resource_name", &format!("crn://confluent.cloud/{word}={id}"))
        .finish()
}

pub fn invitation(org: &Organization, index: u64) -> Object {
    const STATUSES: [&str; 5] = ["SENT", "ACCEPTED", "EXPIRED", "STAGED", "DEACTIVATED"];
    let mut dice = org.dice(Stream::Invitations, index, 0);
    let id = org.id_of(Stream::Invitations, index);
    let status = if index < 5 { STATUSES[index as usize] } else { pick(&mut dice, &STATUSES) };
    // An invitation makes its user at once; whether the listing shows one not yet accepted is unknown.
    let users = org.scenario.users;
    let invitee = if status == "ACCEPTED" && users > 0 { index % users } else { users + index };
    let name = format!("{}/invitation={id}", org.crn());
    let email = email(org, invitee);
    // People type their own address in capitals as they like.
    let email = if index % 5 == 1 { email.to_uppercase() } else { email };
    let mut object = head(org, (Stream::Invitations, index), &id, &name, &mut dice)
        .text("email", &email)
        .text("auth_type", pick(&mut dice, &["AUTH_TYPE_LOCAL", "AUTH_TYPE_SSO"]))
        .text("status", &format!("INVITE_STATUS_{status}"));
    let sent = born(org, Stream::Invitations, index);
    if status == "ACCEPTED" {
        object = object.text("accepted_at", &rfc3339(&mut dice, sent + 86_400));
    } else if index.is_multiple_of(2) {
        object = object.raw("accepted_at", "null");
    }
    // Recorded validity: seven days.
    object = object.text("expires_at", &rfc3339(&mut dice, sent + 7 * 86_400));
    let user = org.id_of(Stream::Users, invitee);
    let user = reference(&mut dice, Stream::Users, &user);
    object = object.raw("user", &user);
    let creator = match dice.u32(..10) {
        0 => return object,
        1 | 2 => Stream::ServiceAccounts,
        _ => Stream::Users,
    };
    let by = org.id_of(creator, dice.u64(..org.count(creator).clamp(1, 40)));
    let by = reference(&mut dice, creator, &by);
    object.raw("creator", &by)
}

pub fn service_account(org: &Organization, index: u64) -> Object {
    let mut dice = org.dice(Stream::ServiceAccounts, index, 0);
    let id = org.id_of(Stream::ServiceAccounts, index);
    let name = format!("crn://confluent.cloud/service-account={id}");
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
    let object =
        head(org, (Stream::ServiceAccounts, index), &id, &name, &mut dice).text("display_name", &display);
    match dice.u32(..6) {
        0 => object,
        1 => object.text("description", ""),
        2 => object.text("description", "Reads `orders.*`; owner: data & analytics\u{2028}since 2021"),
        _ => object.text("description", &format!("Service account number {index}")),
    }
}

pub fn organization(org: &Organization, index: u64) -> Object {
    let mut dice = org.dice(Stream::Organizations, index, 0);
    let id = org.id_of(Stream::Organizations, index);
    let name = format!("crn://confluent.cloud/organization={id}");
    let display = if index == 0 { org.name.clone() } else { format!("Subsidiary {index}") };
    head(org, (Stream::Organizations, index), &id, &name, &mut dice)
        .text("display_name", &display)
        .raw("jit_enabled", pick(&mut dice, &["true", "false"]))
}

pub fn environment(org: &Organization, index: u64) -> Object {
    let mut dice = org.dice(Stream::Environments, index, 0);
    let id = org.id_of(Stream::Environments, index);
    let name = format!("{}/environment={id}", org.crn());
    let display = match index {
        0 => "default".to_owned(),
        1 => "production".to_owned(),
        2 => "staging (EU)".to_owned(),
        _ => format!("env {index}"),
    };
    let object =
        head(org, (Stream::Environments, index), &id, &name, &mut dice).text("display_name", &display);
    match dice.u32(..3) {
        0 => object,
        1 => object.raw("stream_governance_config", r#"{"package":"ESSENTIALS"}"#),
        _ => object.raw("stream_governance_config", r#"{"package":"ADVANCED"}"#),
    }
}

fn key_resource(org: &Organization, dice: &mut Rng, kind: &str) -> String {
    let short = short_id(org.scenario.seed, 77, dice.u64(..40));
    let id = match kind {
        "Cluster" => format!("lkc-{short}"),
        "SchemaRegistry" => format!("lsrc-{short}"),
        "ksqlDB" => format!("lksqlc-{short}"),
        "Region" => "aws.us-east-1".to_owned(),
        other => other.to_lowercase(),
    };
    let environment = org.id_of(Stream::Environments, 0);
    Object::new()
        .text("id", &id)
        .maybe("environment", (kind == "Region").then_some(environment.as_str()))
        .text("related", "cloud")
        .text("resource_name", &format!("crn://confluent.cloud/{}={id}", kind.to_lowercase()))
        .text("api_version", if kind == "Cluster" { "cmk/v2" } else { "iam/v2" })
        .text("kind", kind)
        .finish()
}

pub fn api_key(org: &Organization, index: u64) -> Object {
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
        (kind, org.id_of(kind, owner))
    };
    // Recorded: a key's own name has another authority than everything else.
    let name = format!("crn://api.confluent.cloud/organization={}/api-key={id}", org.id);
    let resource = match index {
        0 => key_resource(org, &mut dice, "Cloud"),
        _ if one_in(&mut dice, 6) => "null".to_owned(),
        _ => {
            let kind = pick(&mut dice, &KINDS);
            key_resource(org, &mut dice, kind)
        }
    };
    let mut spec = Object::new()
        .text("display_name", &format!("key {index}"))
        .text("description", pick(&mut dice, &["", "made by terraform", "for the \"nightly\" job"]));
    if one_in(&mut dice, 2) {
        spec = spec.text("secret", "");
    }
    let owner = reference(&mut dice, kind, &owner);
    spec = spec.raw("owner", &owner).raw("resource", &resource);
    if index > 0 && one_in(&mut dice, 8) {
        let (one, two) = (key_resource(org, &mut dice, "Cluster"), key_resource(org, &mut dice, "Cluster"));
        spec = spec.raw("resources", &format!("[{one},{two}]"));
    }
    head(org, (Stream::ApiKeys, index), &id, &name, &mut dice).raw("spec", &spec.finish())
}
