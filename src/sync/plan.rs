//! What all passes of a run share.

use std::rc::Rc;

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
    pub options: RecordOptions,
    /// Request only as much as is needed to know whether the streams can be read, emit the first record of each, and
    /// move no position.
    pub sample: bool,
}
