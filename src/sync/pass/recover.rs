//! How a pass goes on after an error: it is restarted, passes over an environment that is refused, or is read
//! environment by environment.

use chrono::{TimeDelta, Utc};

use super::Pass;
use crate::api::organization;
use crate::error::{Error, Kind};
use crate::log;
use crate::state::{Place, Position, Reach};
use crate::streams::Scope;

impl Pass {
    /// The position at which to go on after an error: the pass is restarted, an environment is passed over,
    /// or the rest of the stream is read environment by environment.
    pub(super) async fn instead(&mut self, place: Place, mut error: Error) -> Result<Position, Error> {
        self.tokens.seen.clear();
        let name = self.stream.name;
        if error.refuses_token() && place.token.is_some() && !self.restarted {
            return self.restart(&place, &format!("its page token is refused: {error}")).await;
        }
        match (self.stream.scope, place.environment()) {
            (Scope::EachEnvironment { .. }, Some(environment)) if error.is_hidden() => {
                if error.status() == Some(404) {
                    error.kind = Kind::Denied;
                    "what is in it is hidden from the owner of the API key, or base_url is wrong"
                        .clone_into(&mut error.message);
                }
                log::warn(format!(
                    "{name}: environment {environment} is refused, going on with the next: {error}"
                ));
                self.refused.push((environment.to_owned(), error));
            }
            (Scope::Organization { .. }, Some(_)) if error.status() == Some(403) => {
                log::warn(format!("{name}: going on with the next environment: {error}"));
            }
            (Scope::Organization { .. }, None)
                if error.status() == Some(403) && place.reach() == Some(Reach::Nested) =>
            {
                if self.sample.is_some() {
                    return Err(Error { answer: error.answer, ..whole_refused() });
                }
                log::warn(format!("{name}: reading it environment by environment: {error}"));
                match self.list_environments().await {
                    Err(also) if also.is_hidden() => return Err(error),
                    listed => listed?,
                }
                self.incomplete = Some(whole_refused());
            }
            _ => return Err(error),
        }
        let next = place.next_environment(&self.environments);
        Ok(match &mut self.sample {
            Some(sample) => sample.after(next, 0, &self.environments),
            None => next,
        })
    }

    /// Begins a new pass, once a run.
    pub(super) async fn restart(&mut self, place: &Place, why: &str) -> Result<Position, Error> {
        log::warn(format!("{}: {why}; reading the stream once more from page one", self.stream.name));
        (self.restarted, self.resumed) = (true, false);
        self.tokens.seen.clear();
        let first = self.first(place);
        self.enter(first).await
    }

    /// The first place of a new pass after the one of this place. It begins later, because the moment at which
    /// a pass began is the version of its rows.
    fn first(&mut self, place: &Place) -> Place {
        self.refused.clear();
        self.incomplete = None;
        let now = Utc::now().max(place.started_at + TimeDelta::milliseconds(1));
        Place::first(self.stream.scope, &self.access, now)
    }

    /// Lists the environments if they are gone through, and gives the place to begin at; `Complete` where there
    /// is none.
    pub(super) async fn enter(&mut self, mut place: Place) -> Result<Position, Error> {
        let name = self.stream.name;
        let each = matches!(self.stream.scope, Scope::EachEnvironment { .. });
        if !each && place.environment().is_none() {
            return Ok(Position::At(place));
        }
        self.list_environments().await?;
        if place.environment().is_some_and(|id| !self.environments.iter().any(|other| other == id)) {
            log::warn(format!(
                "{name}: its state names an environment that is not there; reading it from page one"
            ));
            place = self.first(&place);
        }
        match place.environment() {
            None if each => return Ok(place.next_environment(&self.environments)),
            Some(_) if !each => self.incomplete = Some(whole_refused()),
            _ => {}
        }
        Ok(Position::At(place))
    }

    async fn list_environments(&mut self) -> Result<(), Error> {
        self.environments =
            self.client.environments(self.restarted, &async |wait| self.tell(wait).await).await?;
        let is_empty = self.environments.is_empty();
        match is_empty.then(|| self.empty("the list of environments", organization::ROLE)).flatten() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// One error for all environments that were refused: the first one's, with the names of the others.
pub(super) fn all_refused(refused: Vec<(String, Error)>) -> Option<Error> {
    const MOST: usize = 5;
    let (count, names) = (refused.len(), refused.iter().take(MOST).map(|(id, _)| id.as_str()));
    let names = names.collect::<Vec<_>>().join(", ");
    let words = match count {
        1 => format!("environment {names} is refused"),
        _ if count > MOST => format!("{count} environments are refused, {names} among them"),
        _ => format!("{count} environments are refused, {names}"),
    };
    let (_, mut error) = refused.into_iter().next()?;
    error.message = format!("{words}: {}. If it was deleted during this run, run again", error.message);
    Some(error)
}

fn whole_refused() -> Error {
    Error::new(
        Kind::Denied,
        "read environment by environment, because the listing of the whole organization is refused: what is \
         bound to the organization's own resources (identity providers, service accounts, …) may be missing",
    )
}
