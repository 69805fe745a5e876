//! Where in a stream a pass stands, and which listing comes after which. Pure.

use chrono::{DateTime, Utc};

use super::{Access, Position};
use crate::streams::Scope;

/// The next page of a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What the pass is read with.
    pub access: Access,
    pub partition: Partition,
    /// The API's page token; none for the first page of a partition.
    pub token: Option<String>,
    /// When the pass began.
    pub started_at: DateTime<Utc>,
    /// Records of the pass so far.
    pub records: u64,
}

/// One listing of a scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Partition {
    /// The one listing of a stream that needs no narrowing.
    Everything,
    /// A listing of the organization, or of one of its environments, by that id.
    Within { environment: Option<String>, reach: Reach },
    /// The listing of one environment, by its id; none before the first.
    Environment(Option<String>),
}

/// How a scope is listed. What the service returns for the bare name of a scope is contested, so the
/// bare name is asked first, and `/*` too unless the bare one has proved to hold what is below the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By its bare name, which has proved nothing yet.
    Bare,
    /// By its bare name, which has brought something of a narrower scope: it holds everything.
    Inclusive,
    /// By its name and `/*`.
    Nested,
}

impl Partition {
    fn first(scope: Scope) -> Partition {
        match scope {
            Scope::Everything => Partition::Everything,
            Scope::Organization { .. } => Partition::Within { environment: None, reach: Reach::Bare },
            Scope::EachEnvironment { .. } => Partition::Environment(None),
        }
    }

    pub(super) fn name(&self) -> Option<String> {
        let (environment, reach) = match self {
            Partition::Everything => return None,
            Partition::Environment(environment) => return environment.clone(),
            Partition::Within { environment, reach } => (environment, reach),
        };
        let suffix = match reach {
            Reach::Bare => "",
            Reach::Inclusive => "+",
            Reach::Nested => "/*",
        };
        Some(format!("{}{suffix}", environment.as_deref().unwrap_or("organization")))
    }

    /// None if the scope has no partition of that name.
    pub(super) fn parse(scope: Scope, name: Option<&str>) -> Option<Partition> {
        match (scope, name) {
            (Scope::Everything, None) => Some(Partition::Everything),
            (Scope::Organization { .. }, Some(name)) => Some(Partition::within(name)),
            (Scope::EachEnvironment { .. }, Some(id)) => Some(Partition::Environment(Some(id.to_owned()))),
            _ => None,
        }
    }

    fn within(name: &str) -> Partition {
        let (scope, reach) = if let Some(scope) = name.strip_suffix("/*") {
            (scope, Reach::Nested)
        } else if let Some(scope) = name.strip_suffix('+') {
            (scope, Reach::Inclusive)
        } else {
            (name, Reach::Bare)
        };
        let environment = (scope != "organization").then(|| scope.to_owned());
        Partition::Within { environment, reach }
    }
}

impl Place {
    /// The first page of a new pass.
    pub fn first(scope: Scope, access: &Access, now: DateTime<Utc>) -> Place {
        let partition = Partition::first(scope);
        Place { access: access.clone(), partition, token: None, started_at: now, records: 0 }
    }

    /// The position after this page, given the token of the next one and whether the page proved that the
    /// listing holds what is below its scope.
    ///
    /// `environments`, in ascending order, are the ones to go through where the scope is each of them, or
    /// where the organization as a whole was refused.
    pub fn after(mut self, token: Option<String>, is_inclusive: bool, environments: &[String]) -> Position {
        self.token = token;
        if let Partition::Within { reach: reach @ Reach::Bare, .. } = &mut self.partition {
            match (&self.token, is_inclusive) {
                (_, true) => *reach = Reach::Inclusive,
                (None, false) => {
                    *reach = Reach::Nested;
                    return Position::At(self);
                }
                (Some(_), false) => {}
            }
        }
        match &self.partition {
            _ if self.token.is_some() => Position::At(self),
            Partition::Within { environment: Some(_), .. } | Partition::Environment(_) => {
                self.next_environment(environments)
            }
            _ => self.complete(),
        }
    }

    fn complete(self) -> Position {
        Position::Complete { access: self.access, records: Some(self.records) }
    }

    /// The start of the environment after this place's own, or of the first. After the last, `Complete`
    /// where the scope is each environment; `Start` where the organization as a whole was refused, since
    /// such a pass is never complete. Found by order, not by index, so that a listing which has
    /// changed meanwhile leads on.
    pub fn next_environment(mut self, environments: &[String]) -> Position {
        let current = self.environment();
        let next =
            environments.iter().find(|id| current.is_none_or(|current| id.as_str() > current)).cloned();
        let last = next.is_none();
        self.token = None;
        self.partition = match self.partition {
            Partition::Environment(_) if last => return self.complete(),
            _ if last => return Position::Start,
            Partition::Environment(_) => Partition::Environment(next),
            _ => Partition::Within { environment: next, reach: Reach::Bare },
        };
        Position::At(self)
    }

    /// Whether this is the first page of a pass.
    pub fn is_first(&self) -> bool {
        let first = match &self.partition {
            Partition::Everything => true,
            Partition::Environment(environment) => environment.is_none(),
            Partition::Within { environment, reach } => environment.is_none() && *reach == Reach::Bare,
        };
        first && self.token.is_none()
    }

    /// The environment that this place lists.
    pub fn environment(&self) -> Option<&str> {
        match &self.partition {
            Partition::Within { environment, .. } | Partition::Environment(environment) => {
                environment.as_deref()
            }
            Partition::Everything => None,
        }
    }

    /// How a scope is listed here; none where no scope is.
    pub fn reach(&self) -> Option<Reach> {
        match self.partition {
            Partition::Within { reach, .. } => Some(reach),
            Partition::Everything | Partition::Environment(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_partitions() {
        let environments = ["env-1".to_owned(), "env-2".to_owned()];
        let at = |partition: Option<&str>, token: Option<&str>| {
            let mut place = Place::first(Scope::Everything, &Access::default(), DateTime::UNIX_EPOCH);
            place.partition = partition.map_or(Partition::Everything, Partition::within);
            place.token = token.map(str::to_owned);
            place
        };
        let complete = || Position::Complete { access: Access::default(), records: Some(0) };
        // partition, token of the next page, the listing proved inclusive, position after
        let table = [
            (None, Some("t"), false, Some((None, Some("t")))),
            (None, None, false, None),
            (Some("organization"), Some("t"), false, Some((Some("organization"), Some("t")))),
            (Some("organization"), Some("t"), true, Some((Some("organization+"), Some("t")))),
            (Some("organization"), None, false, Some((Some("organization/*"), None))),
            (Some("organization"), None, true, None),
            (Some("organization+"), Some("t"), false, Some((Some("organization+"), Some("t")))),
            (Some("organization+"), None, false, None),
            (Some("organization/*"), Some("t"), true, Some((Some("organization/*"), Some("t")))),
            (Some("organization/*"), None, true, None),
        ];
        for (partition, token, below, after) in table {
            let expected = after.map_or_else(complete, |(p, t)| Position::At(at(p, t)));
            let got = at(partition, Some("s")).after(token.map(str::to_owned), below, &[]);
            assert_eq!(got, expected, "{partition:?} {token:?} {below}");
        }
        let walk = |place: Place| place.after(None, false, &environments);
        assert_eq!(walk(at(Some("env-1"), None)), Position::At(at(Some("env-1/*"), None)));
        assert_eq!(walk(at(Some("env-1/*"), None)), Position::At(at(Some("env-2"), None)));
        assert_eq!(walk(at(Some("env-1+"), None)), Position::At(at(Some("env-2"), None)));
        assert_eq!(walk(at(Some("env-2/*"), None)), Position::Start, "never complete this way");
        assert_eq!(
            at(Some("organization/*"), Some("t")).next_environment(&environments),
            Position::At(at(Some("env-1"), None))
        );
        assert_eq!(
            at(Some("env-10"), None).next_environment(&environments),
            Position::At(at(Some("env-2"), None))
        );
        let each = |id: Option<&str>, token: Option<&str>| Place {
            partition: Partition::Environment(id.map(str::to_owned)),
            ..at(None, token)
        };
        assert_eq!(each(None, None).next_environment(&environments), Position::At(each(Some("env-1"), None)));
        assert_eq!(each(None, None).next_environment(&[]), complete());
        assert_eq!(walk(each(Some("env-1"), Some("t"))), Position::At(each(Some("env-2"), None)));
        assert_eq!(walk(each(Some("env-10"), None)), Position::At(each(Some("env-2"), None)));
        assert_eq!(walk(each(Some("env-2"), Some("t"))), complete());
        let more = each(Some("env-1"), None).after(Some("t".to_owned()), false, &environments);
        assert_eq!(more, Position::At(each(Some("env-1"), Some("t"))));
    }
}
