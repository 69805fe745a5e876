//! Role bindings that are granted while the service runs, and from when on. They have numbers of
//! their own, far beyond those of the bindings that were there from the start.

use std::collections::HashSet;

/// The number of the first one.
const FIRST: u64 = 1 << 30;

/// Role bindings to be granted. At once, at the end of the listings, unless said otherwise.
#[derive(Clone, Debug)]
pub struct Grant {
    count: u64,
    in_environments: bool,
    in_front: bool,
    due: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Now,
    Nested,
    Requests(u64),
}

impl Grant {
    /// So many whose scope is the organization itself.
    pub fn of_organization(count: u64) -> Self {
        Self { count, in_environments: false, in_front: false, due: Due::Now }
    }

    /// So many whose scope is an environment.
    pub fn in_environments(count: u64) -> Self {
        Self { in_environments: true, ..Self::of_organization(count) }
    }

    /// In front of all others: each row comes so many places later than it was, so that a client in
    /// mid-listing gets some of them again. None is passed over.
    pub fn in_front(self) -> Self {
        Self { in_front: true, ..self }
    }

    /// Only once the organization's `/*` is asked for; that answer has them already.
    pub fn between_listings(self) -> Self {
        Self { due: Due::Nested, ..self }
    }

    /// Only once so many requests for listings of role bindings have been answered, counted from the
    /// moment the grant was planned; those that name a principal or a role do not count.
    pub fn after(self, requests: u64) -> Self {
        Self { due: Due::Requests(requests), ..self }
    }
}

/// Whether a binding of this number is a granted one, and if so, whether it is in an environment.
pub fn is_in_environment(index: u64) -> Option<bool> {
    (index >= FIRST).then_some(index % 2 == 1)
}

/// What has been granted, and what is going to be.
#[derive(Default)]
pub struct Ledger {
    planned: Vec<Grant>,
    /// Numbers in the order of the grants.
    granted: Vec<u64>,
    front: Vec<u64>,
    back: Vec<u64>,
    listed: HashSet<u64>,
}

impl Ledger {
    pub fn plan(&mut self, grant: Grant) {
        if grant.due == Due::Now {
            self.enter(&grant);
        } else {
            self.planned.push(grant);
        }
    }

    fn enter(&mut self, grant: &Grant) {
        let made = self.granted.len() as u64;
        let new =
            (made..made + grant.count).map(|place| FIRST + 2 * place + u64::from(grant.in_environments));
        let new: Vec<u64> = new.collect();
        self.granted.extend(&new);
        if grant.in_front {
            self.front.splice(..0, new);
        } else {
            self.back.extend(new);
        }
    }

    /// Notes a request and grants what is due before it is answered; false if nothing is. `nested`:
    /// whether it asks for the organization's `/*`.
    pub fn asked(&mut self, nested: bool) -> bool {
        let (due, planned): (Vec<Grant>, Vec<Grant>) =
            self.planned.drain(..).partition(|grant| match grant.due {
                Due::Now | Due::Requests(0) => true,
                Due::Nested => nested,
                Due::Requests(_) => false,
            });
        self.planned = planned;
        for grant in &mut self.planned {
            if let Due::Requests(left) = &mut grant.due {
                *left -= 1;
            }
        }
        for grant in &due {
            self.enter(grant);
        }
        !due.is_empty()
    }

    /// Notes what a page of a listing holds.
    pub fn listed(&mut self, indices: impl Iterator<Item = u64>) {
        self.listed.extend(indices.filter(|index| *index >= FIRST));
    }

    /// Each one's number and whether a listing has held it.
    pub fn granted(&self) -> impl Iterator<Item = (u64, bool)> {
        self.granted.iter().map(|index| (*index, self.listed.contains(index)))
    }

    /// What stands before the bindings that were there from the start.
    pub fn front(&self) -> &[u64] {
        &self.front
    }

    /// What stands behind them.
    pub fn back(&self) -> &[u64] {
        &self.back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_come_when_they_are_due_and_where_they_were_planned() {
        let mut ledger = Ledger::default();
        ledger.plan(Grant::of_organization(1));
        ledger.plan(Grant::in_environments(1).in_front().after(2));
        ledger.plan(Grant::of_organization(2).between_listings());
        let (a, b, c, d) = (FIRST, FIRST + 2, FIRST + 4, FIRST + 7);
        assert_eq!((ledger.front(), ledger.back()), ([].as_slice(), [a].as_slice()));
        assert_eq!([ledger.asked(false), ledger.asked(true), ledger.asked(true)], [false, true, true]);
        assert_eq!((ledger.front(), ledger.back()), ([d].as_slice(), [a, b, c].as_slice()));
        assert_eq!([false, true].map(|nested| ledger.asked(nested)), [false, false]);
        assert_eq!([a, d, 7].map(is_in_environment), [Some(false), Some(true), None]);
        ledger.listed([3, b].into_iter());
        assert_eq!(ledger.granted().collect::<Vec<_>>(), [(a, false), (b, true), (c, false), (d, false)]);
    }
}
