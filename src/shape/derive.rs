//! The columns that are computed: declared as facts on the stream, null where what they come from is absent
//! or of a form that is not known.

use super::object::{Object, copy};
use super::rules::{Act, Rule};
use super::{Shape, push_text};
use crate::crn::{self, Pattern};
use crate::streams::{CrnPart, Derived, PrincipalPart};

impl Shape {
    /// Appends the derived columns. A field that the API sends under the same name wins.
    pub(super) fn derive(&mut self, record: &Object<'_>, environment: Option<&str>, out: &mut Vec<u8>) {
        let crn = self.crn_field().and_then(|field| record.text(field));
        let pattern = crn.as_deref().and_then(crn::parse);
        if let (Some(crn), None) = (&crn, &pattern) {
            self.strays.unread(crn);
        }
        for (column, derived) in self.stream.derived() {
            if record.get(column).is_some() {
                self.strays.overrule(column);
                continue;
            }
            if self.rules.get(column).is_some_and(|rule| rule.act == Act::Drop) {
                continue;
            }
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(column.as_bytes());
            out.extend_from_slice(b"\":");
            match derived {
                Derived::OrganizationId => push_text(self.form.organization_id.as_deref(), out),
                Derived::EnvironmentId => push_text(environment, out),
                Derived::Lifted(path) => {
                    let field = record.at(path);
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
                    push_text(value, out);
                }
                Derived::Crn(_, part) => {
                    push_text(pattern.as_ref().and_then(|pattern| crn_part(pattern, part)), out);
                }
            }
        }
    }

    /// The field whose Confluent Resource Name is read; a stream has one at most.
    fn crn_field(&self) -> Option<&'static str> {
        self.stream.derived.iter().find_map(|(_, derived)| match derived {
            Derived::Crn(field, _) => Some(*field),
            _ => None,
        })
    }
}

fn crn_part<'a>(pattern: &'a Pattern<'_>, part: CrnPart) -> Option<&'a str> {
    let resource = pattern.resource.as_ref();
    match part {
        CrnPart::ScopeType => Some(pattern.scope_type),
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
