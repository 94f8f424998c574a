//! Hand-offs: what is left over of one protocol's bytes reaches the next, whole.

use super::Session;
use analyzers::{
    Direction, Emission, Emitter, Endpoint, FileHashing, Finish, FinishReason, FlowContext,
    PerDirection, StreamStart, Timestamp, Transport,
};
use std::net::{IpAddr, Ipv4Addr};

fn session() -> Session {
    let end = |last, port| Endpoint { ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), port };
    Session::new(FlowContext {
        src: end(1, 50_000),
        dst: end(2, 47_111),
        transport: Transport::TCP,
        start: StreamStart::Beginning,
        hashing: FileHashing::Off,
    })
}

/// A hello without extensions, with as many cipher suites as `suites`.
fn client_hello(suites: u8) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0, 0, suites * 2], &[0x13, 0x01].repeat(suites.into())];
    let body = [&body.concat()[..], &[1, 0]].concat();
    let length = u8::try_from(body.len()).expect("a short hello");
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

/// Emissions of a flow whose client sends these pieces.
fn emissions(pieces: &[&[u8]]) -> (Option<&'static str>, Vec<Emission>) {
    let (mut session, mut emitter) = (session(), Emitter::default());
    let time = Timestamp::default();
    for piece in pieces {
        session.bytes(Direction::SrcToDst, time, piece, &mut emitter);
    }
    let nothing = PerDirection { src: &[][..], dst: &[][..] };
    let payload_bytes = PerDirection { src: 0, dst: 0 };
    let reason = FinishReason::Fin;
    session.finish(&Finish { reason, time, rest: nothing, payload_bytes }, &mut emitter);
    let said = emitter.drain().collect();
    (session.service(), said)
}

#[test]
fn a_hello_behind_a_starttls_is_read_whatever_its_length() {
    for suites in [1, 80] {
        let hello = client_hello(suites);
        let asked: &[u8] = b"EHLO me\r\nSTARTTLS\r\n";
        for pieces in [vec![asked, &hello], vec![&[asked, &hello].concat()]] {
            let (service, said) = emissions(&pieces);
            assert_eq!(service, Some("smtp"));
            assert!(matches!(said.as_slice(), [Emission::Record { .. }]), "{said:?}");
        }
    }
}

#[test]
fn what_follows_a_service_without_an_analyzer_is_not_kept() {
    let (service, said) = emissions(&[b"SSH-2.0-x\r\n", &client_hello(1)]);
    assert_eq!((service, said.len()), (Some("ssh"), 0));
}
