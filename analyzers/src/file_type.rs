//! What a file is, by its first bytes. In: at most [`crate::limits::FILE_SNIFF_BYTES`] of them,
//! after content decoding. Out: a media type, in the spirit of the WHATWG's MIME Sniffing Standard
//! sections 6 and 7, with the types that hunters look for.

/// Magic numbers: offset, bytes, type. The first that fits counts, so that longer ones come first.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "application/pdf"),
    (0, b"%!PS-Adobe-", "application/postscript"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/x-rar"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"FLV\x01", "video/x-flv"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "application/ogg"),
    (0, b"\0asm", "application/wasm"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"\0\x01\0\0\0", "font/ttf"),
    (0, b"OTTO", "font/otf"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (0, b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut"),
    (0, b"FWS", "application/x-shockwave-flash"),
    (0, b"CWS", "application/x-shockwave-flash"),
    (0, b"ZWS", "application/x-shockwave-flash"),
    (0, b"!<arch>\ndebian", "application/vnd.debian.binary-package"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (0, b"Cr24", "application/x-chrome-extension"),
    (0, b"dex\n", "application/x-android-dex"),
    (0, b"SQLite format 3\0", "application/x-sqlite3"),
    (0, b"{\\rtf", "text/rtf"),
    (0, b"#!", "text/x-shellscript"),
    (0, b"<?php", "text/x-php"),
    (0, b"<?xml", "text/xml"),
    (0, b"-----BEGIN ", "application/x-pem-file"),
];

/// How markup begins after white space, in lower case.
const MARKUP: &[(&[u8], &str)] = &[
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<head", "text/html"),
    (b"<body", "text/html"),
    (b"<title", "text/html"),
    (b"<script", "text/html"),
    (b"<iframe", "text/html"),
    (b"<table", "text/html"),
    (b"<div", "text/html"),
    (b"<a ", "text/html"),
    (b"<h1", "text/html"),
    (b"<p>", "text/html"),
    (b"<br", "text/html"),
    (b"<!--", "text/html"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "text/xml"),
];

/// The type of a file that begins with `first`.
pub(crate) fn sniff(first: &[u8]) -> Option<&'static str> {
    if first.is_empty() {
        return None;
    }
    let magic = MAGIC.iter().find(|(offset, magic, _)| {
        first.get(*offset..).is_some_and(|from| from.starts_with(magic))
    });
    if let Some((_, _, name)) = magic {
        return Some(name);
    }
    executable(first).or_else(|| text(first)).or(Some("application/octet-stream"))
}

/// Formats that two bytes of magic are too few to tell.
fn executable(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(b"MZ") && first.contains(&0) {
        return Some("application/x-dosexec");
    }
    if let [0xca, 0xfe, 0xba, 0xbe, _, _, high, low, ..] = first {
        // Both formats share the magic: a fat binary counts its few architectures where a class
        // file has its major version, 45 or more.
        let class = u16::from_be_bytes([*high, *low]) >= 45;
        return Some(if class { "application/x-java-applet" } else { "application/x-mach-binary" });
    }
    None
}

/// Text of one kind or another; `None` for bytes that text does not have.
fn text(first: &[u8]) -> Option<&'static str> {
    let wide = first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff");
    let bare = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    if wide {
        return Some("text/plain");
    }
    // The controls that never occur in text (MIME Sniffing Standard section 3, binary data byte).
    if bare.iter().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)) {
        return None;
    }
    let start = bare.trim_ascii_start();
    let markup = MARKUP.iter().find(|(tag, _)| {
        start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
    });
    match (markup, start) {
        (Some((_, name)), _) => Some(name),
        (None, [b'{' | b'[', rest @ ..]) if begins_json(rest) => Some("application/json"),
        _ => Some("text/plain"),
    }
}

/// Whether what follows a bracket can stand there in JSON.
fn begins_json(rest: &[u8]) -> bool {
    match rest.trim_ascii_start() {
        [b'"' | b'}' | b']' | b'{' | b'[' | b'-' | b'0'..=b'9', ..] => true,
        word => [&b"true"[..], b"false", b"null"].iter().any(|known| word.starts_with(known)),
    }
}
