//! The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B). In: coded bytes. Out: the
//! string.
//!
//! The code is canonical: codes of one length are consecutive and in the order of their symbols, so
//! that the lengths alone say everything.

use crate::malformed::Malformed;

/// Bits of each byte's code.
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// The longest code, in bits.
const BITS_MAX: usize = 30;

/// The codes of one length.
#[derive(Clone, Copy)]
struct Run {
    /// The first of them.
    code: u32,
    /// How many there are.
    count: u32,
    /// Where their symbols begin in [`SYMBOLS`].
    symbols: usize,
}

/// The runs by their length, and the symbols in the order of their codes.
const CODE: ([Run; BITS_MAX + 1], [u8; 256]) = build();

static RUNS: [Run; BITS_MAX + 1] = CODE.0;
static SYMBOLS: [u8; 256] = CODE.1;

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "runs in the compiler, over the table above alone"
)]
const fn build() -> ([Run; BITS_MAX + 1], [u8; 256]) {
    let mut runs = [Run { code: 0, count: 0, symbols: 0 }; BITS_MAX + 1];
    let mut symbols = [0; 256];
    let (mut length, mut code, mut next) = (1, 0, 0);
    while length <= BITS_MAX {
        code <<= 1;
        runs[length] = Run { code, count: 0, symbols: next };
        let mut symbol = 0;
        while symbol < 256 {
            if LENGTHS[symbol] as usize == length {
                symbols[next] = symbol as u8;
                next += 1;
                code += 1;
                runs[length].count += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    (runs, symbols)
}

/// Decodes `coded` to the end of `out`.
///
/// # Errors
/// Bad value, when a code is none or the padding is not what it must be.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut code = 0_u32;
    let mut bits = 0_usize;
    for (at, byte) in coded.iter().enumerate() {
        for shift in (0..8).rev() {
            code = (code << 1) | u32::from((byte >> shift) & 1);
            bits = bits.saturating_add(1);
            let Some(run) = RUNS.get(bits) else {
                return Err(Malformed::bad_value("huffman code", at));
            };
            let index = code.wrapping_sub(run.code);
            if code >= run.code && index < run.count {
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                out.extend(SYMBOLS.get(run.symbols.saturating_add(index)));
                (code, bits) = (0, 0);
            }
        }
    }
    // Padding: less than a byte, all ones, as the end-of-string code begins.
    let ones = (1_u32 << bits.min(31)).wrapping_sub(1);
    if bits > 7 || code != ones {
        return Err(Malformed::bad_value("huffman padding", coded.len()));
    }
    Ok(())
}
