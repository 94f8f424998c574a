//! Whether a dictionary pays for a column, told from a sample of its values.
//!
//! In: a column of the rows that are to be written. Out: [`Coding`]. A dictionary makes values that
//! repeat small, but it costs a look-up for each value, and where hardly any repeats it makes the
//! file larger as well.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type, UInt8Type, UInt16Type};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::DataType;

/// Values that are looked at: enough to tell a column that repeats each value four times from one
/// that never does, in a file of a million rows.
const SAMPLE: usize = 1_024;

/// How a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Each distinct value once, then their numbers.
    Dictionary,
    /// The values as they are.
    Plain,
    /// Differences between neighbours, in as few bits as they need.
    Delta,
}

/// How `array` is best written.
pub(super) fn coding(array: &dyn Array) -> Coding {
    match array.data_type() {
        DataType::Utf8 => text_coding(array),
        DataType::Int64 => integer_coding(array.as_primitive::<Int64Type>()),
        DataType::Int32 => integer_coding(array.as_primitive::<Int32Type>()),
        DataType::UInt16 => integer_coding(array.as_primitive::<UInt16Type>()),
        DataType::UInt8 => integer_coding(array.as_primitive::<UInt8Type>()),
        // Close to each other and hardly ever the same.
        DataType::Timestamp(..) => Coding::Delta,
        DataType::Float64 => Coding::Plain,
        _ => Coding::Dictionary,
    }
}

fn text_coding(array: &dyn Array) -> Coding {
    let texts = array.as_string::<i32>();
    let sample: Vec<&str> = rows(array).map(|row| texts.value(row)).collect();
    let distinct: HashSet<&str> = sample.iter().copied().collect();
    if repeats(distinct.len(), sample.len(), texts.len() - texts.null_count()) {
        Coding::Dictionary
    } else {
        Coding::Plain
    }
}

fn integer_coding<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &PrimitiveArray<T>) -> Coding {
    let sample: Vec<i64> = rows(array).map(|row| array.value(row).into()).collect();
    let distinct: HashSet<i64> = sample.iter().copied().collect();
    let (Some(min), Some(max)) = (sample.iter().min(), sample.iter().max()) else {
        return Coding::Delta;
    };
    let delta_bits = u64::BITS - max.abs_diff(*min).leading_zeros();
    let number_bits = usize::BITS - (distinct.len() - 1).leading_zeros();
    let repeats = repeats(distinct.len(), sample.len(), array.len() - array.null_count());
    // Differences are much faster to write: a dictionary must halve the bits.
    if repeats && number_bits > 0 && 2 * number_bits <= delta_bits {
        Coding::Dictionary
    } else {
        Coding::Delta
    }
}

/// The sample's rows: one of each stretch of equal length, those without a value left out. Which
/// one changes from stretch to stretch, so that values that come in turn are all met.
fn rows(array: &dyn Array) -> impl Iterator<Item = usize> {
    let stretch = array.len().div_ceil(SAMPLE).max(1);
    (0..SAMPLE)
        .map(move |index| index * stretch + (index * index) % stretch)
        .take_while(|row| *row < array.len())
        .filter(|row| array.is_valid(*row))
}

/// Whether a value occurs four times or more in all `values`, on average, when a sample of them has
/// so many distinct ones. A sample of n out of D values that are equally likely has about
/// D·(1 − e^(−n/D)) distinct ones.
fn repeats(distinct: usize, sample: usize, values: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let [distinct, sample, values] = [distinct, sample, values].map(|count| count as f64);
    let most = values / 4.0;
    distinct <= most * (1.0 - (-sample / most).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int64Array, StringArray};

    #[test]
    fn texts_get_a_dictionary_where_they_repeat() {
        for (rows, distinct, expected) in [
            (100_000, 1, Coding::Dictionary),
            (100_000, 10_000, Coding::Dictionary),
            (100_000, 50_000, Coding::Plain),
            (100_000, 100_000, Coding::Plain),
            (1, 1, Coding::Plain),
            (16, 2, Coding::Dictionary),
        ] {
            let spread = |row: u64| {
                let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) % distinct
            };
            let array: StringArray = (0..rows).map(|row| Some(spread(row).to_string())).collect();
            assert_eq!(coding(&array), expected, "{distinct} of {rows}");
        }
    }

    #[test]
    fn integers_get_a_dictionary_only_where_it_halves_the_bits() {
        let column = |value: &dyn Fn(i64) -> i64| (0..9_999).map(value).collect::<Vec<_>>();
        for (what, values, expected) in [
            ("one value", column(&|_| 0), Coding::Delta),
            ("small values", column(&|row| row % 200), Coding::Delta),
            ("distinct values", column(&|row| row * row), Coding::Delta),
            ("few large values", column(&|row| (row % 5) * 1_000_000), Coding::Dictionary),
        ] {
            assert_eq!(coding(&Int64Array::from(values)), expected, "{what}");
        }
    }

    #[test]
    fn columns_without_values_are_no_trouble() {
        assert_eq!(coding(&Int64Array::from(vec![None, None])), Coding::Delta);
        assert_eq!(coding(&Int64Array::from(Vec::<i64>::new())), Coding::Delta);
        assert_eq!(coding(&StringArray::from(vec![None::<&str>; 9])), Coding::Plain);
    }
}
