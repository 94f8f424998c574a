//! The account of a flow: what went in, what came out, and that the one bounds the other.

use std::fmt;

use analyzers::record::Header;
use analyzers::{Emission, Emitter, Text};
use sensor::rows::StampedRow;
use sensor::rows::json::JsonLines;

/// What a flow may say whatever its length.
const FREE_EMISSIONS: usize = 64;
/// Text that its rows may have whatever its length.
const FREE_TEXT_BYTES: usize = 1 << 20;
/// Text of rows for a byte of input: a compressed DNS name grows a hundredfold, escaped fourfold.
const TEXT_GROWTH: usize = 512;

/// Adds up what a flow is given and what it says.
#[derive(Default)]
pub struct Ledger {
    /// Bytes and calls that went in.
    pub fed: usize,
    emissions: usize,
    rows: Vec<u8>,
    weirds: usize,
}

impl Ledger {
    /// Its rows, as lines of JSON.
    #[must_use]
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// Whether nothing odd was said.
    #[must_use]
    pub const fn is_orderly(&self) -> bool {
        self.weirds == 0
    }

    /// Takes what was said, writes its rows and checks the balance.
    pub fn settle(&mut self, emitter: &mut Emitter) {
        for emission in emitter.drain() {
            self.emissions += 1;
            match emission {
                Emission::Weird { .. } => self.weirds += 1,
                Emission::Record { ts, record } => self.write(StampedRow {
                    header: Header {
                        ts,
                        uid: None,
                        src_ip: None,
                        src_port: None,
                        dst_ip: None,
                        dst_port: None,
                        proto: None,
                        sensor: Text::Word("fuzz"),
                    },
                    record,
                }),
            }
        }
        let (fed, emissions, text_bytes) = (self.fed, self.emissions, self.rows.len());
        assert!(emissions <= FREE_EMISSIONS + 2 * fed, "{emissions} emissions of {fed} bytes");
        assert!(text_bytes <= FREE_TEXT_BYTES + TEXT_GROWTH * fed, "{text_bytes} of {fed} bytes");
    }

    fn write(&mut self, row: StampedRow) {
        JsonLines::new(&mut self.rows).write(&row).expect("a row can be written");
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.rows))
    }
}
