//! The account of a flow: what went in, what came out, and that the one bounds the other.

use std::io::{self, Write};

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
    text_bytes: usize,
}

impl Ledger {
    /// Takes what was said, writes its rows and checks the balance.
    pub fn settle(&mut self, emitter: &mut Emitter) {
        for emission in emitter.drain() {
            self.emissions += 1;
            if let Emission::Record { ts, record } = emission {
                let header = Header {
                    ts,
                    uid: None,
                    src_ip: None,
                    src_port: None,
                    dst_ip: None,
                    dst_port: None,
                    proto: None,
                    sensor: Text::Word("fuzz"),
                };
                let row = StampedRow { header, record };
                JsonLines::new(&mut *self).write(&row).expect("a row can be written");
            }
        }
        let Self { fed, emissions, text_bytes } = *self;
        assert!(emissions <= FREE_EMISSIONS + 2 * fed, "{emissions} emissions of {fed} bytes");
        assert!(text_bytes <= FREE_TEXT_BYTES + TEXT_GROWTH * fed, "{text_bytes} of {fed} bytes");
    }
}

impl Write for &mut Ledger {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.text_bytes += line.len();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
