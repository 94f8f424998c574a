//! What a file seems to be, told by its first bytes and never by its name.
//!
//! In: the first bytes. Out: a [`Content`], which can say in words what it is and what to do with
//! it. Magic numbers: pcap (draft-ietf-opsawg-pcap), pcapng (draft-ietf-opsawg-pcapng), gzip (RFC
//! 1952), zstd (RFC 8878), the LZ4 frame format; others from the formats' own descriptions.

use std::fmt;

/// First bytes that are looked at.
pub(super) const HEAD_BYTES: usize = 512;

/// Bytes of a text's beginning that a message shows.
const SHOWN_BYTES: usize = 48;

/// A compression that is undone on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// gzip, several members included.
    Gzip,
    /// zstd, several frames included.
    Zstd,
    /// LZ4 frames.
    Lz4,
}

impl Codec {
    /// The program that tests such a file.
    #[must_use]
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tool())
    }
}

/// What a file seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A pcap file of any kind that is read.
    Pcap,
    /// A pcapng file.
    Pcapng,
    /// Compressed in a way that is undone.
    Packed(Codec),
    /// Compressed more often than is undone.
    PackedTooOften,
    /// Compressed or archived in a way that is not undone.
    Archive {
        /// Its name.
        name: &'static str,
        /// The command that writes its content to standard output.
        unpack: &'static str,
    },
    /// A capture in a format that is not read.
    OtherCapture(&'static str),
    /// No bytes at all.
    Empty,
    /// Text, with its beginning.
    Text(String),
    /// Some known kind of file that has nothing to do with packets.
    Other(&'static str),
    /// Nothing that is known, with its first bytes.
    Unknown([u8; 4]),
}

/// Magic numbers at the start of a file.
const MAGIC: &[(&[u8], Content)] = &[
    (&[0xa1, 0xb2, 0xc3, 0xd4], Content::Pcap),
    (&[0xd4, 0xc3, 0xb2, 0xa1], Content::Pcap),
    (&[0xa1, 0xb2, 0x3c, 0x4d], Content::Pcap),
    (&[0x4d, 0x3c, 0xb2, 0xa1], Content::Pcap),
    (&[0xa1, 0xb2, 0xcd, 0x34], Content::Pcap),
    (&[0x34, 0xcd, 0xb2, 0xa1], Content::Pcap),
    (&[0x0a, 0x0d, 0x0d, 0x0a], Content::Pcapng),
    (&[0x1f, 0x8b], Content::Packed(Codec::Gzip)),
    (&[0x28, 0xb5, 0x2f, 0xfd], Content::Packed(Codec::Zstd)),
    (&[0x04, 0x22, 0x4d, 0x18], Content::Packed(Codec::Lz4)),
    (&[0x02, 0x21, 0x4c, 0x18], Content::Packed(Codec::Lz4)),
    (b"\xfd7zXZ\0", Content::Archive { name: "xz", unpack: "xz -dc" }),
    (b"BZh", Content::Archive { name: "bzip2", unpack: "bzip2 -dc" }),
    (b"PK\x03\x04", Content::Archive { name: "zip", unpack: "unzip -p" }),
    (b"7z\xbc\xaf\x27\x1c", Content::Archive { name: "7-Zip", unpack: "7z x -so" }),
    (b"\x1f\x9d", Content::Archive { name: "compress", unpack: "uncompress -c" }),
    (b"snoop\0\0\0", Content::OtherCapture("snoop")),
    (b"GMBU", Content::OtherCapture("Microsoft Network Monitor")),
    (b"RTSS", Content::OtherCapture("Microsoft Network Monitor")),
    (b"TRSNIFF data", Content::OtherCapture("Sniffer")),
    (b"iptrace ", Content::OtherCapture("AIX iptrace")),
    (&[0x1c, 0x00, 0x01, 0xac], Content::OtherCapture("Ixia lcap")),
    (&[0xac, 0x01, 0x00, 0x1c], Content::OtherCapture("Ixia lcap")),
    (&[0x1c, 0x00, 0x01, 0xab], Content::OtherCapture("Ixia lcap")),
    (&[0xab, 0x01, 0x00, 0x1c], Content::OtherCapture("Ixia lcap")),
    (b"PAR1", Content::Other("a Parquet file; query it with `serval hunt`")),
    (b"\x7fELF", Content::Other("a program")),
    (b"%PDF", Content::Other("a PDF document")),
];

impl Content {
    /// Looks at a file's first bytes; [`HEAD_BYTES`] of them, or all if there are fewer.
    pub(super) fn of(head: &[u8]) -> Self {
        if let Some((_, content)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return content.clone();
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Archive { name: "tar", unpack: "tar -xOf" };
        }
        if head.is_empty() {
            return Self::Empty;
        }
        text_beginning(head).map_or_else(|| Self::Unknown(first_four(head)), Self::Text)
    }
}

/// The beginning of a text; `None` where the bytes are no text.
fn text_beginning(head: &[u8]) -> Option<String> {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if valid.is_empty() || !valid.chars().all(is_text) {
        return None;
    }
    let line = valid.trim_start().lines().next().unwrap_or_default();
    Some(line.chars().take(SHOWN_BYTES).flat_map(char::escape_debug).collect())
}

/// The first four bytes, with zeros for those that are missing.
fn first_four(head: &[u8]) -> [u8; 4] {
    let mut four = [0; 4];
    four.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
    four
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pcap => write!(f, "it is a pcap capture"),
            Self::Pcapng => write!(f, "it is a pcapng capture"),
            Self::Packed(codec) => write!(f, "it is compressed with {codec}"),
            Self::PackedTooOften => {
                write!(f, "it is compressed more than twice; unpack it before reading")
            }
            Self::Archive { name, unpack } => write!(
                f,
                "it is a {name} file, which must be unpacked first, for instance \
                 `{unpack} FILE | serval replay -`"
            ),
            Self::OtherCapture(name) => write!(
                f,
                "it is a capture in the {name} format; convert it with `editcap FILE NEW.pcapng`"
            ),
            Self::Empty => write!(f, "it is empty; perhaps nothing has been written to it yet"),
            Self::Text(beginning) => {
                write!(f, "it seems to be text, beginning with “{beginning}”; check the path")
            }
            Self::Other(what) => write!(f, "it is {what}"),
            Self::Unknown([a, b, c, d]) => write!(
                f,
                "its first bytes are {a:02x} {b:02x} {c:02x} {d:02x}, which no known format begins \
                 with; check the path, or take a fresh copy"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_a_file_is() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: &[(&[u8], Content)] = &[
            (b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", Content::Pcap),
            (b"\n\r\r\n\x1c\0\0\0", Content::Pcapng),
            (b"\x1f\x8b\x08\0", Content::Packed(Codec::Gzip)),
            (b"\xfd7zXZ\0\0", Content::Archive { name: "xz", unpack: "xz -dc" }),
            (b"BZh91AY", Content::Archive { name: "bzip2", unpack: "bzip2 -dc" }),
            (b"snoop\0\0\0\0\0\0\x02", Content::OtherCapture("snoop")),
            (&tar, Content::Archive { name: "tar", unpack: "tar -xOf" }),
            (b"", Content::Empty),
            (b"\n<html>\x09<body>\nx", Content::Text("<html>\\t<body>".into())),
            ("caf\u{e9}".as_bytes(), Content::Text("caf\u{e9}".into())),
            (&"caf\u{e9}".as_bytes()[..4], Content::Text("caf".into())),
            (b"a\x1b[31m", Content::Unknown(*b"a\x1b[3")),
            (b"\xff", Content::Unknown([0xff, 0, 0, 0])),
        ];
        for (head, content) in cases {
            assert_eq!(Content::of(head), *content, "{head:?}");
        }
    }

    #[test]
    fn an_archive_says_how_to_unpack_it() {
        let text = Content::of(b"\xfd7zXZ\0").to_string();
        assert!(text.contains("`xz -dc FILE | serval replay -`"), "{text}");
    }
}
