//! IP groups and the filters that name them, in the shapes recorded in the Terraform provider's fixtures
//! and the specification.

use crate::json::{Object, list};
use crate::organization::{HOST, Organization, Row};
use crate::random::{one_in, pick};
use crate::records::{head, refer};

/// Networks reserved for documentation and private use, and everything.
const BLOCKS: [&str; 6] =
    ["192.0.2.0/24", "198.51.100.0/25", "203.0.113.7/32", "10.20.0.0/16", "2001:db8::/32", "0.0.0.0/0"];

pub fn group(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = format!("{}/ip-group={}", org.crn(), org.id_of(row));
    let called = pick(&mut dice, &["CorpNet", "Büro Zürich [VPN]", "søk | R&D", "CI_runners"]);
    let blocks = dice.usize(1..=4);
    head(org, row, &name, &mut dice)
        .text("group_name", &format!("{called} {}", row.index))
        .raw("cidr_blocks", &list((0..blocks).map(|_| pick(&mut dice, &BLOCKS).to_owned())))
}

/// As recorded, one that covers the management of the whole organization has neither scope nor operations.
pub fn filter(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = format!("{}/ip-filter={}", org.crn(), org.id_of(row));
    // One past the last is a group that no longer exists.
    let groups: Vec<String> = (0..dice.u64(1..=3))
        .map(|_| {
            let id = org.id("ip_groups", dice.u64(..=org.count("ip_groups")));
            let name = format!("{}/ip-group={id}", org.crn());
            refer(&mut dice, &id, &format!("{HOST}/iam/v2/ip-groups/{id}"), &name).finish()
        })
        .collect();
    let called = pick(&mut dice, &["Management API Rules", "Nur über VPN", "Flink & schemas [prod]"]);
    let object = head(org, row, &name, &mut dice)
        .text("filter_name", &format!("{called} {}", row.index))
        .raw("ip_groups", &format!("[{}]", groups.join(",")));
    if one_in(&mut dice, 3) {
        return object.text("resource_group", "management");
    }
    let environment = org.id("environments", dice.u64(..org.count("environments").max(1)));
    let scope =
        if one_in(&mut dice, 2) { org.crn() } else { format!("{}/environment={environment}", org.crn()) };
    let operations = pick(&mut dice, &[r#"["MANAGEMENT","SCHEMA"]"#, r#"["FLINK"]"#, "[]", "null"]);
    object
        .text("resource_group", "multiple")
        .text("resource_scope", &scope)
        .raw("operation_groups", operations)
}
