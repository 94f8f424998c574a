//! `entropy(text)`: how much a text surprises, in bits a byte.

use std::sync::Arc;

use arrow_array::Float64Array;
use arrow_array::cast::AsArray as _;
use arrow_schema::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `entropy(text)`: Shannon's entropy of the text's bytes, 0 to 8.
pub(super) fn entropy() -> ScalarUDF {
    create_udf(
        "entropy",
        vec![DataType::Utf8View],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(|args| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let texts = arrays[0].as_string_view();
            let bits: Float64Array =
                texts.iter().map(|text| text.map(|text| bits(text.as_bytes()))).collect();
            Ok(ColumnarValue::Array(Arc::new(bits)))
        }),
    )
}

#[allow(clippy::cast_precision_loss)] // texts are far shorter than 2^52 bytes
fn bits(bytes: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let all = bytes.len() as f64;
    let share = |count: u64| count as f64 / all;
    let surprise = |share: f64| -share * share.log2();
    counts.into_iter().filter(|count| *count > 0).map(|count| surprise(share(count))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_letters_surprise_most() {
        for (text, expected) in
            [("", 0.0), ("aaaa", 0.0), ("ab", 1.0), ("abcd", 2.0), ("aab", 0.918)]
        {
            assert!((bits(text.as_bytes()) - expected).abs() < 0.001, "{text}");
        }
    }
}
