//! What the organization is billed: lines without an id, which arrive late, are corrected, and now and
//! then are taken back. The shape is that of recordings and the specification.

use fastrand::Rng;

use crate::clusters;
use crate::json::Object;
use crate::organization::{Organization, Row};
use crate::random::{dice, one_in, pick, short_id};
use crate::time::{Day, date};

/// What a line is about.
#[derive(Clone, Copy)]
enum About {
    Cluster,
    Connector,
    Registry,
    Ksql,
    /// The organization: no resource.
    Nothing,
}

/// Product, line type, unit and resource of a line, and whether it is one of several tiers.
type Line = (&'static str, &'static str, &'static str, About, bool);

/// The lines of a day, over and over. Those of tiers are told apart by nothing but tier, price and amounts.
const LINES: [Line; 12] = [
    ("KAFKA", "KAFKA_NETWORK_WRITE", "GB", About::Cluster, true),
    ("KAFKA", "KAFKA_NETWORK_WRITE", "GB", About::Cluster, true),
    ("CONNECT", "CONNECT_NUM_TASKS", "Task-hour", About::Connector, false),
    ("KAFKA", "KAFKA_NETWORK_WRITE", "GB", About::Cluster, true),
    ("SUPPORT_CLOUD_BUSINESS", "SUPPORT", "", About::Nothing, false),
    ("KAFKA", "KAFKA_STORAGE", "GB-hour", About::Cluster, false),
    ("KAFKA", "PROMO_CREDIT", "", About::Nothing, false),
    ("KSQL", "KSQL_NUM_CSUS", "CSU-hour", About::Ksql, false),
    ("STREAM_GOVERNANCE", "SCHEMA_REGISTRY", "Schema-hour", About::Registry, false),
    ("KAFKA", "KAFKA_NUM_CKUS", "CKU-hour", About::Cluster, false),
    ("CLUSTER_LINK", "CLUSTER_LINKING_PER_LINK", "Hour", About::Cluster, false),
    ("AUDIT_LOG", "AUDIT_LOG_READ", "GB", About::Nothing, false),
];

/// Which of the lines is taken back, of every third day, when its day has been over for a day.
const TAKEN_BACK: u64 = 1;

/// A line of one day. What it is does not change; what it says of money and tiers may.
struct Place {
    day: Day,
    /// Its number on that day.
    slot: u64,
    line: Line,
    /// Tiers of one thing have the number of the first.
    family: u64,
}

fn place(org: &Organization, row: Row) -> Place {
    let (day, slot) = org.dated(row);
    let count = LINES.len() as u64;
    let line = LINES[(slot % count) as usize];
    let family = if line.4 { slot - slot % count } else { slot };
    Place { day, slot, line, family }
}

/// Dice that depend on the date, and not on when the organization began.
fn throw(org: &Organization, row: Row, parts: [u64; 3]) -> Rng {
    dice(&[org.scenario.seed, row.stream.number, parts[0], parts[1], parts[2]])
}

/// How many days after the end of its day a line arrives, and how many days later still it is corrected.
fn delays(org: &Organization, row: Row) -> (u64, Option<u64>) {
    let Place { day, slot, .. } = place(org, row);
    let mut dice = throw(org, row, [day, slot, 0]);
    let late = if one_in(&mut dice, 5) { dice.u64(1..=3) } else { 0 };
    let corrected = (late < 3 && one_in(&mut dice, 5)).then(|| dice.u64(1..=3 - late));
    (late, corrected)
}

/// Whether the listing has the line by now.
pub fn is_known(org: &Organization, row: Row) -> bool {
    let Place { day, slot, .. } = place(org, row);
    let taken_back = day % 3 == 0 && slot % LINES.len() as u64 == TAKEN_BACK;
    let late = if taken_back { 0 } else { delays(org, row).0 };
    let today = org.today();
    today > day + late && !(taken_back && today > day + 1)
}

fn is_corrected(org: &Organization, row: Row) -> bool {
    let (day, _) = org.dated(row);
    let (late, corrected) = delays(org, row);
    corrected.is_some_and(|more| org.today() > day + late + more)
}

/// Words that no two lines share: there is no id.
pub fn description(org: &Organization, row: Row) -> String {
    let Place { day, slot, line, .. } = place(org, row);
    let corrected = if is_corrected(org, row) { " – corrected" } else { "" };
    format!("{} · {} · № {slot}{corrected}", line.1, date(day))
}

/// A number of 10⁻¹², in one of the forms in which numbers are written.
fn number(dice: &mut Rng, value: i64) -> String {
    const SCALE: u64 = 1_000_000_000_000;
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let digits = format!("{:012}", size % SCALE);
    let fraction = digits.trim_end_matches('0');
    let whole = size / SCALE;
    if whole == 0 && fraction.len() - fraction.trim_start_matches('0').len() >= 3 {
        let significant = fraction.trim_start_matches('0');
        let exponent = fraction.len() - significant.len() + 1;
        let (first, rest) = significant.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E-{exponent}");
    }
    match (fraction, dice.u32(..3)) {
        ("", 0) => format!("{sign}{whole}.00"),
        ("", _) => format!("{sign}{whole}"),
        (_, 0) if fraction.len() < 12 => format!("{sign}{whole}.{fraction}0"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

/// Less than `most`, with up to twelve digits after the point.
fn decimal(dice: &mut Rng, most: u64) -> i64 {
    let digits = pick(dice, &[0, 1, 2, 5, 9, 12]);
    let value = dice.u64(..=most * 10_u64.pow(digits)) * 10_u64.pow(12 - digits);
    let value = if one_in(dice, 9) { value % 1_000_000_000 } else { value };
    i64::try_from(value).expect("a few hundred, in 10⁻¹²")
}

fn money(object: Object, org: &Organization, row: Row) -> Object {
    let Place { day, slot, line, .. } = place(org, row);
    let mut dice = throw(org, row, [day, slot, 1 + u64::from(is_corrected(org, row))]);
    if line.1 == "PROMO_CREDIT" {
        let credit = number(&mut dice, -1_500_000_000_000 * (1 + slot as i64));
        return object.raw("original_amount", &credit).raw("discount_amount", "0").raw("amount", &credit);
    }
    let original = decimal(&mut dice, 400);
    let discount = if one_in(&mut dice, 2) { 0 } else { decimal(&mut dice, 1).min(original) };
    let mut said = |most| decimal(&mut dice, most);
    let (price, quantity) = (said(3), said(200));
    let mut object = object;
    for (name, value) in [
        ("price", price),
        ("quantity", quantity),
        ("original_amount", original),
        ("discount_amount", discount),
        ("amount", original - discount),
    ] {
        object = object.raw(name, &number(&mut dice, value));
    }
    if line.4 {
        let tier = format!(r#"{{"tier":"{}","up_to":"{} TB"}}"#, dice.u32(1..4), dice.u32(1..100));
        object = object.raw("tier_dimensions", &tier);
    }
    object
}

/// The id of what the line is about, its environment's, and what it is called.
fn resource(org: &Organization, about: About, dice: &mut Rng) -> Option<(String, Option<String>, String)> {
    let environments = org.count("environments");
    let some = if environments == 0 { 0 } else { dice.u64(..environments) };
    let named = environments > 0 && !one_in(dice, 15);
    let environment = named.then(|| org.id("environments", some));
    let number = dice.u64(..1200);
    let short = short_id(org.scenario.seed, 41, some * 4 + number % 4);
    let called = pick(dice, &["orders", "Zahlungsströme", "R&D <eu>", ""]);
    Some(match about {
        About::Cluster => (clusters::named(org, some, number), environment, called.to_owned()),
        About::Connector => {
            let count = org.count("connectors");
            if count == 0 {
                return Some((format!("lcc-{short}"), environment, called.to_owned()));
            }
            let row = org.row("connectors", number % count);
            let home = org.homes(row).first().map(|home| org.id_of(*home));
            (org.id_of(row), home, crate::connectors::name(org, row))
        }
        About::Registry => (format!("lsrc-{short}"), environment, "Stream Governance Package".to_owned()),
        About::Ksql => (format!("lksqlc-{short}"), environment, called.to_owned()),
        About::Nothing => return None,
    })
}

pub fn record(org: &Organization, row: Row) -> Object {
    let Place { day, line: (product, line_type, unit, about, _), family, .. } = place(org, row);
    // Alike for all tiers, and whatever is corrected.
    let mut dice = throw(org, row, [day, family, 9]);
    let mut object = Object::new()
        .text("start_date", &date(day))
        .text("end_date", &date(day + 1))
        .text("granularity", "DAILY")
        .text("product", product)
        .text("line_type", line_type);
    if !unit.is_empty() || one_in(&mut dice, 2) {
        object = object.text("unit", unit);
    }
    if matches!(about, About::Cluster) {
        let access = pick(&mut dice, &["INTERNET", "PRIVATE_LINK", "PEERED_VPC", "TRANSIT_GATEWAY", ""]);
        object = object.text("network_access_type", access);
    }
    if let Some((id, environment, called)) = resource(org, about, &mut dice) {
        let resource = Object::new().text("id", &id).text("display_name", &called);
        let resource = match environment {
            Some(id) => resource.raw("environment", &Object::new().text("id", &id).finish()),
            None if one_in(&mut dice, 2) => resource.raw("environment", "null"),
            None => resource,
        };
        object = object.raw("resource", &resource.finish());
    } else if org.scenario.rude && one_in(&mut dice, 4) {
        object = object.raw("resource", "null");
    }
    money(object.text("description", &description(org, row)), org, row)
}
