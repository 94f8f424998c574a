//! Decompression, recognised by magic.
//!
//! In: a file's bytes. Out: the bytes of the capture within, at most two layers down (a gzip file
//! that someone sent through zstd is seen in practice; a third layer is a decompression bomb's
//! wrapping), and what those seem to be. Formats: RFC 1952 (gzip), RFC 8878 (zstd), the LZ4 frame
//! format.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use lz4_flex::frame::FrameDecoder;

use super::content::{Codec, Content, HEAD_BYTES};

/// Layers that are undone.
const LAYERS_MAX: usize = 2;

/// Most bytes that a decompressor is asked for at once. When it meets damage it forgets what it
/// made since it was asked, so this bounds what is lost in front of the damage.
const STEP_BYTES: usize = 16 << 10;

/// Compressed bytes that are read at once.
const PACKED_BYTES: usize = 64 << 10;

/// First bytes that must be there before a stream is judged, unless it ends earlier. A pipe may
/// bring a capture's header long before the first packet.
const JUDGED_BYTES: usize = 16;

/// A file with all decompressors in front.
pub(super) struct Unpacked {
    /// Gives the bytes of the innermost layer.
    pub(super) reader: Box<dyn Read + Send>,
    /// What they seem to be.
    pub(super) content: Content,
    /// Whether there is a decompressor.
    pub(super) packed: bool,
}

impl Unpacked {
    /// Looks at the first bytes of `reader` and of what they decompress to.
    ///
    /// # Errors
    /// Reading or decompressing the first bytes fails.
    pub(super) fn open(mut reader: Box<dyn Read + Send>) -> io::Result<Self> {
        for layer in 0..=LAYERS_MAX {
            let head = read_head(&mut reader)?;
            let content = Content::of(&head);
            reader = Box::new(Cursor::new(head).chain(reader));
            let Content::Packed(codec) = content else {
                return Ok(Self { reader, content, packed: layer > 0 });
            };
            if layer < LAYERS_MAX {
                reader = Box::new(Unpacker::new(codec, reader)?);
            }
        }
        Ok(Self { reader, content: Content::PackedTooOften, packed: true })
    }
}

/// The first bytes of a stream.
fn read_head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD_BYTES];
    let mut filled = 0;
    while filled < JUDGED_BYTES {
        match reader.read(head.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // What came before is judged; the error comes again when that is used up.
            Err(_) if filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(head.get(..filled).unwrap_or_default().to_vec())
}

/// Why decompression stopped.
#[derive(Debug)]
pub(super) struct BadCompression {
    pub(super) codec: Codec,
    pub(super) message: String,
}

impl std::error::Error for BadCompression {}

impl fmt::Display for BadCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.codec, self.message)
    }
}

/// A decompressor, whose errors are [`BadCompression`] and stay once they have come.
struct Unpacker {
    codec: Codec,
    decoder: Box<dyn Read + Send>,
    failed: Option<String>,
}

impl Unpacker {
    fn new(codec: Codec, reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let reader = BufReader::with_capacity(PACKED_BYTES, reader);
        let decoder: Box<dyn Read + Send> = match codec {
            Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            Codec::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(reader)?),
            Codec::Lz4 => Box::new(Lz4Frames::new(reader)),
        };
        Ok(Self { codec, decoder, failed: None })
    }

    fn bad(&self, message: String) -> io::Error {
        io::Error::other(BadCompression { codec: self.codec, message })
    }
}

impl Read for Unpacker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(message) = &self.failed {
            return Err(self.bad(message.clone()));
        }
        let step_bytes = buffer.len().min(STEP_BYTES);
        self.decoder.read(buffer.get_mut(..step_bytes).unwrap_or_default()).map_err(|error| {
            // An error of the layer below, or of the file, is not this decompressor's.
            let inner = error.get_ref().is_some_and(|inner| inner.is::<BadCompression>());
            if inner || error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted {
                return error;
            }
            let message = error.to_string();
            self.failed = Some(message.clone());
            self.bad(message)
        })
    }
}

/// LZ4 frames one behind the other, each with a decoder of its own. The decoder itself takes a file
/// that ends between two blocks of a frame for a whole one, and a second frame's block size for the
/// first one's; here the frame's end is told from the file's.
enum Lz4Frames<R: Read> {
    /// Where a frame or the end comes next.
    Between(EndWatch<BufReader<R>>),
    Within(Box<FrameDecoder<EndWatch<BufReader<R>>>>),
    /// For the moment in which one becomes the other.
    Moving,
}

impl<R: Read> Lz4Frames<R> {
    const fn new(reader: BufReader<R>) -> Self {
        Self::Between(EndWatch { inner: reader, ended: false })
    }
}

impl<R: Read> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Self::Between(watch) => {
                    if watch.inner.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                }
                Self::Within(decoder) => {
                    let count = decoder.read(buffer)?;
                    if count > 0 || buffer.is_empty() {
                        return Ok(count);
                    }
                    if decoder.get_ref().ended {
                        return Err(io::Error::new(ErrorKind::UnexpectedEof, "incomplete frame"));
                    }
                }
                Self::Moving => return Ok(0),
            }
            *self = match std::mem::replace(self, Self::Moving) {
                Self::Between(watch) => Self::Within(Box::new(FrameDecoder::new(watch))),
                Self::Within(decoder) => Self::Between(decoder.into_inner()),
                Self::Moving => return Ok(0),
            };
        }
    }
}

/// A reader that remembers whether someone wanted bytes behind its end.
struct EndWatch<R> {
    inner: R,
    ended: bool,
}

impl<R: Read> Read for EndWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}
