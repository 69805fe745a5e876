//! What all passes of a run share.

use std::rc::Rc;

use chrono::NaiveDate;

use crate::api::Client;
use crate::api::listing::Rows;
use crate::api::organization::Organization;
use crate::shape::RecordOptions;
use crate::state::Access;

/// How to read.
pub struct Plan {
    pub client: Rc<Client>,
    /// Rows of parents.
    pub rows: Rows,
    pub organization: Organization,
    /// What the positions are read with.
    pub access: Access,
    pub concurrency: usize,
    pub options: RecordOptions,
    /// The first day to read of streams with a cursor; none for the default.
    pub start_date: Option<NaiveDate>,
    /// How many days after a day its records may still change.
    pub days_late: u64,
    /// Whether an empty list is accepted even if every organization has a record in it.
    pub may_be_empty: bool,
    /// The percentage of the records of the last complete list below which a list has shrunk.
    pub shrink_percent: u64,
    /// Whether a list that has shrunk is accepted.
    pub may_shrink: bool,
    /// Request only as much as is needed to know whether the streams can be read, emit the first record of each, and
    /// move no position.
    pub sample: bool,
}
