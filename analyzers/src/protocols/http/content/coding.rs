//! Content codings as layers: each takes coded bytes by [`Write`] and pushes decoded ones into the
//! layer below, down to the digest. RFC 9110 section 8.4.1 (gzip, deflate), RFC 7932 (br), RFC 8878
//! and RFC 9659 (zstd).
//!
//! Every layer counts what it is given and refuses to go on beyond its allowance, so that a bomb in
//! a bomb stops at the outer one.

use std::io::{Error, ErrorKind, Result, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::digest::Digest;
use crate::limits::{
    HTTP_CONTENT_BYTES, HTTP_CONTENT_FLOOR_BYTES, HTTP_CONTENT_LAYERS, HTTP_CONTENT_RATIO,
    HTTP_WINDOW_BYTES,
};

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Coding {
    Gzip,
    /// Meant to be zlib; some servers send bare deflate.
    Deflate,
    Brotli,
    Zstandard,
    /// One that is not known here: such a body is counted, its hash would name no file.
    Unknown,
}

impl Coding {
    /// The coding of that name; `None` for the one that changes nothing.
    pub(in super::super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_slice() {
            b"identity" | b"none" => return None,
            b"gzip" | b"x-gzip" => Self::Gzip,
            b"deflate" => Self::Deflate,
            b"br" => Self::Brotli,
            b"zstd" => Self::Zstandard,
            _ => Self::Unknown,
        })
    }
}

/// Why a body was not decoded to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is not what its head says.
    Undecodable,
    /// It grows beyond the bounds.
    Bomb,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::QuotaExceeded => Self::Bomb,
            _ => Self::Undecodable,
        }
    }
}

fn bomb() -> Error {
    ErrorKind::QuotaExceeded.into()
}

fn undecodable() -> Error {
    ErrorKind::InvalidData.into()
}

/// One layer of decoding.
pub(super) trait Layer: Write + Send {
    /// Sets how many bytes this layer and those below may have taken in all.
    fn allow(&mut self, own: u64, below: u64);

    /// Ends all layers and gives what the innermost gathered.
    fn finish(self: Box<Self>) -> Result<Digest>;
}

/// Decoded bytes that `coded` ones may become.
pub(super) fn allowance(coded: u64) -> u64 {
    let grown = coded.saturating_mul(HTTP_CONTENT_RATIO);
    grown.clamp(HTTP_CONTENT_FLOOR_BYTES, HTTP_CONTENT_BYTES)
}

/// The layers that undo `codings`, which are listed in the order in which they were applied.
pub(super) fn layers(codings: &[Coding]) -> std::result::Result<Box<dyn Layer>, Trouble> {
    let wide = codings.iter().filter(|coding| matches!(coding, Coding::Brotli | Coding::Zstandard));
    // Nobody needs two large windows for one body, and each costs HTTP_WINDOW_BYTES.
    if codings.len() > HTTP_CONTENT_LAYERS || wide.count() > 1 {
        return Err(Trouble::Bomb);
    }
    let mut top: Box<dyn Layer> = Metered::boxed(Digest::default());
    for coding in codings {
        top = match coding {
            Coding::Gzip => Metered::boxed(Gzip(MultiGzDecoder::new(top))),
            Coding::Deflate => Metered::boxed(Deflate::Unseen(top)),
            Coding::Brotli => Metered::boxed(Brotli::Unseen(top)),
            Coding::Zstandard => Metered::boxed(Zstandard::new(top)),
            Coding::Unknown => return Err(Trouble::Undecodable),
        };
    }
    Ok(top)
}

/// What a layer does with the bytes that it may take.
trait Decode: Send + Sized {
    /// Takes all of `piece`, which is not empty.
    fn decode(&mut self, piece: &[u8]) -> Result<()>;

    /// The layer below; none for the digest.
    fn below(&mut self) -> Option<&mut dyn Layer>;

    fn finish(self) -> Result<Digest>;
}

/// A layer with the count of bytes that it took and may take.
struct Metered<D> {
    decoder: D,
    taken: u64,
    allowance: u64,
}

impl<D: Decode> Metered<D> {
    fn boxed(decoder: D) -> Box<Self> {
        Box::new(Self { decoder, taken: 0, allowance: 0 })
    }
}

impl<D: Decode> Write for Metered<D> {
    fn write(&mut self, piece: &[u8]) -> Result<usize> {
        self.taken = self.taken.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.taken > self.allowance {
            return Err(bomb());
        }
        if !piece.is_empty() {
            self.decoder.decode(piece)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl<D: Decode> Layer for Metered<D> {
    fn allow(&mut self, own: u64, below: u64) {
        self.allowance = own;
        if let Some(layer) = self.decoder.below() {
            layer.allow(below, below);
        }
    }

    fn finish(self: Box<Self>) -> Result<Digest> {
        self.decoder.finish()
    }
}

impl Decode for Digest {
    fn decode(&mut self, piece: &[u8]) -> Result<()> {
        self.update(piece);
        Ok(())
    }

    fn below(&mut self) -> Option<&mut dyn Layer> {
        None
    }

    fn finish(self) -> Result<Digest> {
        Ok(self)
    }
}

struct Gzip(MultiGzDecoder<Box<dyn Layer>>);

impl Decode for Gzip {
    fn decode(&mut self, piece: &[u8]) -> Result<()> {
        self.0.write_all(piece)
    }

    fn below(&mut self) -> Option<&mut dyn Layer> {
        Some(self.0.get_mut().as_mut())
    }

    fn finish(self) -> Result<Digest> {
        self.0.finish()?.finish()
    }
}

/// Deflate with or without the zlib header, which its first byte tells apart.
enum Deflate {
    Unseen(Box<dyn Layer>),
    Zlib(ZlibDecoder<Box<dyn Layer>>),
    Bare(DeflateDecoder<Box<dyn Layer>>),
    /// Only while the first byte is looked at.
    Taken,
}

impl Decode for Deflate {
    fn decode(&mut self, piece: &[u8]) -> Result<()> {
        if let Self::Unseen(_) = self
            && let Self::Unseen(below) = std::mem::replace(self, Self::Taken)
        {
            // Method 8 in the low bits. As bare deflate the same bits would be a stored block with
            // padding that is not zero, which no encoder writes.
            let zlib = piece.first().is_some_and(|first| first & 0x0f == 8);
            *self = if zlib {
                Self::Zlib(ZlibDecoder::new(below))
            } else {
                Self::Bare(DeflateDecoder::new(below))
            };
        }
        match self {
            Self::Zlib(decoder) => decoder.write_all(piece),
            Self::Bare(decoder) => decoder.write_all(piece),
            Self::Unseen(_) | Self::Taken => Err(undecodable()),
        }
    }

    fn below(&mut self) -> Option<&mut dyn Layer> {
        match self {
            Self::Unseen(below) => Some(below.as_mut()),
            Self::Zlib(decoder) => Some(decoder.get_mut().as_mut()),
            Self::Bare(decoder) => Some(decoder.get_mut().as_mut()),
            Self::Taken => None,
        }
    }

    fn finish(self) -> Result<Digest> {
        match self {
            Self::Zlib(decoder) => decoder.finish()?.finish(),
            Self::Bare(decoder) => decoder.finish()?.finish(),
            Self::Unseen(_) | Self::Taken => Err(undecodable()),
        }
    }
}

/// Output buffer of the Brotli decoder.
const BROTLI_BUFFER_BYTES: usize = 16 * 1_024;

/// Brotli, once its first byte has shown that the window is one we can afford.
enum Brotli {
    Unseen(Box<dyn Layer>),
    Open(Box<DecompressorWriter<Box<dyn Layer>>>),
    /// Only while the first byte is looked at.
    Taken,
}

impl Decode for Brotli {
    fn decode(&mut self, piece: &[u8]) -> Result<()> {
        if let (Self::Unseen(_), Some(first)) = (&*self, piece.first()) {
            if brotli_window_bytes(*first) > HTTP_WINDOW_BYTES {
                return Err(bomb());
            }
            if let Self::Unseen(below) = std::mem::replace(self, Self::Taken) {
                *self = Self::Open(Box::new(DecompressorWriter::new(below, BROTLI_BUFFER_BYTES)));
            }
        }
        match self {
            Self::Open(decoder) => decoder.write_all(piece),
            Self::Unseen(_) | Self::Taken => Err(undecodable()),
        }
    }

    fn below(&mut self) -> Option<&mut dyn Layer> {
        match self {
            Self::Unseen(below) => Some(below.as_mut()),
            Self::Open(decoder) => Some(decoder.get_mut().as_mut()),
            Self::Taken => None,
        }
    }

    fn finish(self) -> Result<Digest> {
        match self {
            Self::Open(decoder) => decoder.into_inner().map_err(|_| undecodable())?.finish(),
            Self::Unseen(_) | Self::Taken => Err(undecodable()),
        }
    }
}

/// The window that a Brotli stream's first byte asks for (RFC 7932 section 9.1); the large windows
/// of the later extension, which have no place in HTTP, are endless here.
fn brotli_window_bytes(first: u8) -> u64 {
    let bits = match (first & 1, (first >> 1) & 7, (first >> 4) & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        (_, 0, 1) => return u64::MAX,
        (_, 0, short) => short.saturating_add(8),
        (_, long, _) => long.saturating_add(17),
    };
    1_u64 << bits
}

/// Largest content of a Zstandard block (RFC 8878 section 3.1.1.2.4).
const ZSTD_BLOCK_BYTES: usize = 128 * 1_024;

/// Bytes that hold any frame header (RFC 8878 section 3.1.1.1).
const ZSTD_HEADER_BYTES: usize = 18;

/// Zstandard: blocks are gathered until they are whole, at most [`ZSTD_BLOCK_BYTES`] and headers.
struct Zstandard {
    decoder: FrameDecoder,
    gathered: Vec<u8>,
    frame: ZstdFrame,
    below: Box<dyn Layer>,
}

/// Where in its frames a Zstandard body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ZstdFrame {
    /// Before a frame's header.
    Before,
    /// Among its blocks; the last is followed by so many bytes of checksum.
    Blocks { checksum: usize },
}

/// Whether more bytes may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Supply {
    Open,
    Ended,
}

/// What the gathered bytes are enough for.
enum ZstdPart {
    Header,
    Block,
    Nothing,
}

impl Zstandard {
    fn new(below: Box<dyn Layer>) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(HTTP_WINDOW_BYTES);
        Self { decoder, gathered: Vec::new(), frame: ZstdFrame::Before, below }
    }

    /// The part that stands at the front of what is gathered, if it is whole.
    fn next_part(&self, gathered: &[u8], supply: Supply) -> Result<ZstdPart> {
        match (self.frame, gathered) {
            (ZstdFrame::Before, []) => Ok(ZstdPart::Nothing),
            // A frame of few bytes is shorter than the longest header.
            (ZstdFrame::Before, _)
                if gathered.len() >= ZSTD_HEADER_BYTES || supply == Supply::Ended =>
            {
                Ok(ZstdPart::Header)
            }
            (ZstdFrame::Blocks { checksum }, [a, b, c, ..]) => {
                let header = u32::from_le_bytes([*a, *b, *c, 0]);
                let size = match (header >> 1) & 3 {
                    1 => 1,
                    _ => usize::try_from(header >> 3).unwrap_or(usize::MAX),
                };
                if size > ZSTD_BLOCK_BYTES {
                    return Err(undecodable());
                }
                let trailer = if header & 1 == 1 { checksum } else { 0 };
                let whole = size.saturating_add(3).saturating_add(trailer);
                Ok(if gathered.len() >= whole { ZstdPart::Block } else { ZstdPart::Nothing })
            }
            _ => Ok(ZstdPart::Nothing),
        }
    }
}

impl Zstandard {
    /// Decodes whatever is whole, and passes on what the window no longer needs.
    fn advance(&mut self, supply: Supply) -> Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        let mut rest = gathered.as_slice();
        loop {
            match self.next_part(rest, supply)? {
                ZstdPart::Nothing => break,
                ZstdPart::Header => {
                    // Bit 2 of the descriptor, which follows the magic: a checksum ends the frame.
                    let checksum = rest.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
                    self.decoder.reset(&mut rest).map_err(|error| zstd_error(&error))?;
                    self.frame = ZstdFrame::Blocks { checksum: if checksum { 4 } else { 0 } };
                }
                ZstdPart::Block => {
                    let last = self
                        .decoder
                        .decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1))
                        .map_err(|error| zstd_error(&error))?;
                    self.decoder.collect_to_writer(&mut self.below)?;
                    if last {
                        self.frame = ZstdFrame::Before;
                    }
                }
            }
        }
        self.gathered = rest.to_vec();
        Ok(())
    }
}

fn zstd_error(error: &FrameDecoderError) -> Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { .. } => bomb(),
        _ => undecodable(),
    }
}

impl Decode for Zstandard {
    fn decode(&mut self, piece: &[u8]) -> Result<()> {
        self.gathered.extend_from_slice(piece);
        self.advance(Supply::Open)
    }

    fn below(&mut self) -> Option<&mut dyn Layer> {
        Some(self.below.as_mut())
    }

    fn finish(mut self) -> Result<Digest> {
        self.advance(Supply::Ended)?;
        if self.frame != ZstdFrame::Before || !self.gathered.is_empty() {
            return Err(undecodable());
        }
        self.below.finish()
    }
}
