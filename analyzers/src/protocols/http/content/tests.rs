//! Bodies by their bytes: what is counted, decoded, hashed and recognised, and where it stops.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use sha2::{Digest as _, Sha256};

use super::*;
use crate::emitter::Emission;
use crate::file_type::sniff;
use crate::limits::{HTTP_CONTENT_FLOOR_BYTES, HTTP_CONTENT_RATIO};
use crate::text::hex;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// `hello` and a line end in Brotli.
const BROTLI: &[u8] = b"\x8f\x02\x80\x68\x65\x6c\x6c\x6f\x0a\x03";

/// What becomes of a body in pieces of that length.
fn body(coded: &[u8], codings: &[Coding], piece: usize) -> (BodySummary, Vec<Weird>) {
    let mut emitter = Emitter::default();
    let mut body = Body::hashed(FileHashing::On, codings);
    for piece in coded.chunks(piece) {
        body.write(piece);
    }
    let summary = body.end(Ending::Complete, Timestamp::MIN, &mut emitter);
    let weirds = emitter.drain().filter_map(|emission| match emission {
        Emission::Weird { weird, .. } => Some(weird),
        Emission::Record { .. } => None,
    });
    (summary, weirds.collect())
}

fn sha256(bytes: &[u8]) -> Option<String> {
    Some(hex(&Sha256::digest(bytes)))
}

#[test]
fn every_coding_is_undone_whatever_the_pieces() {
    let plain = "<html>lorem ipsum dolor sit amet</html>".repeat(9_000);
    let plain = plain.as_bytes();
    for (coded, codings, plain) in [
        (plain.to_vec(), &[][..], plain),
        (gzip(plain), &[Coding::Gzip], plain),
        ([gzip(b"<html>one "), gzip(b"two")].concat(), &[Coding::Gzip], b"<html>one two"),
        (zlib(plain), &[Coding::Deflate], plain),
        (deflate(plain), &[Coding::Deflate], plain),
        (zstd(plain), &[Coding::Zstandard], plain),
        ([zstd(b"<html>a"), zstd(b"b")].concat(), &[Coding::Zstandard], b"<html>ab"),
        (gzip(&deflate(plain)), &[Coding::Deflate, Coding::Gzip], plain),
        (zstd(&gzip(plain)), &[Coding::Gzip, Coding::Zstandard], plain),
    ] {
        for piece in [1, 7, usize::MAX] {
            let (summary, weirds) = body(&coded, codings, piece.min(coded.len()));
            assert_eq!(summary.bytes, coded.len() as u64);
            assert_eq!(summary.sha256, sha256(plain), "{codings:?} {piece}");
            assert_eq!(summary.mime, Some("text/html"));
            assert!(weirds.is_empty());
        }
    }
    let (summary, _) = body(BROTLI, &[Coding::Brotli], 1);
    assert_eq!(summary.sha256, sha256(b"hello\n"));
}

#[test]
fn a_body_that_does_not_decode_is_counted_and_said() {
    let whole = gzip(b"hello, hello, hello");
    let mut broken = whole.clone();
    broken[12] ^= 0xff;
    for (coded, coding) in [
        (&whole[..whole.len() - 1], Coding::Gzip),
        (&broken, Coding::Gzip),
        (b"<html>not at all</html>", Coding::Gzip),
        (b"\xff\xff\xff\xff", Coding::Deflate),
        (b"\x78", Coding::Deflate),
        (b"\x78\x9c\xff\xff", Coding::Deflate),
        (&BROTLI[..4], Coding::Brotli),
        (b"\x8f\xff\xff\xff\xff\xff\xff", Coding::Brotli),
        (b"\x28\xb5\x2f\xfd", Coding::Zstandard),
        (b"\x28\xb5\x2f\xfd\x24\x05", Coding::Zstandard),
        (b"no zstandard, by no means", Coding::Zstandard),
        (b"whatever", Coding::Unknown),
    ] {
        for piece in [1, coded.len()] {
            let (summary, weirds) = body(coded, &[coding], piece);
            assert_eq!(
                (summary.bytes, summary.sha256, summary.mime),
                (coded.len() as u64, None, None),
                "{coding:?}"
            );
            assert_eq!(weirds, [Weird::HttpContentUndecodable], "{coding:?}");
        }
    }
}

#[test]
fn growth_is_allowed_to_its_bound_and_not_beyond() {
    let floor = HTTP_CONTENT_FLOOR_BYTES as usize;
    for (plain, codings, expected) in
        [(vec![0; floor], &[Coding::Gzip][..], 0), (vec![0; floor + 1], &[Coding::Gzip], 1)]
    {
        let coded = gzip(&plain);
        assert!((coded.len() as u64) * HTTP_CONTENT_RATIO < HTTP_CONTENT_FLOOR_BYTES);
        let (summary, weirds) = body(&coded, codings, coded.len());
        assert_eq!(weirds, vec![Weird::HttpContentBomb; expected]);
        assert_eq!(summary.sha256.is_none(), expected == 1);
    }
}

#[test]
fn a_bomb_in_a_bomb_stops_at_the_first_layer_that_grows() {
    // Any number of empty members decodes to nothing.
    let nothing = gzip(b"");
    let endless = nothing.repeat(HTTP_CONTENT_FLOOR_BYTES as usize / nothing.len() + 1);
    let (summary, weirds) = body(&gzip(&endless), &[Coding::Gzip, Coding::Gzip], 1_000_000);
    assert_eq!((summary.sha256, weirds), (None, vec![Weird::HttpContentBomb]));
}

#[test]
fn too_many_layers_and_too_large_windows_are_refused() {
    let coded = gzip(&gzip(&gzip(b"x")));
    let (_, weirds) = body(&coded, &[Coding::Gzip; 3], coded.len());
    assert_eq!(weirds, [Weird::HttpContentBomb]);
    let (_, weirds) = body(BROTLI, &[Coding::Zstandard, Coding::Brotli], 3);
    assert_eq!(weirds, [Weird::HttpContentBomb]);
    // A window of any size, by the later extension.
    let (_, weirds) = body(&[0x11, 0, 0], &[Coding::Brotli], 3);
    assert_eq!(weirds, [Weird::HttpContentBomb]);
    let window = b"\x28\xb5\x2f\xfd\x00\x78\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let (_, weirds) = body(window, &[Coding::Zstandard], window.len());
    assert_eq!(weirds, [Weird::HttpContentBomb]);
}

#[test]
fn what_is_not_whole_or_not_wanted_is_only_counted() {
    let mut emitter = Emitter::default();
    let mut cut = Body::hashed(FileHashing::On, &[]);
    cut.write(b"abc");
    let mut missing = Body::hashed(FileHashing::On, &[]);
    missing.miss(2);
    missing.write(b"c");
    let mut off = Body::hashed(FileHashing::Off, &[Coding::Gzip]);
    off.write(b"abc");
    for (mut body, ending) in
        [(cut, Ending::Cut), (missing, Ending::Complete), (off, Ending::Complete)]
    {
        let summary = body.end(ending, Timestamp::MIN, &mut emitter);
        assert_eq!(summary, BodySummary { bytes: 3, sha256: None, mime: None });
    }
    let none =
        Body::hashed(FileHashing::On, &[]).end(Ending::Complete, Timestamp::MIN, &mut emitter);
    assert_eq!(none, BodySummary::default());
    assert!(emitter.is_empty());
}

#[test]
fn types_are_told_by_their_first_bytes() {
    let mut tar = vec![0; 257];
    tar.extend_from_slice(b"ustar\0");
    for (first, expected) in [
        (&b"  \r\n<!DOCTYPE HTML><p>"[..], "text/html"),
        (b"\xef\xbb\xbf<Html>", "text/html"),
        (b"<?xml version='1.0'?>", "text/xml"),
        (b" <svg xmlns=''>", "image/svg+xml"),
        (b"{\"a\": 1}", "application/json"),
        (b"[]", "application/json"),
        (b"[ true ]", "application/json"),
        (b"{not json}", "text/plain"),
        (b"plain words", "text/plain"),
        ("中文".as_bytes(), "text/plain"),
        (b"\xff\xfeh\0i\0", "text/plain"),
        (b"MZ\x90\0\x03", "application/x-dosexec"),
        (b"MZ is a name", "text/plain"),
        (b"\x7fELF\x02", "application/x-executable"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "application/x-java-applet"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "application/x-mach-binary"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"#!/bin/sh\n", "text/x-shellscript"),
        (&tar, "application/x-tar"),
        (b"\x01\x02\x03", "application/octet-stream"),
    ] {
        assert_eq!(sniff(first), Some(expected), "{:?}", crate::text::escape(first));
    }
    assert_eq!(sniff(b""), None);
}
