//! Service quotas of the organization, in the shape of the specification.

use crate::json::Object;
use crate::organization::{HOST, Organization, Row};
use crate::random::{one_in, pick};
use crate::records::{head, refer};

/// The code of a quota, which is its id.
pub fn code(_: &Organization, row: Row) -> String {
    match row.index {
        0 => "iam.max_environments.per_org".to_owned(),
        1 => "iam.max_audit_log_api_keys.per_org".to_owned(),
        index => format!("iam.max_things_{index}.per_org"),
    }
}

pub fn quota(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = format!("{}/applied-quota={}", org.crn(), org.id_of(row));
    let link = format!("{HOST}/partner/v2/organizations/{}", org.id);
    let organization = refer(&mut dice, &org.id, &link, &org.crn()).finish();
    let (default, applied) = pick(&mut dice, &[("25", "25"), ("10", "100"), ("1000", "10000"), ("0", "0")]);
    let object = head(org, row, &name, &mut dice)
        .text("scope", "ORGANIZATION")
        .text("display_name", &format!("Max Größe №{} Per Organization", row.index))
        .raw("default_limit", default)
        .raw("applied_limit", applied)
        .raw("organization", &organization);
    let object = if one_in(&mut dice, 3) { object } else { object.raw("usage", applied) };
    // What it is not for may be missing as well.
    let others = ["environment", "network", "kafka_cluster", "identity_provider", "certificate_authority"];
    let nulls = if one_in(&mut dice, 2) { &others[..] } else { &[] };
    nulls.iter().fold(object, |object, other| object.raw(other, "null"))
}
