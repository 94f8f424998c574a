//! Where packets come from: capture files, directories of them, standard input, interfaces.
//!
//! In: paths, or names of interfaces. Out: batches of packets that share one block of bytes, so
//! that a packet is never copied on its way to the worker that owns its flow; what went wrong on
//! the way, as [`Problem`]s with path and offset; and a [`Tally`] of every packet.
//!
//! # How a file is read
//! `inputs` finds the files and puts them in the order of their first packets. `unpack` looks at
//! the first bytes (`content`) and puts decompressors in front. `file` reads blocks of about a
//! mebibyte; `format` with its two members `pcap` and `pcapng` finds the records in a block. A
//! record that a block's end cuts moves to the start of the next block.
//!
//! # Invariants
//! - **Invariant:** a damaged file never loses the packets before the damage, and what is lost is
//!   a problem with its offset.
//! - **Invariant:** packets leave as the file has them: link types are not judged, times not
//!   sorted.
//! - **Invariant:** nothing here decides an exit status. A [`CaptureError`] means that there is
//!   nothing to read; a [`Problem`] that something could not be read.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use analyzers::Timestamp;

mod block;
mod content;
mod file;
mod files;
pub mod filter;
mod format;
mod inputs;
pub mod interface;
mod pcap;
mod pcapng;
mod problem;
mod progress;
mod unpack;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use content::{Codec, Content};
pub use files::{BLOCK_BYTES, CaptureFiles};
pub use filter::{Filter, Filtered};
pub use interface::{InterfaceSettings, Interfaces, Method, Promiscuity, Stop};
pub use problem::{Aftermath, CaptureError, Damage, Offset, Problem, ProblemKind, Stream};
pub use progress::Progress;

/// Link-layer header type, by its number in the registry of link types (`LINKTYPE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

/// One packet as the capture has it: where its bytes are in its batch's block, and what was noted
/// about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPacket {
    /// When it was captured.
    pub time: Timestamp,
    /// Offset of its first byte in the block.
    pub offset: u32,
    /// Bytes that were captured.
    pub captured_bytes: u32,
    /// Bytes that were on the wire; more than `captured_bytes` where the snap length cut it, never
    /// fewer (captures that say so are taken to have the whole packet).
    pub wire_bytes: u32,
    /// Type of its outermost header.
    pub link: LinkType,
}

/// Packets in the order of the capture, with the bytes that they point into.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The bytes; shared with every worker that got a packet of this batch. The block is used again
    /// when the last of them has dropped it. Bytes that no packet points to mean nothing.
    pub block: Arc<Vec<u8>>,
    /// The packets.
    pub packets: Vec<RawPacket>,
}

impl RawPacket {
    /// The packet's bytes in its batch's block; empty if it lies outside, which no source makes.
    #[must_use]
    pub fn bytes<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        let start = self.offset as usize;
        block.get(start..start + self.captured_bytes as usize).unwrap_or_default()
    }
}

/// What became of a call for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// The batch holds at least one packet.
    Packets,
    /// The batch is empty: nothing has come for a while, and nothing older than this will. Files
    /// never say so.
    Quiet(Timestamp),
    /// The batch is empty, and so will be all later ones.
    End,
}

/// Something that gives packets: capture files, interfaces, or either behind a filter.
pub trait Source: Send {
    /// Replaces what `batch` holds by the next packets.
    ///
    /// # Errors
    /// The source as a whole has failed and gives nothing more. What goes wrong with one of several
    /// files is a [`Problem`] instead.
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError>;

    /// What has been counted so far; final after [`Fill::End`].
    fn tally(&self) -> Tally;

    /// What went wrong since the last call.
    fn problems(&mut self) -> Vec<Problem>;

    /// How full the place is where packets wait.
    fn pressure(&self) -> Pressure {
        Pressure::Low
    }
}

/// How full the place is where the packets of a source wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// It is less than half full, or it cannot be told, or packets wait as long as they must, as
    /// those of a file do.
    #[default]
    Low,
    /// It is half full at least.
    High,
    /// It is three quarters full at least: soon packets are lost.
    Critical,
}

/// Counts of a source. Every packet of the capture is in `packets` or in `filtered`; records that
/// are damaged beyond reading are in `damaged_places`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets given.
    pub packets: u64,
    /// Their captured bytes.
    pub captured_bytes: u64,
    /// Packets that the filter left out.
    pub filtered: u64,
    /// Places where a capture is damaged; each may have cost one packet or many.
    pub damaged_places: u64,
    /// Packets that the capturing interfaces lost, as they or the capture's own statistics say.
    pub interface_drops: u64,
    /// Packets that the capturing host's system lost, as it or the capture's own statistics say.
    pub kernel_drops: u64,
    /// Files and streams that were read.
    pub files: u64,
    /// Entries of directories that are not read: no captures, hidden, links to directories, or a
    /// file that is in the list already.
    pub passed_over: u64,
}
