//! What can go wrong with a capture. In: path, offset, reason. Out: a sentence that says what
//! happened, where, and what the user can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::content::{Codec, Content};

/// Nothing can be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No path was given.
    #[error("no input; name capture files, directories that hold some, or - for standard input")]
    NoInput,
    /// None of the paths leads to a capture.
    #[error("no capture to read{}", Lines(problems))]
    NothingToRead {
        /// The reason for each path.
        problems: Vec<Problem>,
    },
    /// No interface was named.
    #[error(
        "no interface; name one with `-i` or as `interfaces` below `[capture]` in the \
         configuration (`ip link` lists them)"
    )]
    NoInterface,
    /// An interface cannot be heard.
    #[error("cannot hear the interface {name}: {cause}; {}", remedy(cause))]
    Interface {
        /// Its name.
        name: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The filter expression is not one.
    #[error(
        "the filter `{expression}` cannot be used: {message}; `man pcap-filter` describes the \
         syntax"
    )]
    Filter {
        /// What the user wrote.
        expression: String,
        /// What libpcap says.
        message: String,
    },
}

/// What the reader of the message can do about an interface.
fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            "start as root, or grant the right with `setcap cap_net_raw+ep` on the program"
        }
        io::ErrorKind::OutOfMemory => "make `ring` below `[capture]` smaller",
        _ => "check its name against `ip link`",
    }
}

/// Problems below each other.
struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// Something that could not be read, though other things can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The input; `-` is standard input.
    pub path: PathBuf,
    /// Where, if it is a place.
    pub offset: Option<Offset>,
    /// What.
    pub what: ProblemKind,
}

/// A place in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Bytes from the start.
    pub bytes: u64,
    /// Of what.
    pub stream: Stream,
}

/// What an offset counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The file itself.
    File,
    /// What comes out of it when it is decompressed.
    Decompressed,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The file ends within a record.
    CutShort {
        /// Bytes that the record has.
        needs: u64,
        /// Bytes of it that are there.
        has: u64,
    },
    /// A record contradicts itself.
    Damaged {
        /// How.
        damage: Damage,
        /// How reading went on.
        aftermath: Aftermath,
    },
    /// Damaged places of the file that are not listed one by one.
    MoreDamage {
        /// Their number.
        places: u64,
    },
    /// Decompression stopped.
    BadCompression {
        /// The format.
        codec: Codec,
        /// What the decompressor says.
        message: String,
    },
    /// The system did not let us read.
    Unreadable {
        /// What the system says.
        message: String,
    },
    /// The file is something else.
    NotACapture {
        /// What it seems to be.
        content: Content,
    },
    /// A directory, with its own, holds no capture.
    NoCaptures {
        /// Its entries that were looked at.
        passed_over: u64,
    },
    /// More files than the bound allows.
    TooManyFiles {
        /// The bound.
        limit: usize,
    },
    /// The filter means nothing for packets of this link type; they were left out.
    FilterMeaningless {
        /// The link type's number.
        link: u16,
        /// What libpcap says.
        message: String,
    },
    /// The interface is down or gone.
    InterfaceLost {
        /// What the system says.
        message: String,
    },
    /// The interface is heard again.
    InterfaceBack,
    /// More problems than are listed.
    MoreProblems {
        /// Their number.
        count: u64,
    },
}

/// How a record or block contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The record claims more bytes than a packet can have.
    RecordLength(u32),
    /// The record's header is all zeros.
    ZeroFilled,
    /// The format's version is not one that can be read.
    Version(u16),
    /// A section says no byte order.
    ByteOrder,
    /// A block's length cannot be.
    BlockLength(u32),
    /// A block's length is another one at its end.
    BlockTrailer {
        /// At its start.
        start: u32,
        /// At its end.
        end: u32,
    },
    /// A block is too short for its fields.
    BlockTooShort,
    /// A packet claims more bytes than its block has.
    PacketLength(u32),
    /// A packet of an interface that was not described.
    UnknownInterface(u32),
    /// More interfaces than the bound allows.
    TooManyInterfaces,
}

/// How reading went on after damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aftermath {
    /// One record was passed over.
    RecordSkipped,
    /// Sound records were found again after so many bytes.
    Resumed(u64),
    /// No sound record was found; so many bytes were searched, and the file was left.
    Abandoned(u64),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.as_os_str() == "-" {
            write!(f, "standard input: ")?;
        } else {
            write!(f, "{}: ", self.path.display())?;
        }
        match self.offset {
            None => {}
            Some(Offset { bytes, stream: Stream::File }) => write!(f, "at byte {bytes}: ")?,
            Some(Offset { bytes, stream: Stream::Decompressed }) => {
                write!(f, "at byte {bytes} of the decompressed stream: ")?;
            }
        }
        write!(f, "{}", self.what)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort { needs, has } => write!(
                f,
                "cut short: the record there has at least {needs} bytes and {has} of them are \
                 there; every packet before it was read; if the file was still being written or \
                 copied, read it again when that is done"
            ),
            Self::Damaged { damage, aftermath } => write!(f, "damaged: {damage}; {aftermath}"),
            Self::MoreDamage { places } => write!(
                f,
                "damaged at {places} further places; the file was perhaps copied in text mode or \
                 lies on a failing disk; take a fresh copy"
            ),
            Self::BadCompression { codec, message } => write!(
                f,
                "the {codec} stream is broken ({message}); everything before was read; take a \
                 fresh copy, or test it with `{} -t`",
                codec.tool()
            ),
            Self::Unreadable { message } => {
                write!(f, "cannot be read: {message}; check the path and its permissions")
            }
            Self::NotACapture { content } => write!(f, "not a pcap or pcapng capture: {content}"),
            Self::NoCaptures { passed_over } => write!(
                f,
                "no capture in this directory ({passed_over} entries looked at; hidden files and \
                 links to directories are passed over); name a directory with pcap or pcapng \
                 files, which may be compressed with gzip, zstd or lz4"
            ),
            Self::TooManyFiles { limit } => write!(
                f,
                "more than {limit} files; the rest is left out; read the directory in parts"
            ),
            Self::FilterMeaningless { link, message } => write!(
                f,
                "the filter means nothing for link type {link} ({message}); packets of that type \
                 are left out; write the filter without that part, or run without it"
            ),
            Self::InterfaceLost { message } => write!(
                f,
                "not heard any more: {message}; it is looked for and will be heard as soon as it \
                 is up (`ip link` shows its state)"
            ),
            Self::InterfaceBack => write!(f, "heard again"),
            Self::MoreProblems { count } => write!(f, "and {count} problems more, not listed"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordLength(bytes) => {
                write!(f, "a record claims {bytes} bytes, more than a packet can have")
            }
            Self::ZeroFilled => write!(f, "the record's header is all zeros"),
            Self::Version(major) => write!(f, "version {major} of the format is unknown"),
            Self::ByteOrder => write!(f, "a section header without a byte order"),
            Self::BlockLength(bytes) => write!(f, "a block length of {bytes} cannot be"),
            Self::BlockTrailer { start, end } => {
                write!(f, "a block says {start} bytes at its start and {end} at its end")
            }
            Self::BlockTooShort => write!(f, "a block is too short for its fields"),
            Self::PacketLength(bytes) => {
                write!(f, "a packet claims {bytes} bytes, more than its block has")
            }
            Self::UnknownInterface(id) => {
                write!(f, "a packet of interface {id}, which the file does not describe")
            }
            Self::TooManyInterfaces => write!(f, "more interfaces than can be kept"),
        }
    }
}

impl fmt::Display for Aftermath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordSkipped => write!(f, "that record was passed over"),
            Self::Resumed(bytes) => {
                write!(f, "{bytes} bytes were passed over, and reading went on behind them")
            }
            Self::Abandoned(bytes) => write!(
                f,
                "no sound record was found in the next {bytes} bytes, and the rest of the file was \
                 left; take a fresh copy of it"
            ),
        }
    }
}
