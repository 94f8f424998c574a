//! Lines of a feed. In: bytes. Out: numbered lines of text, without line ends and byte-order mark;
//! what is too long or no UTF-8 is refused here, once for all formats.

use std::io::BufRead;

use super::{Place, Reading};
use crate::limits;

/// A line and its number, counted from 1.
pub(super) type Line<'a> = (u32, &'a str);

enum Ended {
    Line,
    File,
}

/// Gives each line that can be read to `each`.
pub(super) fn for_each(
    reading: &mut Reading<'_>,
    content: &mut dyn BufRead,
    mut each: impl FnMut(&mut Reading<'_>, Line<'_>),
) {
    let mut bytes = Vec::new();
    for number in 1..u32::MAX {
        bytes.clear();
        let ended = match read_line(content, &mut bytes) {
            Ok(ended) => ended,
            Err(error) => {
                return reading.lose(Place::Line(number), format!("cannot be read: {error}"));
            }
        };
        if matches!(ended, Ended::File) && bytes.is_empty() {
            return;
        }
        let line = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
        let line = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(line);
        match std::str::from_utf8(line) {
            _ if line.len() > limits::LINE_BYTES => {
                let most = limits::LINE_BYTES;
                reading.refuse_line(number, format!("longer than {most} bytes"));
            }
            Ok(line) => each(reading, (number, line)),
            Err(_) => reading.refuse_line(number, "not UTF-8"),
        }
    }
    reading.lose(Place::File, "too many lines".to_owned());
}

/// One line into `line`, of which no more is kept than shows that it is too long.
fn read_line(content: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<Ended> {
    // One more for the `\r` that does not count, one to show that it is too long.
    const KEPT: usize = limits::LINE_BYTES + 2;
    loop {
        let block = content.fill_buf()?;
        if block.is_empty() {
            return Ok(Ended::File);
        }
        let end = block.iter().position(|&byte| byte == b'\n');
        let piece = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
        let room = KEPT.saturating_sub(line.len());
        line.extend_from_slice(piece.get(..room).unwrap_or(piece));
        let read = piece.len() + usize::from(end.is_some());
        content.consume(read);
        if end.is_some() {
            return Ok(Ended::Line);
        }
    }
}
