//! Tests of messages, names, record data and words; and a second parser's opinion on all of them.

use hickory_proto::op::Message as Second;

use super::super::message::Question;
use super::super::mnemonic::{class_text, rcode_text, type_text};
use super::super::{encoding, name, rdata};
use super::{A_IN, ANSWER, Dialect, Message, PTR_IN, message, query, response, wire_name};
use crate::limits::{DNS_ANSWER_TEXT_BYTES, DNS_NAME_BYTES, DNS_NAME_POINTERS};
use crate::malformed::{Malformed, MalformedKind};
use crate::reader::Reader;
use crate::text::Text;

/// The name at `at`, or why there is none; and where the reader stands afterwards.
fn name_at(bytes: &[u8], at: usize) -> (Result<String, MalformedKind>, usize) {
    let mut reader = Reader::new(bytes);
    reader.seek(at, "start").unwrap();
    let mut out = Vec::new();
    let outcome = name::read(&mut reader, &mut out);
    let text = outcome.map(|()| Text::from(out).escaped().into_owned());
    (text.map_err(|malformed| malformed.kind), reader.offset())
}

#[test]
fn names_are_read_or_refused() {
    use MalformedKind::{BadValue, Truncated};
    // Bytes, where the name starts in them, what it is, where the reader stands afterwards.
    type Case = (&'static [u8], usize, Result<&'static str, MalformedKind>, usize);
    let cases: [Case; 14] = [
        (b"\0", 0, Ok("."), 1),
        (b"\x03WwW\x01a\0", 0, Ok("www.a"), 7),
        (b"\x03a\x00\xff\0", 0, Ok("a\\x00\\xff"), 5),
        (b"\x01a\0\x01b\xc0\0", 3, Ok("b.a"), 7),
        (b"\x01a\0\xc0\0\xc0\x03", 5, Ok("a"), 7),
        (b"\0\xc0\0", 1, Ok("."), 3),
        (b"", 0, Err(Truncated), 0),
        (b"\x03ab", 0, Err(Truncated), 0),
        (b"\x01a", 0, Err(Truncated), 0),
        (b"\x01a\xc0", 0, Err(Truncated), 0),
        (b"\xc0\0", 0, Err(BadValue), 2),
        (b"\xc0\x02\x01a\0", 0, Err(BadValue), 2),
        (b"\x01a\xc0\0", 0, Err(BadValue), 4),
        (b"\x41a\0", 0, Err(BadValue), 0),
    ];
    for (bytes, at, expected, end) in cases {
        assert_eq!(name_at(bytes, at), (expected.map(str::to_owned), end), "{bytes:x?}");
    }
}

#[test]
fn a_name_has_its_bound_of_bytes() {
    // Three labels of 63 bytes, and a last one that fills the name to its bound.
    let full = [[63].as_slice(), &[b'a'; 63]].concat();
    for (last, fits) in [(60, true), (61, true), (62, false)] {
        let name = [full.repeat(3), vec![last], vec![b'b'; usize::from(last)], vec![0]].concat();
        assert_eq!(name.len() <= DNS_NAME_BYTES, fits);
        let expected = if fits { None } else { Some(MalformedKind::LimitReached) };
        assert_eq!(name_at(&name, 0).0.err(), expected, "{} bytes", name.len());
    }
}

#[test]
fn a_name_has_its_bound_of_pointers() {
    for (hops, fits) in
        [(DNS_NAME_POINTERS - 1, true), (DNS_NAME_POINTERS, true), (DNS_NAME_POINTERS + 1, false)]
    {
        // The root, then a chain in which each pointer leads to the one before it.
        let mut bytes = vec![0, 0];
        for hop in 0..hops {
            bytes.extend((0xc000 | (hop * 2) as u16).to_be_bytes());
        }
        let expected = if fits { None } else { Some(MalformedKind::LimitReached) };
        assert_eq!(name_at(&bytes, bytes.len() - 2).0.err(), expected, "{hops} hops");
    }
}

#[test]
fn netbios_names_lose_padding_and_suffix() {
    for (encoded, expected) in [
        ("fhfaebeecacacacacacacacacacacaaa", Some("wpad")),
        ("ckaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Some("*")),
        ("abacfpfpenfdecfcephfdeefhfpacab", None),
        ("abacfpfpenfdecfcepfhfdeffpfpacab", Some("\\x01\\x02__msbrowse__\\x02")),
        ("fhfaebeecacacacacacacacacacacaaa.scope.example", Some("wpad.scope.example")),
        ("fhfaebeecacacacacacacacacacacaaaa", None),
        ("fhfaebeecacacacacacacacacacacaaq", None),
        ("fhfaebeecacacacacacacacacacacaa-", None),
        ("", None),
    ] {
        let decoded = name::netbios(encoded.as_bytes()).map(Text::from);
        let shown = decoded.as_ref().map(Text::escaped);
        assert_eq!(shown.as_deref(), expected, "{encoded}");
    }
}

#[test]
fn numbers_without_a_word_keep_their_number() {
    let word = |text: Text| text.escaped().into_owned();
    for (number, expected) in [
        (0, "TYPE0"),
        (1, "A"),
        (28, "AAAA"),
        (41, "OPT"),
        (53, "SMIMEA"),
        (54, "TYPE54"),
        (55, "HIP"),
        (64, "SVCB"),
        (65, "HTTPS"),
        (68, "TYPE68"),
        (255, "ANY"),
        (257, "CAA"),
        (65_400, "TYPE65400"),
    ] {
        assert_eq!(word(type_text(number, Dialect::Udp)), expected);
    }
    assert_eq!(word(type_text(32, Dialect::Nbns)), "NB");
    assert_eq!(word(type_text(33, Dialect::Udp)), "SRV");
    assert_eq!(word(class_text(3)), "CH");
    assert_eq!(word(class_text(2)), "CLASS2");
    assert_eq!(word(rcode_text(23)), "BADCOOKIE");
    assert_eq!(word(rcode_text(4_095)), "RCODE4095");
}

#[test]
fn bytes_are_written_as_the_specification_shows() {
    for (bytes, base64, base32) in [
        ("", "", ""),
        ("f", "Zg==", "co"),
        ("fo", "Zm8=", "cpng"),
        ("foo", "Zm9v", "cpnmu"),
        ("foob", "Zm9vYg==", "cpnmuog"),
        ("fooba", "Zm9vYmE=", "cpnmuoj1"),
        ("foobar", "Zm9vYmFy", "cpnmuoj1e8"),
    ] {
        let written = |encode: fn(&[u8], &mut Vec<u8>)| {
            let mut out = Vec::new();
            encode(bytes.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(encoding::base64), base64);
        assert_eq!(written(encoding::base32hex), base32);
    }
}

/// The text of record data that stand behind a name `x.y` at byte 0.
fn data_text(rtype: u16, dialect: Dialect, data: &[u8]) -> (String, Option<MalformedKind>) {
    let bytes = [b"\x01x\x01y\0", data].concat();
    let mut reader = Reader::new(&bytes);
    reader.skip(5, "name").unwrap();
    let (text, malformed) = rdata::text(rtype, &reader, dialect);
    (text.escaped().into_owned(), malformed.map(|m| m.kind))
}

#[test]
fn record_data_read_as_their_specification_writes_them() {
    let soa = b"\xc0\0\x01h\xc0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
    let rrsig = b"\0\x01\x08\x02\0\0\x0e\x10\0\0\0\x02\0\0\0\x01\x12\x34\xc0\0foo";
    let nsec3 = b"\x01\0\0\x0a\x02\xab\xcd\x05fooba\0\x01\x40";
    let svcb = b"\0\x01\0\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x01\xbb\
                 \0\x04\0\x08\xc0\0\x02\x01\xc0\0\x02\x02";
    let node = b"\x01HOST           \x20\x04\0statistics";
    let cases: [(u16, &[u8], &str); 27] = [
        (1, &[192, 0, 2, 1], "192.0.2.1"),
        (28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1"),
        (2, b"\x02NS\xc0\0", "ns.x.y"),
        (5, b"\0", "."),
        (12, b"\xc0\0", "x.y"),
        (6, soa, "x.y h.x.y 1 2 3 4 5"),
        (13, b"\x03cpu\0", "\"cpu\" \"\""),
        (15, b"\0\x0a\x02mx\xc0\0", "10 mx.x.y"),
        (16, b"\x03one\0\x04 two", "one two"),
        (16, b"\0", ""),
        (33, b"\0\x01\0\x02\x01\xbb\x01h\xc0\0", "1 2 443 h.x.y"),
        (35, b"\0\x01\0\x02\x01u\x03sip\x01!\0", "1 2 \"u\" \"sip\" \"!\" ."),
        (43, b"\x12\x34\x08\x02\xab\xcd", "4660 8 2 abcd"),
        (44, b"\x01\x02\xab", "1 2 ab"),
        (46, rrsig, "A 8 2 3600 2 1 4660 x.y Zm9v"),
        (47, b"\xc0\0\0\x04\x40\0\0\x08\x01\x01\x40", "x.y A AAAA CAA"),
        (48, b"\x01\x01\x03\x08foo", "257 3 8 Zm9v"),
        (50, nsec3, "1 0 10 abcd cpnmuoj1 A"),
        (51, b"\x01\0\0\0\0", "1 0 0 -"),
        (52, b"\x03\x01\x01\xab\xcd", "3 1 1 abcd"),
        (65, svcb, "1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.1,192.0.2.2"),
        (65, b"\0\0\xc0\0", "0 x.y"),
        (64, b"\0\x01\0\0\x02\0\0\xff\xff\0\x01\xab", "1 . no-default-alpn key65535=ab"),
        (256, b"\0\x01\0\x02ftp://x", "1 2 ftp://x"),
        (257, b"\0\x05issueca.example", "0 issue ca.example"),
        (10, b"\x00\xff", "00ff"),
        (65_400, b"ab", "6162"),
    ];
    for (rtype, data, expected) in cases {
        assert_eq!(data_text(rtype, Dialect::Udp, data), (expected.to_owned(), None), "{rtype}");
    }
    assert_eq!(data_text(33, Dialect::Nbns, node).0, "host<20>");
    let two = [0x60, 0, 192, 0, 2, 1, 0x60, 0, 192, 0, 2, 2];
    assert_eq!(data_text(32, Dialect::Nbns, &two).0, "192.0.2.1 192.0.2.2");
}

#[test]
fn record_data_that_contradict_themselves_are_kept_as_hexadecimal() {
    use MalformedKind::{BadLength, BadValue, Truncated};
    for (rtype, data, expected, kind) in [
        (1, &[192, 0, 2][..], "c00002", Some(Truncated)),
        (1, &[192, 0, 2, 1, 9], "192.0.2.1", Some(BadLength)),
        (1, &[], "", None),
        (5, b"\xc0\x05", "c005", Some(BadValue)),
        (15, b"\0", "00", Some(Truncated)),
        (16, b"\x05one", "056f6e65", Some(Truncated)),
        (65, b"\0\x01\0\0\x01\0\x03\x05h2", "00010000010003056832", Some(Truncated)),
    ] {
        assert_eq!(data_text(rtype, Dialect::Udp, data), (expected.to_owned(), kind), "{rtype}");
    }
}

#[test]
fn type_maps_have_a_bound() {
    // Each window of 34 bytes names 256 types.
    let window = [&[255, 32][..], &[0xff; 32]].concat();
    for (windows, kind) in [(40, None), (100, Some(MalformedKind::LimitReached))] {
        let data = [&[0], &window.repeat(windows)[..]].concat();
        let (text, malformed) = data_text(47, Dialect::Udp, &data);
        assert_eq!(malformed, kind);
        assert!(text.len() < DNS_ANSWER_TEXT_BYTES + 4_096);
    }
}

fn read(bytes: &[u8], dialect: Dialect) -> Message {
    Message::read(bytes, dialect).expect("a header")
}

#[test]
fn edns_extends_the_response_code() {
    let opt = |ttl: [u8; 4]| [&[0, 0, 41, 4, 208][..], &ttl, &[0, 0]].concat();
    for (low, ttl, expected) in [(0, [1, 0, 0, 0], 16), (7, [1, 0, 0, 0], 23), (3, [0; 4], 3)] {
        let bytes = message(1, 0x8180 | low, [1, 0, 0, 1], &[&[0], A_IN, &opt(ttl)]);
        assert_eq!(read(&bytes, Dialect::Udp).rcode(), expected);
    }
}

#[test]
fn a_message_gives_its_first_question_and_only_a_response_its_answers() {
    let body: &[&[u8]] = &[&wire_name("a"), &[0, 12, 0x80, 1], &wire_name("b"), PTR_IN, ANSWER];
    for (flags, answers) in [(0, 0), (0x8400, 1)] {
        let message = read(&message(0, flags, [2, 1, 0, 0], body), Dialect::Mdns);
        let name = Some(Text::wire(b"a"));
        assert_eq!(message.question, Some(Question { name, rtype: Some(12), class: Some(1) }));
        assert_eq!(message.answers.texts.len(), answers);
        assert_eq!(message.malformed, None);
    }
}

#[test]
fn a_contradiction_is_named_and_what_stands_before_it_kept() {
    let name = wire_name("a");
    for (bytes, expected, answers) in [
        (message(1, 0x8180, [1, 2, 0, 0], &[&name, A_IN, ANSWER]), "label length", 1),
        (message(1, 0x8180, [1, 1, 0, 1], &[&name, A_IN, ANSWER, &[0, 0]]), "record type", 1),
        (message(1, 0x8180, [1, 1, 0, 0], &[&name, A_IN, ANSWER, &[0]]), "end of message", 1),
        (message(1, 0x8180, [1, 1, 0, 0], &[&name, A_IN, &ANSWER[..14]]), "record data", 0),
        (message(1, 0x0100, [1, 0, 0, 0], &[b"\xc0\x0c", A_IN]), "compression pointer", 0),
        (message(1, 0x0100, [1, 0, 0, 0], &[&name, &[0]]), "question type", 0),
    ] {
        let message = read(&bytes, Dialect::Udp);
        assert_eq!(message.malformed.map(|m| m.field), Some(expected));
        assert_eq!(message.answers.texts.len(), answers);
    }
    let stateful = message(1, 0x3000, [0; 4], &[&[0, 1, 0, 0]]);
    assert_eq!(read(&stateful, Dialect::Tcp).malformed, None);
    assert!(Message::read(&[0; 11], Dialect::Udp).is_err_and(|m: Malformed| m.is_truncated()));
}

#[test]
fn a_pointer_that_leads_nowhere_hides_the_name_alone() {
    let message = read(&message(1, 0, [1, 0, 0, 0], &[b"\xc0\x0c", A_IN]), Dialect::Udp);
    let question = Question { name: None, rtype: Some(1), class: Some(1) };
    assert_eq!(message.question, Some(question));
}

#[test]
fn answers_beyond_the_bound_of_text_are_left_out_and_said_so() {
    // A record of type NULL with 64 bytes, thus 128 bytes of text.
    let record = [&[0, 0, 10, 0, 1, 0, 0, 0, 0, 0, 64][..], &[0xab; 64]].concat();
    let enough = DNS_ANSWER_TEXT_BYTES / 128;
    for (count, kept) in [(enough, enough), (enough + 1, enough + 1), (enough + 2, enough + 1)] {
        let bytes = message(1, 0x8180, [0, count as u16, 0, 0], &[&record.repeat(count)]);
        let message = read(&bytes, Dialect::Tcp);
        assert_eq!(message.answers.texts.len(), kept);
        assert_eq!(message.answers_left_out, kept < count);
    }
}

/// Messages from which the second opinion's inputs are made by flipping and cutting.
fn seeds() -> Vec<Vec<u8>> {
    let name = wire_name("www.example.org");
    let cname = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10";
    let txt = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x04\x03abc";
    let mx = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x04\0\x0a\xc0\x0c";
    let opt = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0";
    vec![
        query(1, "example.org"),
        response(2, "a.b.c.example"),
        message(3, 0x8583, [1, 0, 0, 1], &[&name, A_IN, opt]),
        message(4, 0x8180, [1, 4, 0, 1], &[&name, A_IN, cname, ANSWER, txt, mx, opt]),
        message(5, 0x8400, [0, 1, 0, 0], &[&name, A_IN, &ANSWER[6..]]),
    ]
}

/// What both parsers must agree on.
fn agree(bytes: &[u8]) -> bool {
    let Ok(second) = Second::from_vec(bytes) else { return false };
    let ours = read(bytes, Dialect::Udp);
    let shown = format!("{bytes:x?}");
    assert_eq!(ours.header.id, second.metadata.id, "{shown}");
    assert_eq!(ours.rcode(), u16::from(second.metadata.response_code), "{shown}");
    if ours.header.is_response() {
        assert_eq!(ours.answers.texts.len(), second.answers.len(), "{shown}");
    }
    let theirs = second.queries.first().map(|query| {
        let labels: Vec<_> = query.name().iter().map(<[u8]>::to_ascii_lowercase).collect();
        let name = if labels.is_empty() { b".".to_vec() } else { labels.join(&b'.') };
        let (rtype, class) = (query.query_type().into(), query.query_class().into());
        Question { name: Some(name.into()), rtype: Some(rtype), class: Some(class) }
    });
    assert_eq!(ours.question, theirs, "{shown}");
    true
}

#[test]
fn what_a_second_parser_reads_reads_the_same_here() {
    let mut agreed = 0;
    for seed in seeds() {
        assert!(agree(&seed), "the second parser must read {seed:x?}");
        for at in 0..seed.len() {
            agree(&seed[..at]);
            for flipped in [0x01, 0x80, 0xff, 0x20, 0x40] {
                let mut bytes = seed.clone();
                bytes[at] ^= flipped;
                agreed += usize::from(agree(&bytes));
            }
        }
    }
    assert!(agreed > 500, "the comparison must not run empty, yet only {agreed} were read");
}
