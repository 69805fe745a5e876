//! The dbt package of `integrations/dbt`: run by a real dbt on tables that real targets have loaded, in DuckDB and
//! in PostgreSQL.

mod changes;
mod grants;
mod held;
mod resumed;
mod truth;
mod warehouse;
