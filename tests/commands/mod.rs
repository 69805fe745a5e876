//! The commands beside a sync, and what the catalog chose for one.

mod first_contact;
mod offer;
mod samples;
mod selection;
mod verbs;
