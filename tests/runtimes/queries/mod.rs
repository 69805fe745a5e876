//! The queries of `docs/queries`, asked of a sample organization in a real database.

mod costs;
mod page;
mod places;
mod truth;
