//! Odd traffic of one flow, counted by kind until the flow ends. In: each occurrence. Out: whether
//! it was the first of its kind, and in the end a row for each.

use analyzers::limits::WEIRD_DETAIL_BYTES;
use analyzers::weird::WeirdRecord;
use analyzers::{Detail, Text, Timestamp, Weird};
use smallvec::SmallVec;

/// Bounded by the closed list of kinds.
#[derive(Default)]
pub struct Weirds(SmallVec<[Counted; 0]>);

struct Counted {
    weird: Weird,
    ts: Timestamp,
    detail: Detail,
    count: i64,
}

/// Whether an occurrence was the first of its kind in the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// It was.
    First,
    /// It was seen before.
    Again,
}

impl Weirds {
    /// Counts an occurrence.
    pub fn count(&mut self, ts: Timestamp, weird: Weird, detail: Detail) -> Occurrence {
        if let Some(known) = self.0.iter_mut().find(|known| known.weird == weird) {
            known.count = known.count.saturating_add(1);
            return Occurrence::Again;
        }
        self.0.push(Counted { weird, ts, detail, count: 1 });
        Occurrence::First
    }

    /// The rows, with the packet time of each kind's first occurrence.
    pub fn take(&mut self) -> impl Iterator<Item = (Timestamp, WeirdRecord)> + use<> {
        std::mem::take(&mut self.0).into_iter().map(|counted| (counted.ts, counted.record()))
    }
}

impl Counted {
    fn record(self) -> WeirdRecord {
        let detail = match self.detail {
            Detail::None => None,
            Detail::Word(word) => Some(Text::Word(word)),
            Detail::Malformed(malformed) => Some(Text::from(malformed.to_string())),
            Detail::Text(text) => {
                let bytes = text.as_bytes();
                Some(Text::wire(&bytes[..bytes.len().min(WEIRD_DETAIL_BYTES)]))
            }
        };
        WeirdRecord { name: self.weird.name(), detail, count: self.count }
    }
}
