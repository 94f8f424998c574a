//! JA3 and JA4 against the examples that their authors published, JA3S against what other tools
//! give.

use super::super::carrier::Carrier;
use super::super::fingerprint::{ja3, ja3s, ja4};
use super::super::hello::{ClientHello, ServerHello};
use super::super::version::Version;

const JA4_CIPHERS: [u16; 15] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
];
const JA4_EXTENSIONS: [u16; 16] = [
    0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
    0xff01, 0x000b, 0x000a, 0x0015,
];
const JA4_SIGNATURES: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

fn ja4_example() -> ClientHello<'static> {
    ClientHello {
        version: Version(0x0303),
        ciphers: JA4_CIPHERS.to_vec(),
        extensions: JA4_EXTENSIONS.to_vec(),
        protocols: vec![b"h2", b"http/1.1"],
        versions: vec![0x0304, 0x0303],
        signature_algorithms: JA4_SIGNATURES.to_vec(),
        ..ClientHello::default()
    }
}

#[test]
fn ja3_gives_the_published_examples() {
    let hello = ClientHello {
        version: Version(769),
        ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
        extensions: vec![0, 10, 11],
        groups: vec![23, 24, 25],
        point_formats: &[0],
        ..ClientHello::default()
    };
    assert_eq!(ja3(&hello), "ada70206e40642a3e4461f35503241d5");
    let hello = ClientHello {
        version: Version(769),
        ciphers: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99],
        ..ClientHello::default()
    };
    assert_eq!(ja3(&hello), "de350869b8c85de67a350c8d186f11e6");
}

#[test]
fn ja3s_gives_what_other_tools_give() {
    let hello = ServerHello {
        version: Version(0x0303),
        extensions: vec![43, 51],
        ..ServerHello::default()
    };
    assert_eq!(ja3s(&hello, 0x1302), "15af977ce25de452b96affa2addb1036");
}

#[test]
fn ja4_gives_the_published_example() {
    assert_eq!(ja4(&ja4_example(), Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn ja4_without_signature_algorithms_ends_without_underscore() {
    let hello = ClientHello { signature_algorithms: Vec::new(), ..ja4_example() };
    assert_eq!(ja4(&hello, Carrier::Tcp), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

#[test]
fn reserved_numbers_change_no_fingerprint() {
    let mut greased = ja4_example();
    greased.ciphers.insert(0, 0x1a1a);
    greased.extensions.insert(3, 0xfafa);
    greased.versions.insert(0, 0x7a7a);
    greased.groups.insert(0, 0x0a0a);
    greased.signature_algorithms.insert(0, 0x2a2a);
    assert_eq!(ja4(&greased, Carrier::Tcp), ja4(&ja4_example(), Carrier::Tcp));
    assert_eq!(ja3(&greased), ja3(&ja4_example()));
}

#[test]
fn ja4_counts_have_two_digits_and_empty_lists_are_zeros() {
    let hello = ClientHello { version: Version(0x0301), ..ClientHello::default() };
    assert_eq!(ja4(&hello, Carrier::Quic), "q10i000000_000000000000_000000000000");
    for (count, digits) in [(98, "98"), (99, "99"), (100, "99")] {
        let hello = ClientHello { ciphers: vec![1; count], ..hello.clone() };
        assert_eq!(ja4(&hello, Carrier::Dtls).get(4..6), Some(digits));
    }
}

#[test]
fn ja4_writes_odd_protocol_names_by_their_hexadecimal_ends() {
    for (name, expected) in [
        (&b""[..], "00"),
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ] {
        let hello = ClientHello { protocols: vec![name], ..ClientHello::default() };
        assert_eq!(ja4(&hello, Carrier::Tcp).get(8..10), Some(expected), "{name:02x?}");
    }
}

#[test]
fn ja4_knows_every_version_and_calls_others_unknown() {
    for (number, expected) in [
        (0x0304, "13"),
        (0x0303, "12"),
        (0x0302, "11"),
        (0x0301, "10"),
        (0x0300, "s3"),
        (0x0002, "s2"),
        (0xfeff, "d1"),
        (0xfefd, "d2"),
        (0xfefc, "d3"),
        (0x0305, "00"),
    ] {
        let hello = ClientHello { version: Version(number), ..ClientHello::default() };
        assert_eq!(ja4(&hello, Carrier::Tcp).get(1..3), Some(expected));
    }
}
