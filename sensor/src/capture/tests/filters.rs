//! Filters: what passes, what is counted, what is said about expressions that mean nothing.

use crate::capture::format::ByteOrder::Little;
use crate::capture::samples::{Bytes, Outcome, drain, write};
use crate::capture::{CaptureError, CaptureFiles, Filter, Filtered, ProblemKind};

/// A UDP packet from port 53 in an IPv4 header.
const IP: &[u8] =
    b"\x45\0\0\x1d\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02\0\x35\x04\xd2\0\x09\0\0x";

/// The same packet on Ethernet and raw, an ARP packet, a packet of an unassigned link type.
fn filtered(expression: &str) -> Outcome {
    let ethernet = [&[0; 12], &b"\x08\0"[..], IP].concat();
    let arp = [&[0; 12], &b"\x08\x06"[..], &[0; 28]].concat();
    let file = Bytes::new(Little).section().interface(1, 0, &[]).interface(101, 0, &[]);
    let file = file.interface(60_000, 0, &[]).enhanced(0, 1, &ethernet).enhanced(1, 2, IP);
    let file = file.enhanced(0, 3, &arp).enhanced(2, 4, b"?").enhanced(2, 5, b"?");
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a", &file.bytes);
    let files = CaptureFiles::open(&[path]).unwrap();
    drain(&mut Filtered::new(files, Filter::new(expression).unwrap()))
}

#[test]
fn a_filter_is_compiled_for_each_link_type_and_what_it_removes_is_counted() {
    for (expression, times) in [
        ("udp port 53", vec![1_000, 2_000]),
        ("udp port 54", vec![]),
        ("arp", vec![3_000]),
        ("host 10.0.0.2 and not vlan", vec![1_000]),
    ] {
        let outcome = filtered(expression);
        assert_eq!(outcome.times(), times, "{expression}");
        assert_eq!(outcome.tally.filtered, 5 - times.len() as u64);
    }
}

#[test]
fn a_link_type_that_the_filter_means_nothing_for_is_told_once() {
    let outcome = filtered("ether host 0:0:0:0:0:0");
    assert_eq!(outcome.times(), [1_000, 3_000]);
    let links: Vec<u16> = outcome
        .problems
        .iter()
        .map(|problem| match problem.what {
            ProblemKind::FilterMeaningless { link, .. } => link,
            _ => panic!("{problem}"),
        })
        .collect();
    assert_eq!(links, [101, 60_000]);
}

#[test]
fn a_wrong_expression_is_an_error_that_quotes_libpcap() {
    for expression in ["udp prot 53", "(", "host \0", "port http2023x"] {
        let Err(CaptureError::Filter { message, .. }) = Filter::new(expression) else {
            panic!("{expression} was accepted");
        };
        assert!(!message.is_empty(), "{expression}");
    }
    let text = Filter::new("udp prot 53").err().unwrap().to_string();
    assert!(
        text.contains("`udp prot 53` cannot be used: ") && text.contains("syntax error"),
        "{text}"
    );
}

#[test]
fn words_of_other_link_types_are_accepted() {
    for expression in ["", "wlan type mgt", "vlan 5 and tcp", "tcp[13] & 2 != 0"] {
        assert!(Filter::new(expression).is_ok(), "{expression}");
    }
}
