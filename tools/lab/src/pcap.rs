//! Captures as files: pcap with nanoseconds, packed with zstd where the name says so.
//!
//! In: frames in the order of their times. Out: bytes of a file. The format is that of
//! draft-ietf-opsawg-pcap, little-endian, link type 1 (Ethernet).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::packet::Frame;

/// Magic of little-endian files whose times have nanoseconds.
const MAGIC: u32 = 0xa1b2_3c4d;

/// Bytes of a packet that a file may hold.
const SNAP_BYTES: u32 = 262_144;

const ETHERNET: u32 = 1;

/// Writes frames to anything.
pub struct PcapWriter<W: Write>(W);

impl<W: Write> PcapWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC.to_le_bytes())?;
        for number in [2u16, 4, 0, 0, 0, 0] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(&SNAP_BYTES.to_le_bytes())?;
        out.write_all(&ETHERNET.to_le_bytes())?;
        Ok(Self(out))
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let nanos = frame.time.nanos();
        let field = |number: i64| u32::try_from(number).unwrap_or_default().to_le_bytes();
        let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        let mut header = [0; 16];
        header[..4].copy_from_slice(&field(nanos.div_euclid(1_000_000_000)));
        header[4..8].copy_from_slice(&field(nanos.rem_euclid(1_000_000_000)));
        header[8..12].copy_from_slice(&captured.to_le_bytes());
        header[12..].copy_from_slice(&frame.wire_bytes.to_le_bytes());
        self.0.write_all(&header)?;
        self.0.write_all(&frame.bytes)
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.0
    }
}

/// A place for a capture: a file, a packed one, or standard output.
pub enum Place {
    /// As it is.
    Plain(BufWriter<Box<dyn Write>>),
    /// Packed with zstd.
    Packed(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

impl Place {
    /// Opens it: `-` is standard output, a name that ends in `.zst` is packed.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Plain(BufWriter::new(Box::new(io::stdout()))));
        }
        let file = File::create(path)?;
        if path.extension().is_some_and(|extension| extension == "zst") {
            return zstd::Encoder::new(BufWriter::new(file), 1).map(Self::Packed);
        }
        Ok(Self::Plain(BufWriter::with_capacity(1 << 20, Box::new(file))))
    }

    /// Brings everything to where it goes.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Packed(encoder) => encoder.finish()?.flush(),
        }
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Packed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Packed(out) => out.flush(),
        }
    }
}
