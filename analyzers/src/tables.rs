//! Every table that is written: those of the sensor, then those that the protocols declare.

use crate::protocols;
use crate::weird::WeirdRecord;
use crate::{AlertRecord, FlowRecord, StatsRecord, Table};

/// All tables, each once.
#[must_use]
pub fn all() -> Vec<&'static Table> {
    let mut tables =
        vec![&FlowRecord::TABLE, &WeirdRecord::TABLE, &StatsRecord::TABLE, &AlertRecord::TABLE];
    for table in protocols::ALL.iter().flat_map(|protocol| protocol.tables) {
        if !tables.iter().any(|known| known.name == table.name) {
            tables.push(table);
        }
    }
    tables
}
