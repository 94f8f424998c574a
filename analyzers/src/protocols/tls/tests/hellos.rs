//! Hellos, well-formed and not, and the reading of another parser beside ours.

use tls_parser::{TlsExtension, TlsMessage, TlsMessageHandshake};

use super::super::hello::{ClientHello, Cookie, ServerHello};
use super::super::version::Version;
use super::wire::{
    RFC_9001_HELLO, client_body, extension, hello_12, numbers, protocols, server_hello,
    server_name, sized, unhex,
};
use crate::malformed::MalformedKind;

fn read(body: &[u8]) -> ClientHello<'_> {
    ClientHello::read(body, Cookie::Absent)
}

#[test]
fn the_hello_of_rfc_9001_is_read_in_full() {
    let message = unhex(RFC_9001_HELLO);
    let hello = read(&message[4..]);
    assert_eq!(hello.problem, None);
    assert_eq!(hello.version, Version(0x0303));
    assert_eq!(hello.ciphers, [0x1301, 0x1302]);
    assert_eq!(hello.extensions, [0, 0xff01, 10, 16, 5, 51, 43, 13, 45, 28, 57]);
    assert_eq!(hello.server_name, Some(&b"example.com"[..]));
    assert_eq!(hello.protocols, [b"alpn"]);
    assert_eq!(hello.groups, [0x1d, 0x17, 0x18]);
    assert_eq!(hello.versions, [0x0304]);
    assert_eq!(hello.highest_version(), Version::TLS13);
    assert!(!hello.encrypted_hello);
}

#[test]
fn another_parser_reads_the_same() {
    for message in [unhex(RFC_9001_HELLO), hello_12()] {
        let ours = read(&message[4..]);
        let (_, parsed) = tls_parser::parse_tls_message_handshake(&message).unwrap();
        let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(theirs)) = parsed else {
            panic!("not a hello");
        };
        assert_eq!(ours.version.0, theirs.version.0);
        assert_eq!(ours.session_id, theirs.session_id.unwrap_or_default());
        assert!(ours.ciphers.iter().eq(theirs.ciphers.iter().map(|cipher| &cipher.0)));
        let extensions = theirs.ext.unwrap_or_default();
        let (_, extensions) = tls_parser::parse_tls_client_hello_extensions(extensions).unwrap();
        assert_eq!(ours.extensions.len(), extensions.len());
        for extension in extensions {
            match extension {
                TlsExtension::SNI(names) => {
                    assert_eq!(ours.server_name, names.first().map(|(_, name)| *name));
                }
                TlsExtension::ALPN(names) => assert_eq!(ours.protocols, names),
                TlsExtension::SignatureAlgorithms(list) => {
                    assert_eq!(ours.signature_algorithms, list);
                }
                TlsExtension::EllipticCurves(list) => {
                    assert!(ours.groups.iter().eq(list.iter().map(|group| &group.0)));
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_hello_without_extensions_is_whole() {
    let body = client_body(0x0300, &[], &[4, 5], &[]);
    assert_eq!(read(&body[..body.len() - 2]).problem, None);
    assert_eq!(read(&body).problem, None);
}

#[test]
fn the_cookie_of_dtls_is_stepped_over() {
    let body = client_body(0xfefd, &[3, 1, 2, 3], &[0xc02b], &[server_name("a.example")]);
    let hello = ClientHello::read(&body, Cookie::Present);
    assert_eq!((hello.problem, &hello.ciphers[..]), (None, &[0xc02b][..]));
    assert_eq!(hello.server_name, Some(&b"a.example"[..]));
}

#[test]
fn an_encrypted_inner_hello_is_noticed_beside_the_outer_name() {
    let extensions = [server_name("outer.example"), extension(0xfe0d, &[0; 40])];
    let body = client_body(0x0303, &[], &[0x1301], &extensions);
    let hello = read(&body);
    assert!(hello.encrypted_hello);
    assert_eq!(hello.server_name, Some(&b"outer.example"[..]));
}

#[test]
fn a_bad_list_spoils_itself_alone() {
    let odd_ciphers = {
        let head = [numbers(&[0x0303]), vec![0; 32], vec![0]].concat();
        let tail = [vec![1, 0], sized(&server_name("still.example"))].concat();
        [head, sized(&[0x13, 0x01, 0x13]), tail].concat()
    };
    let bad = |extension: Vec<u8>| {
        client_body(0x0303, &[], &[0x1301], &[extension, server_name("still.example")])
    };
    for (body, field) in [
        (odd_ciphers, "cipher suites"),
        (bad(extension(10, &[0, 3, 0, 29, 0])), "supported groups"),
        (bad(extension(13, &[0, 9, 4, 3])), "signature algorithms"),
        (bad(extension(11, &[])), "point formats"),
        (bad(extension(16, &[0, 4, 9, 1, 1, 1])), "protocol name"),
        (bad(extension(43, &[3, 3, 4, 3])), "supported versions"),
    ] {
        let hello = read(&body);
        assert_eq!(hello.problem.map(|problem| problem.field), Some(field));
        assert_eq!(hello.server_name, Some(&b"still.example"[..]), "{field}");
    }
}

#[test]
fn every_prefix_of_a_hello_keeps_what_it_holds() {
    let body =
        client_body(0x0303, &[], &[0x1301], &[server_name("x.example"), protocols(&[b"h2"])]);
    for end in 0..body.len() {
        let hello = read(&body[..end]);
        // Where a hello of old clients ends, in front of the extensions, nothing is missing.
        let is_old_end = end == 2 + 32 + 33 + 4 + 2;
        assert_eq!(hello.problem.is_none(), is_old_end, "{end}");
        assert!(hello.server_name.is_none() || hello.server_name == Some(b"x.example"));
    }
    assert_eq!(read(&body).problem, None);
}

#[test]
fn odd_server_names_are_none() {
    for (body, is_problem) in [
        (sized(&[]), false),
        (sized(&[1, 0, 1, b'x']), false),
        (sized(&[0, 0, 0]), false),
        (vec![], true),
        (sized(&[0, 0, 9, b'x']), true),
    ] {
        let hello_body = client_body(0x0303, &[], &[0x1301], &[extension(0, &body)]);
        let hello = read(&hello_body);
        assert_eq!((hello.server_name, hello.problem.is_some()), (None, is_problem), "{body:?}");
    }
}

#[test]
fn a_server_hello_is_read_in_full_and_every_prefix_as_far_as_it_goes() {
    let extensions = [extension(43, &[3, 4]), extension(51, &[0; 36]), extension(41, &[0, 0])];
    let message = server_hello(0x0303, [9; 32], &[1; 32], 0x1303, &extensions);
    let hello = ServerHello::read(&message[4..]);
    assert_eq!(hello.problem, None);
    assert_eq!(hello.negotiated(), Version::TLS13);
    assert_eq!((hello.cipher, hello.pre_shared_key), (Some(0x1303), true));
    assert_eq!(hello.extensions, [43, 51, 41]);
    for end in 0..message.len() - 4 {
        let cut = ServerHello::read(&message[4..4 + end]);
        let kind = cut.problem.map(|problem| problem.kind);
        let is_old_end = end == 2 + 32 + 33 + 2 + 1;
        assert_eq!(kind, (!is_old_end).then_some(MalformedKind::Truncated), "{end}");
    }
}

#[test]
fn a_server_of_an_early_draft_has_no_session_id() {
    let body = [numbers(&[0x7f12]), vec![9; 32], numbers(&[0x1301]), sized(&[])].concat();
    let hello = ServerHello::read(&body);
    assert_eq!((hello.problem, hello.cipher), (None, Some(0x1301)));
    assert!(hello.negotiated().is_tls13());
}
