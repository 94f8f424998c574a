//! Functions that hunters need and SQL lacks: one list, from which the engine, the prompt's
//! completion and the help are made.

mod address;
mod beacon;
mod entropy;
mod name;

pub(crate) use address::is_private_address;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// All scalar functions.
#[must_use]
pub(crate) fn scalar() -> Vec<ScalarUDF> {
    vec![address::ip_in(), address::is_private(), name::domain(), entropy::entropy()]
}

/// All aggregate functions.
#[must_use]
pub(crate) fn aggregates() -> Vec<AggregateUDF> {
    vec![beacon::beacon_score(), beacon::beacon_period()]
}
