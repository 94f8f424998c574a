//! The one door out of an analyzer: records and weirds.

use crate::malformed::Malformed;
use crate::record::Record;
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// What a weird says beside its name; cheap to make, formatted only when it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing.
    None,
    /// Words of ours.
    Word(&'static str),
    /// The parse error.
    Malformed(Malformed),
    /// A text, possibly with bytes of the wire.
    Text(Text),
}

/// One thing that an analyzer said.
#[derive(Debug)]
pub enum Emission {
    /// A row of a table.
    Record {
        /// Packet time of the record's first packet.
        ts: Timestamp,
        /// The row.
        record: Box<dyn Record>,
    },
    /// Odd traffic.
    Weird {
        /// Packet time at which it was seen.
        ts: Timestamp,
        /// Its kind.
        weird: Weird,
        /// What there is to say about it.
        detail: Detail,
    },
}

/// Collects what analyzers say, in order.
#[derive(Debug, Default)]
pub struct Emitter {
    emissions: Vec<Emission>,
}

impl Emitter {
    /// A row whose first packet came at `ts`.
    pub fn record(&mut self, ts: Timestamp, record: impl Record + 'static) {
        self.emissions.push(Emission::Record { ts, record: Box::new(record) });
    }

    /// Odd traffic seen at `ts`.
    pub fn weird(&mut self, ts: Timestamp, weird: Weird) {
        self.emissions.push(Emission::Weird { ts, weird, detail: Detail::None });
    }

    /// Odd traffic seen at `ts`, with something to say about it.
    pub fn weird_with(&mut self, ts: Timestamp, weird: Weird, detail: Detail) {
        self.emissions.push(Emission::Weird { ts, weird, detail });
    }

    /// Takes what was said since the last call.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Emission> {
        self.emissions.drain(..)
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.emissions.is_empty()
    }
}

impl From<Malformed> for Detail {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<&'static str> for Detail {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}
