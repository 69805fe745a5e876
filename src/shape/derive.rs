//! The columns that are computed: declared as facts on the stream, null where what they come from is absent
//! or of a form that is not known.

use std::collections::HashMap;

use ring::digest::{SHA256, digest};

use super::drift::{Anomaly, DriftReport};
use super::record::Record;
use super::rules::{Rule, Rules};
use crate::crn;
use crate::json::{Json, push_text};
use crate::partition::Partition;
use crate::streams::{Derived, PrincipalPart, Stream};

/// The columns that are computed in one run.
pub struct Columns {
    all: Vec<Column>,
    /// The rule of the field whose Confluent Resource Name is read; a stream has one at most.
    crn: Option<usize>,
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
    rule: Rule,
    /// Number of the rule of the field that it is computed from.
    from: Option<usize>,
    /// Whether what fits that rule fits the column.
    is_covered: bool,
}

impl Columns {
    pub fn new(stream: &'static Stream, rules: &Rules, organization_id: Option<&str>) -> Columns {
        // Each is declared.
        let column = |(name, derived)| {
            let rule = rules.at(&[name])?.clone();
            let mut head = format!("\"{name}\":").into_bytes();
            if matches!(derived, Derived::OrganizationId) {
                push_text(organization_id, &mut head);
            }
            let from = match derived {
                Derived::Lifted(path) | Derived::LiftedOfOne(path, _) => {
                    rules.at(path).filter(|_| !path.iter().any(|name| stream.is_secret(name)))
                }
                Derived::Principal(field, _) => rules.at(&[field]),
                _ => None,
            };
            let is_covered = from.is_some_and(|from| from.is_covered_by(&rule));
            let from = from.map(|from| from.number);
            (!rule.is_dropped).then_some(Column { name, derived, head, rule, from, is_covered })
        };
        let crn = stream.derived.iter().find_map(|(_, derived)| match derived {
            Derived::Crn(field, _) => Some(rules.at(&[field])?.number),
            _ => None,
        });
        let (all, digests) = (stream.derived().filter_map(column).collect(), HashMap::new());
        Columns { all, crn, digests, key: String::new() }
    }

    /// The key of a record, computed from several fields.
    pub fn key(&mut self, record: Json<'_>, derived: Derived) -> Option<&str> {
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
        record: &Record<'_>,
        partition: &Partition,
        report: &mut DriftReport,
        out: &mut Vec<u8>,
    ) {
        let crn = self.crn.and_then(|rule| record.text(rule));
        let pattern = crn.as_deref().map(crn::parse).unwrap_or_default();
        let is_encoded = crn.as_deref().is_some_and(|crn| crn.contains('%'));
        if let Some(crn) = crn.as_deref().filter(|_| !pattern.is_whole) {
            report.unread(crn);
        }
        for column in &self.all {
            if record.at(column.rule.number).is_some() {
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
                Derived::LiftedOfOne(_, list) if record.json.at(list).is_some_and(is_several) => {
                    push_text(None, out);
                }
                Derived::Lifted(path) | Derived::LiftedOfOne(path, _) => match column.lift(record, path) {
                    Some(field) => field.copy(out),
                    None => push_text(None, out),
                },
                Derived::Joined(_) | Derived::Digest(_) => push_text(Some(&self.key), out),
                Derived::Principal(_, part) => {
                    let principal = column.from.and_then(|from| record.text(from));
                    let value = principal.as_deref().and_then(|principal| match part {
                        PrincipalPart::Type => Some(crn::principal_type(principal)),
                        PrincipalPart::Id => crn::principal_id(principal),
                    });
                    push_text(value, out);
                }
                Derived::Crn(_, part) => {
                    let value = pattern.parts[part as usize].as_deref();
                    // Out of `%00`.
                    if is_encoded && value.is_some_and(|value| value.contains('\0')) {
                        report.add(Anomaly::Replaced, column.name.to_owned());
                    }
                    push_text(value, out);
                }
            }
        }
    }
}

impl Column {
    /// The field that it is lifted from, if it fits the column. One that has no rule never leaves itself.
    fn lift<'a>(&self, record: &Record<'a>, path: &[&str]) -> Option<Json<'a>> {
        let field = self.from.map_or_else(|| record.json.at(path), |from| record.at(from));
        field.filter(|field| self.is_covered && !record.is_odd || self.rule.is_fit(*field))
    }
}

/// The texts at those paths as one. What separates them is percent-encoded in each.
fn join(record: Json<'_>, paths: &[&[&str]]) -> Option<String> {
    let part = |path: &&[&str]| {
        let text = record.at(path)?.string().filter(|text| !text.is_empty())?;
        Some(format!("{}={}", path.join("."), text.replace('%', "%25").replace('/', "%2F")))
    };
    part(paths.first()?)?;
    Some(paths.iter().filter_map(part).collect::<Vec<_>>().join("/"))
}

/// Whether an array holds more than one item that is not null.
fn is_several(array: Json<'_>) -> bool {
    array.items().filter(|item| !item.is_null()).nth(1).is_some()
}
