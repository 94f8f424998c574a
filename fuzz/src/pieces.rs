//! How an input's bytes become pieces. In: the bytes behind a target's head. Out: what stands
//! between marks. Lengths in front of pieces would be shorter, but one inserted byte would then
//! change the meaning of all that follows it.

use analyzers::Direction;

/// Stands between two pieces.
pub const MARK: &[u8] = b"SRVL";

/// Steps of packet time in nanoseconds: below and above every time-out that anything waits for,
/// and one into the past.
const SPANS: [i64; 8] =
    [0, 1_000, 1_000_000, 20_000_000, 1_000_000_000, 61_000_000_000, 3_601_000_000_000, -5_000_000];

/// The step of packet time that the lowest three bits of `choice` stand for, in nanoseconds.
#[must_use]
pub fn span(choice: u8) -> i64 {
    SPANS[usize::from(choice & 7)]
}

/// The pieces between marks.
pub fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest.take()?;
        let mark = bytes.windows(MARK.len()).position(|window| window == MARK);
        rest = mark.map(|at| &bytes[at + MARK.len()..]);
        Some(mark.map_or(bytes, |at| &bytes[..at]))
    })
}

/// How a piece's bytes reach a session.
#[derive(Clone, Copy, Debug)]
pub enum Feed {
    /// As many at a time.
    Runs(usize),
    /// Not at all: they are missing. As a datagram: the capture cut it.
    Missing,
}

/// A piece of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Who sent it.
    pub direction: Direction,
    /// How it arrives.
    pub feed: Feed,
    /// Packet time since the piece before, in nanoseconds.
    pub span: i64,
    /// How often it is sent.
    pub times: usize,
    /// What was sent.
    pub bytes: &'a [u8],
}

impl<'a> Piece<'a> {
    /// Reads a piece: a byte of choices, which is zero for plain bytes of the originator, then what
    /// was sent.
    #[must_use]
    pub fn read(piece: &'a [u8]) -> Option<Self> {
        let (&choices, bytes) = piece.split_first()?;
        Some(Self {
            direction: Direction::BOTH[usize::from(choices & 1)],
            feed: match choices >> 1 & 3 {
                0 => Feed::Runs(usize::MAX),
                1 => Feed::Runs(7),
                2 => Feed::Runs(1),
                _ => Feed::Missing,
            },
            span: span(choices >> 3),
            times: [1, 1, 2, 40][usize::from(choices >> 6)],
            bytes,
        })
    }
}
