//! The columns that are computed: declared as facts on the stream, null where what they come from is absent
//! or of a form that is not known.

use std::collections::HashMap;

use ring::digest::{SHA256, digest};

use super::drift::{Anomaly, DriftReport};
use super::object::{Field, Object, copy, dig, push_text};
use super::rules::{Rule, Rules};
use crate::crn::{self, Pattern};
use crate::partition::Partition;
use crate::streams::{CrnPart, Derived, PrincipalPart, Stream};

/// The columns that are computed in one run.
pub struct Columns {
    all: Vec<Column>,
    /// The field whose Confluent Resource Name is read; a stream has one at most.
    crn_field: Option<&'static str>,
    /// How many records of the listing have had the same digest.
    pub digests: HashMap<[u8; 16], u64>,
    /// The key of the last record, if it was computed.
    key: String,
}

struct Column {
    name: &'static str,
    derived: Derived,
    /// Its name as JSON, the colon, and the value where all records have the same.
    head: Vec<u8>,
    /// Number of its rule.
    number: usize,
    rule: Rule,
    /// Whether it is lifted out of a field that never leaves.
    is_hidden: bool,
}

impl Columns {
    pub fn new(stream: &'static Stream, rules: &Rules, organization_id: Option<&str>) -> Columns {
        // Each is declared.
        let column = |(name, derived)| {
            let number = rules.number(name)?;
            let rule = rules.0[number].clone();
            let mut head = format!("\"{name}\":").into_bytes();
            if matches!(derived, Derived::OrganizationId) {
                push_text(organization_id, &mut head);
            }
            let is_hidden =
                matches!(derived, Derived::Lifted(path) if path.iter().any(|name| stream.is_secret(name)));
            (!rule.is_dropped).then_some(Column { name, derived, head, number, rule, is_hidden })
        };
        let crn_field = stream.derived.iter().find_map(|(_, derived)| match derived {
            Derived::Crn(field, _) => Some(*field),
            _ => None,
        });
        let (all, digests) = (stream.derived().filter_map(column).collect(), HashMap::new());
        Columns { all, crn_field, digests, key: String::new() }
    }

    /// The key of a record, computed from several fields.
    pub fn key(&mut self, record: &Object<'_>, derived: Derived) -> Option<&str> {
        let (Derived::Joined(paths) | Derived::Digest(paths)) = derived else { return None };
        self.key = join(record, paths)?;
        if matches!(derived, Derived::Digest(_)) {
            let hash = *digest(&SHA256, self.key.as_bytes()).as_ref().first_chunk()?;
            let equal = self.digests.entry(hash).or_default();
            self.key = format!("{:032x}-{equal}", u128::from_be_bytes(hash));
            *equal += 1;
        }
        Some(&self.key)
    }

    /// Appends the columns. A field that the API sends under the same name wins.
    pub fn derive(
        &self,
        record: &Object<'_>,
        partition: &Partition,
        report: &mut DriftReport,
        out: &mut Vec<u8>,
    ) {
        let crn = self.crn_field.and_then(|field| record.text(&[field]));
        let pattern = crn.as_deref().map(crn::parse).unwrap_or_default();
        if let Some(crn) = crn.as_deref().filter(|_| !pattern.is_whole) {
            report.unread(crn);
        }
        // Computed columns are declared behind all others, and usually the service sends none.
        let first = self.all.first().map(|column| column.number);
        let may_overrule = record.fields.iter().any(|field| field.rule >= first);
        for column in &self.all {
            if may_overrule && record.fields.iter().any(|field| field.rule == Some(column.number)) {
                report.add(Anomaly::Overruled, column.name.to_owned());
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(&column.head);
            match column.derived {
                Derived::OrganizationId => {}
                Derived::Injected => {
                    let id = partition.columns.iter().find(|(name, _)| *name == column.name);
                    push_text(id.map(|(_, id)| id.as_str()), out);
                }
                Derived::LiftedOfOne(_, list) if record.at(list).is_some_and(|list| list.count() > 1) => {
                    push_text(None, out);
                }
                Derived::Lifted(path) | Derived::LiftedOfOne(path, _) => {
                    copy(column.lift(record, path), out);
                }
                Derived::Joined(_) | Derived::Digest(_) => push_text(Some(&self.key), out),
                Derived::Principal(field, part) => {
                    let principal = record.text(&[field]);
                    let value = principal.as_deref().and_then(|principal| match part {
                        PrincipalPart::Type => Some(crn::principal_type(principal)),
                        PrincipalPart::Id => crn::principal_id(principal),
                    });
                    push_text(value, out);
                }
                Derived::Crn(_, part) => {
                    let value = crn_part(&pattern, part);
                    // Out of `%00`.
                    if value.is_some_and(|value| value.contains('\0')) {
                        report.add(Anomaly::Replaced, column.name.to_owned());
                    }
                    push_text(value, out);
                }
            }
        }
    }
}

impl Column {
    /// The JSON of the field at that path, null where it is none that fits the column.
    fn lift<'a>(&self, record: &Object<'a>, path: &[&str]) -> &'a str {
        let fits = |field: &&Field<'_>| self.rule.allows(field) && !self.rule.is_unfit(field);
        let hidden = if self.is_hidden { dig(record.text, path) } else { None };
        let field = hidden.as_ref().or_else(|| record.at(path));
        field.filter(fits).map_or("null", |field| field.value.get())
    }
}

/// The texts at those paths as one. What separates them is percent-encoded in each.
fn join(record: &Object<'_>, paths: &[&[&str]]) -> Option<String> {
    let part = |path: &&[&str]| {
        let text = record.text(path).filter(|text| !text.is_empty())?;
        Some(format!("{}={}", path.join("."), text.replace('%', "%25").replace('/', "%2F")))
    };
    part(paths.first()?)?;
    Some(paths.iter().filter_map(part).collect::<Vec<_>>().join("/"))
}

fn crn_part<'a>(pattern: &'a Pattern<'_>, part: CrnPart) -> Option<&'a str> {
    match part {
        CrnPart::ScopeType => pattern.scope_type,
        CrnPart::EnvironmentId => pattern.environment_id.as_deref(),
        CrnPart::CloudClusterId => pattern.cloud_cluster_id.as_deref(),
        CrnPart::ServiceType => pattern.service_type,
        CrnPart::ServiceId => pattern.service_id.as_deref(),
        CrnPart::ResourceType => pattern.resource_type,
        CrnPart::ResourceName => pattern.resource_name.as_deref(),
        CrnPart::PatternType => pattern.pattern_type,
    }
}
