//! The columns that are computed: declared as facts on the stream, null where what they come from is absent
//! or of a form that is not known.

use super::object::{Object, copy};
use super::rules::Rule;
use super::{Shape, json_of};
use crate::crn::{self, Pattern};
use crate::streams::{CrnPart, Derived, PrincipalPart};

impl Shape {
    /// Appends the derived columns. A field that the API sends under the same name wins.
    pub(super) fn derive(&mut self, record: &Object<'_>, out: &mut Vec<u8>) {
        let mut crn = None;
        for (column, derived) in self.stream.derived() {
            if record.get(column).is_some() {
                *self.strays.overruled.entry(column.to_owned()).or_default() += 1;
                continue;
            }
            if self.drops.of(column).is_some() {
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(column.as_bytes());
            out.extend_from_slice(b"\":");
            match derived {
                Derived::OrganizationId => out.extend_from_slice(self.organization_id.as_bytes()),
                Derived::Lifted(object, field) => {
                    let object = record.get(object).and_then(|object| object.object.as_ref());
                    let field = object.and_then(|object| object.get(field));
                    let fits = |rule: &Rule| {
                        field.is_some_and(|field| rule.allows(field) && !rule.is_no_time(field))
                    };
                    let value = field.filter(|_| self.rules.get(column).is_none_or(fits));
                    copy(value.map_or("null", |field| field.value.get()), out);
                }
                Derived::Principal(field, part) => {
                    let principal = record.text(field);
                    let (kind, id) = principal.as_deref().map(crn::principal).unzip();
                    let value = match part {
                        PrincipalPart::Type => kind,
                        PrincipalPart::Id => id.flatten(),
                    };
                    out.extend_from_slice(json_of(value).as_bytes());
                }
                Derived::Crn(field, part) => {
                    let pattern = crn.get_or_insert_with(|| self.strays.pattern(record, field));
                    out.extend_from_slice(
                        json_of(pattern.as_ref().and_then(|p| crn_part(p, part))).as_bytes(),
                    );
                }
            }
        }
    }
}

fn crn_part(pattern: &Pattern, part: CrnPart) -> Option<&str> {
    let resource = pattern.resource.as_ref();
    match part {
        CrnPart::ScopeType => Some(pattern.scope_type),
        CrnPart::EnvironmentId => pattern.environment_id.as_deref(),
        CrnPart::CloudClusterId => pattern.cloud_cluster_id.as_deref(),
        CrnPart::ServiceType => pattern.service_type,
        CrnPart::ServiceId => pattern.service_id.as_deref(),
        CrnPart::ResourceType => resource.map(|resource| resource.kind.as_str()),
        CrnPart::ResourceName => resource.map(|resource| resource.name.as_str()),
        CrnPart::PatternType => {
            resource.map(|resource| if resource.is_prefix { "PREFIXED" } else { "LITERAL" })
        }
    }
}
