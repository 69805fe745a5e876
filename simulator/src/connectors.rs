//! Connectors, in the shape recorded in the Terraform provider's fixtures and the specification:
//! what they are called, what they are set up with, and the secrets that somebody wrote in there.

use fastrand::Rng;

use crate::json::Object;
use crate::organization::{Organization, Row};
use crate::random::{base64, one_in, pick};

const MASK: &str = "****************";

/// Different within a cluster, alike among clusters; role bindings name the first two.
pub fn name(org: &Organization, row: Row) -> String {
    match org.home(row).1 {
        0 => "My S3 sink (prod)".to_owned(),
        1 => "PostgresCdcSource:1".to_owned(),
        place => match place % 3 {
            0 => format!("søk \"{place}\" 🦀"),
            1 => format!("orders/eu & us #{place}"),
            _ => format!("datagen_{place}"),
        },
    }
}

/// A secret that the service does not mask. When rude it lets one slip for the first connector of
/// each cluster, and for others.
pub fn secret(org: &Organization, row: Row) -> Option<String> {
    let mut dice = org.dice(row, 6);
    let slips = org.scenario.rude && (one_in(&mut dice, 4) || org.home(row).1 == 0);
    slips.then(|| base64(&mut dice, 48))
}

fn config(org: &Organization, row: Row, (name, class): (&str, &str), dice: &mut Rng) -> String {
    let mut config = Object::new().text("cloud.environment", "prod").text("cloud.provider", "aws");
    // Connectors of one's own have been seen without.
    if !one_in(dice, 9) {
        config = config.text("connector.class", class);
    }
    config = config
        .text("kafka.api.key", MASK)
        .text("kafka.api.secret", MASK)
        .text("kafka.endpoint", "SASL_SSL://pkc-abc456.us-east-1.aws.confluent.cloud:9092")
        .text("kafka.region", "us-east-1")
        .text("name", name)
        .text("tasks.max", "1");
    // Users write credentials wherever one can write.
    if let Some(secret) = secret(org, row) {
        config = match dice.u32(..4) {
            0 => config.text("connection.password", &secret),
            1 => config
                .text("connection.url", &format!("jdbc:postgresql://svc:{secret}@db.example.com/orders")),
            2 => config.text("http.headers", &format!("X-Team: data|Authorization: Bearer {secret}")),
            _ => config.text("transforms.mask.replacement", &secret),
        };
    }
    config.finish()
}

pub fn record(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = name(org, row);
    let (class, kind) = pick(
        &mut dice,
        &[
            ("S3_SINK", "sink"),
            ("PostgresCdcSourceV2", "source"),
            ("GcsSink", "Sink"),
            ("DatagenSourceInternal", "unknown"),
        ],
    );
    let state = pick(&mut dice, &["RUNNING", "RUNNING", "PAUSED", "FAILED", "PROVISIONING"]);
    let started = ["RUNNING", "FAILED"].contains(&state);
    let list = |task: Object| if started { format!("[{}]", task.finish()) } else { "[]".to_owned() };
    let info = Object::new()
        .text("name", &name)
        .text("type", kind)
        .raw("config", &config(org, row, (&name, class), &mut dice))
        .raw("tasks", &list(Object::new().text("connector", &name).raw("task", "0")));
    let trace = if state == "FAILED" { "Errors in the configuration:\ntopics: no such topic" } else { "" };
    let connector = Object::new().text("state", state).text("worker_id", &name).text("trace", trace);
    let task = Object::new().raw("id", "0").text("state", state).text("worker_id", &name).text("msg", trace);
    let status = Object::new()
        .text("name", &name)
        .text("type", kind)
        .raw("connector", &connector.finish())
        .raw("tasks", &list(task));
    let id = Object::new().text("id", &org.id_of(row)).text("id_type", "ID");
    let object = Object::new().raw("id", &id.finish()).raw("info", &info.finish());
    let object = if one_in(&mut dice, 12) { object } else { object.raw("status", &status.finish()) };
    if one_in(&mut dice, 3) { object } else { object.raw("extensions", "{}") }
}
