//! The columns that are computed: declared as facts on the stream, null where what they come from is absent
//! or of a form that is not known.

use serde_json::Value;

use super::drift::{DriftReport, What};
use super::object::{Field, Object, copy, dig, push_text};
use super::rules::{Act, Rules};
use crate::crn::{self, Pattern};
use crate::partition::Partition;
use crate::streams::{CrnPart, Derived, PrincipalPart, Stream};

/// The columns that are computed in one run, and what is needed for all records.
pub struct Columns {
    all: Vec<Column>,
    /// The field whose Confluent Resource Name is read; a stream has one at most.
    crn_field: Option<&'static str>,
    /// The organization's id as JSON.
    organization: Vec<u8>,
}

struct Column {
    name: &'static str,
    derived: Derived,
    /// Its name as JSON, and the colon.
    head: String,
    /// Number of its rule.
    rule: Option<usize>,
    /// Whether it is lifted out of a field that never leaves.
    is_hidden: bool,
}

impl Columns {
    pub fn new(stream: &'static Stream, rules: &Rules, organization_id: Option<&str>) -> Columns {
        let dropped = |name| rules.number(name).is_some_and(|rule| rules.numbered(rule).act == Act::Drop);
        let wanted = stream.derived().filter(|(name, _)| !dropped(name));
        let column = |(name, derived)| Column {
            name,
            derived,
            head: format!("{}:", Value::from(name)),
            rule: rules.number(name),
            is_hidden: matches!(derived, Derived::Lifted(path) if path.iter().any(|name| stream.is_secret(name))),
        };
        let mut organization = Vec::new();
        push_text(organization_id, &mut organization);
        let crn_field = stream.derived.iter().find_map(|(_, derived)| match derived {
            Derived::Crn(field, _) => Some(*field),
            _ => None,
        });
        Columns { all: wanted.map(column).collect(), crn_field, organization }
    }

    /// Appends the columns. A field that the API sends under the same name wins.
    pub fn derive(
        &self,
        record: &Object<'_>,
        partition: &Partition,
        rules: &Rules,
        report: &mut DriftReport,
        out: &mut Vec<u8>,
    ) {
        let crn = self.crn_field.and_then(|field| record.text(field));
        let pattern = crn.as_deref().map(crn::parse).unwrap_or_default();
        if let Some(crn) = crn.as_deref().filter(|_| !pattern.is_whole) {
            report.unread(crn);
        }
        for column in &self.all {
            if record.fields.iter().any(|field| field.rule.is_some() && field.rule == column.rule) {
                report.add(What::Overruled, column.name.to_owned());
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(column.head.as_bytes());
            match column.derived {
                Derived::OrganizationId => out.extend_from_slice(&self.organization),
                Derived::Injected => {
                    let mut ids = partition.columns.iter();
                    push_text(ids.find(|(name, _)| *name == column.name).map(|(_, id)| id.as_str()), out);
                }
                Derived::Lifted(path) => copy(column.lift(record, path, rules), out),
                Derived::LiftedOfOne(path, list) => {
                    let is_one = record.at(list).is_none_or(|list| list.count() < 2);
                    copy(if is_one { column.lift(record, path, rules) } else { "null" }, out);
                }
                Derived::Principal(field, part) => {
                    let principal = record.text(field);
                    let (kind, id) = principal.as_deref().map(crn::principal).unzip();
                    let value = match part {
                        PrincipalPart::Type => kind,
                        PrincipalPart::Id => id.flatten(),
                    };
                    push_text(value, out);
                }
                Derived::Crn(_, part) => {
                    let value = crn_part(&pattern, part);
                    // Out of `%00`.
                    if value.is_some_and(|value| value.contains('\0')) {
                        report.add(What::Mended, column.name.to_owned());
                    }
                    push_text(value, out);
                }
            }
        }
    }
}

impl Column {
    /// The JSON of the field at that path, null where it is none that fits the column.
    fn lift<'a>(&self, record: &Object<'a>, path: &[&str], rules: &Rules) -> &'a str {
        let rule = self.rule.map(|number| rules.numbered(number));
        let fits = |field: &&Field<'_>| rule.is_none_or(|rule| rule.allows(field) && !rule.is_unfit(field));
        if self.is_hidden {
            return dig(record.text, path)
                .filter(|field| fits(&field))
                .map_or("null", |field| field.value.get());
        }
        record.at(path).filter(fits).map_or("null", |field| field.value.get())
    }
}

fn crn_part<'a>(pattern: &'a Pattern<'_>, part: CrnPart) -> Option<&'a str> {
    let resource = pattern.resource.as_ref();
    match part {
        CrnPart::ScopeType => pattern.scope_type,
        CrnPart::EnvironmentId => pattern.environment_id.as_deref(),
        CrnPart::CloudClusterId => pattern.cloud_cluster_id.as_deref(),
        CrnPart::ServiceType => pattern.service_type,
        CrnPart::ServiceId => pattern.service_id.as_deref(),
        CrnPart::ResourceType => resource.map(|resource| resource.kind),
        CrnPart::ResourceName => resource.map(|resource| &*resource.name),
        CrnPart::PatternType => {
            resource.map(|resource| if resource.is_prefix { "PREFIXED" } else { "LITERAL" })
        }
    }
}
