//! `beacon_score(ts, bytes)` and `beacon_period(ts, bytes)`: how regular a series of beats is, by
//! the detector's own code.

use std::mem::size_of_val;
use std::sync::Arc;

use analyzers::detectors::beacon::{Score, score};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::{DataType, Field, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, AggregateUDF, Volatility, create_udaf};

/// Beats that come within so many microseconds are one: a page opens several connections at once.
const BURST_MICROS: i64 = 1_000_000;

/// Beats of one group that are scored. Who has more beats than one a second for two weeks needs no
/// score; the bound keeps one pair from taking all memory.
const BEATS: usize = 1 << 20;

/// `beacon_score(ts, bytes)`: 0 to 1; from 0.7 on it is a machine keeping time. Null with fewer
/// than four beats.
pub(super) fn beacon_score() -> AggregateUDF {
    aggregate("beacon_score", |score| score.value)
}

/// `beacon_period(ts, bytes)`: the median seconds between beats.
pub(super) fn beacon_period() -> AggregateUDF {
    aggregate("beacon_period", |score| score.period)
}

fn aggregate(name: &str, figure: fn(&Score) -> f64) -> AggregateUDF {
    let ts = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
    create_udaf(
        name,
        vec![ts, DataType::Int64],
        Arc::new(DataType::Float64),
        Volatility::Immutable,
        Arc::new(move |_| Ok(Box::new(Beats { beats: Vec::new(), figure }))),
        Arc::new(vec![list.clone(), list]),
    )
}

/// Beats of one group.
#[derive(Debug)]
struct Beats {
    /// Microseconds and bytes.
    beats: Vec<(i64, i64)>,
    figure: fn(&Score) -> f64,
}

impl Accumulator for Beats {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (ts, bytes) = (
            values[0].as_primitive::<TimestampMicrosecondType>(),
            values[1].as_primitive::<Int64Type>(),
        );
        let beats = ts.iter().zip(bytes).filter_map(|(ts, bytes)| Some((ts?, bytes.unwrap_or(0))));
        let room = BEATS.saturating_sub(self.beats.len());
        self.beats.extend(beats.take(room));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (intervals, sizes) = series(&mut self.beats);
        let enough = intervals.len() >= 3;
        let figure = enough.then(|| (self.figure)(&score(&intervals, &sizes)));
        Ok(ScalarValue::Float64(figure))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.beats.capacity() * size_of::<(i64, i64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |values: Vec<i64>| {
            let values: Vec<ScalarValue> = values.into_iter().map(ScalarValue::from).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))
        };
        Ok(vec![
            list(self.beats.iter().map(|(ts, _)| *ts).collect()),
            list(self.beats.iter().map(|(_, bytes)| *bytes).collect()),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (times, bytes) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in 0..times.len() {
            let (times, bytes) = (times.value(row), bytes.value(row));
            let times = times.as_primitive::<Int64Type>().values().iter().copied();
            let bytes = bytes.as_primitive::<Int64Type>().values().iter().copied();
            let room = BEATS.saturating_sub(self.beats.len());
            self.beats.extend(times.zip(bytes).take(room));
        }
        Ok(())
    }
}

/// Intervals in seconds and bytes of beats, bursts joined.
fn series(beats: &mut [(i64, i64)]) -> (Vec<f64>, Vec<u64>) {
    beats.sort_unstable();
    let mut joined: Vec<(i64, u64)> = Vec::new();
    for (ts, bytes) in beats {
        let bytes = u64::try_from(*bytes).unwrap_or(0);
        match joined.last_mut() {
            Some((last, sum)) if *ts - *last < BURST_MICROS => *sum += bytes,
            _ => joined.push((*ts, bytes)),
        }
    }
    #[allow(clippy::cast_precision_loss)] // centuries of microseconds fit
    let seconds = |pair: &[(i64, u64)]| (pair[1].0 - pair[0].0) as f64 / 1e6;
    (joined.windows(2).map(seconds).collect(), joined.iter().map(|(_, bytes)| *bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_one_beat() {
        let mut beats = [(60_000_000, 5), (0, 1), (500_000, 2), (120_900_000, 1), (120_000_000, 1)];
        let (intervals, sizes) = series(&mut beats);
        assert_eq!(intervals, [60.0, 60.0]);
        assert_eq!(sizes, [3, 5, 2]);
    }
}
