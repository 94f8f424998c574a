//! What exploits of SMB 1 cannot do without breaking its rules, and what only looks like them.

use super::*;
use crate::protocol::StreamStart;

/// One message: who sends it, its command, its multiplex id and what it holds.
#[derive(Clone, Copy)]
struct Sent {
    by: Direction,
    command: u8,
    multiplex: usize,
    status: u32,
    body: Body,
}

/// What a message holds, as far as the invariants look.
#[derive(Clone, Copy)]
enum Body {
    /// No words and no bytes.
    Empty,
    /// So many words of zeros.
    Words(usize),
    /// A transaction: bytes of data in all, bytes of it here, its sub-command or function.
    Begins(u16, u16, u16),
    /// Its secondary: bytes of data here.
    GoesOn(u16),
}

const fn asks(command: u8, multiplex: usize, body: Body) -> Sent {
    Sent { by: CLIENT, command, multiplex, status: 0, body }
}

const fn answers(command: u8, multiplex: usize, status: u32, body: Body) -> Sent {
    Sent { by: SERVER, command, multiplex, status, body }
}

impl Sent {
    fn bytes(self) -> Vec<u8> {
        let wide = self.command >= 0xa0;
        let words = match self.body {
            Body::Empty => Fields::new(),
            Body::Words(count) => Fields::new().zeros(count * 2),
            Body::Begins(total, here, function) if wide => Fields::new()
                .zeros(3 + 4)
                .u32(total.into())
                .zeros(16)
                .u32(here.into())
                .zeros(4 + 1)
                .u16(function.into()),
            Body::Begins(total, here, function) => Fields::new()
                .zeros(2)
                .u16(total.into())
                .zeros(18)
                .u16(here.into())
                .zeros(2)
                .u16(1)
                .u16(function.into()),
            Body::GoesOn(here) if wide => Fields::new().zeros(23).u32(here.into()).zeros(9),
            Body::GoesOn(here) => Fields::new().zeros(10).u16(here.into()).zeros(6),
        };
        let reply = if self.by == SERVER { 0x80 } else { 0 };
        frame(
            &Fields::new()
                .bytes(b"\xffSMB")
                .u8(self.command)
                .u32(self.status)
                .u8(reply)
                .zeros(14)
                .u16(2048)
                .u16(0xfeff)
                .u16(2048)
                .u16(self.multiplex)
                .u8(u8::try_from(words.0.len() / 2).unwrap())
                .bytes(&words.0)
                .u16(0)
                .0,
        )
    }
}

fn weirds(start: StreamStart, messages: &[Sent]) -> Vec<Weird> {
    let mut wire = Wire::new();
    wire.smb = Smb::new(&FlowContext { start, ..flow(445) });
    for message in messages {
        wire.send(message.by, &message.bytes());
        wire.now += 100;
    }
    told(wire)
}

/// What the flow told, but that the bodies of these messages hold little more than words.
fn told(wire: Wire) -> Vec<Weird> {
    let mut weirds = wire.finish().weirds;
    weirds.retain(|weird| *weird != Weird::SmbMalformed);
    weirds
}

const INTERIM: Body = Body::Empty;
const NT: u8 = 0xa0;
const NT_SECONDARY: u8 = 0xa1;
const TRANS2: u8 = 0x32;
const TRANS2_SECONDARY: u8 = 0x33;
const TRANS: u8 = 0x25;
const TRANS_SECONDARY: u8 = 0x26;
const WRITE: u8 = 0x2f;
const NO_SUCH_THING: u32 = 0xc000_0002;

#[test]
fn secondaries_belong_to_their_own_family() {
    let open = asks(NT, 64, Body::Begins(9_000, 100, 2));
    let rest = asks(NT_SECONDARY, 64, Body::GoesOn(8_900));
    let other = asks(TRANS2_SECONDARY, 64, Body::GoesOn(99));
    for (messages, expected) in [
        (&[open, answers(NT, 64, 0, INTERIM), asks(NT_SECONDARY, 64, Body::GoesOn(8_900))][..], 0),
        (&[open, answers(NT, 64, 0, INTERIM), asks(TRANS2_SECONDARY, 64, Body::GoesOn(99))], 1),
        (&[open, asks(TRANS2_SECONDARY, 64, Body::GoesOn(99))], 1),
        // Another multiplex id is another transaction.
        (&[open, asks(TRANS2_SECONDARY, 65, Body::GoesOn(99))], 0),
        // The transaction is over: what follows is its client's next.
        (&[open, answers(NT, 64, 0, Body::Words(18)), asks(TRANS2_SECONDARY, 64, Body::Empty)], 0),
        (&[open, answers(NT, 64, NO_SUCH_THING, INTERIM), other], 0),
        (&[open, rest, other], 0),
        // Begun twice under the same ids: the server turns the second one away.
        (
            &[
                open,
                answers(NT, 64, 0, INTERIM),
                open,
                answers(NT, 64, NO_SUCH_THING, INTERIM),
                asks(TRANS2_SECONDARY, 64, Body::GoesOn(99)),
            ],
            1,
        ),
        // Its beginning was not seen.
        (&[asks(TRANS2_SECONDARY, 64, Body::GoesOn(99))], 0),
    ] {
        let found = weirds(StreamStart::Midstream, messages);
        assert_eq!(found, vec![Weird::Smb1SecondaryOfOtherTransaction; expected]);
    }
}

#[test]
fn nothing_is_written_inside_a_transaction() {
    let whole = asks(TRANS, 64, Body::Begins(72, 72, 0x26));
    let open = asks(TRANS, 64, Body::Begins(21_504, 0, 0x26));
    let write = asks(WRITE, 64, Body::Words(14));
    let rest = asks(TRANS_SECONDARY, 64, Body::GoesOn(21_504));
    for (messages, expected) in [
        (&[open, answers(TRANS, 64, 0, INTERIM), write][..], 1),
        (&[open, write], 1),
        // A client that never changes its multiplex id: each message waits for the one before.
        (&[whole, answers(TRANS, 64, 0, Body::Words(10)), write], 0),
        (&[whole, write], 0),
        (&[open, answers(TRANS, 64, 0, INTERIM), rest, write], 0),
        (&[open, asks(WRITE, 65, Body::Words(14))], 0),
    ] {
        let found = weirds(StreamStart::Midstream, messages);
        assert_eq!(found, vec![Weird::Smb1WriteInTransaction; expected]);
    }
}

#[test]
fn what_nobody_implements_is_told_by_its_kind() {
    for (message, expected) in [
        (asks(TRANS2, 64, Body::Begins(0, 0, 0x0e)), Some(Weird::Smb1UnusedSubcommand)),
        (asks(TRANS2, 64, Body::Begins(0, 0, 0x11)), Some(Weird::Smb1UnusedSubcommand)),
        // Implemented by MS-SMB: clients with UNIX extensions set what they can do.
        (asks(TRANS2, 64, Body::Begins(0, 0, 0x04)), None),
        (asks(TRANS2, 64, Body::Begins(0, 0, 0x10)), None),
        (asks(NT, 64, Body::Begins(0, 0, 0)), Some(Weird::Smb1UnusedNtFunction)),
        (asks(NT, 64, Body::Begins(0, 0, 9)), Some(Weird::Smb1UnusedNtFunction)),
        (asks(NT, 64, Body::Begins(0, 0, 5)), Some(Weird::Smb1NtRenameTransaction)),
        (asks(NT, 64, Body::Begins(0, 0, 4)), None),
        (asks(0x3a, 64, Body::Empty), Some(Weird::Smb1UnusedCommand)),
        (asks(0xd8, 64, Body::Empty), Some(Weird::Smb1UnusedCommand)),
        (asks(0x2b, 64, Body::Words(1)), None),
        (asks(0xa4, 64, Body::Empty), None),
    ] {
        let found = weirds(StreamStart::Midstream, &[message]);
        assert_eq!(found, Vec::from_iter(expected), "{:#x}", message.command);
    }
}

#[test]
fn the_rest_of_a_rename_waits_for_the_server() {
    let rename = asks(NT, 64, Body::Begins(900, 100, 5));
    let rest = asks(NT_SECONDARY, 64, Body::GoesOn(800));
    let told = Weird::Smb1NtRenameTransaction;
    assert_eq!(
        weirds(StreamStart::Midstream, &[rename, rest]),
        [told, Weird::Smb1NtRenameSecondary]
    );
    assert_eq!(
        weirds(StreamStart::Midstream, &[rename, answers(NT, 64, 0, INTERIM), rest]),
        [told]
    );
}

#[test]
fn only_a_client_makes_up_multiplex_ids() {
    use StreamStart::{Beginning, Midstream};
    let ask = asks(TRANS2, 65, Body::Begins(0, 0, 1));
    let implant = answers(TRANS2, 81, NO_SUCH_THING, INTERIM);
    let other = answers(TRANS2, 90, 0, Body::Words(10));
    let answer = answers(TRANS2, 65, 0, Body::Words(10));
    for (start, messages, expected) in [
        (Beginning, &[ask, answer][..], None),
        // A long answer comes in several messages.
        (Beginning, &[ask, answer, answer], None),
        (Beginning, &[ask, implant], Some(Weird::Smb1ImplantAnswer)),
        (Midstream, &[ask, implant], Some(Weird::Smb1ImplantAnswer)),
        (Beginning, &[ask, other], Some(Weird::Smb1UnaskedMultiplexId)),
        // Its request may lie before the capture.
        (Midstream, &[ask, other], None),
        (Midstream, &[asks(TRANS2, 81, Body::Begins(0, 0, 1)), implant], None),
        (Midstream, &[asks(0x71, 65, Body::Empty), implant], None),
        // The capture holds one side.
        (Beginning, &[implant, other], None),
        (Beginning, &[ask, answers(0x24, 0xffff, 0, Body::Words(8))], None),
    ] {
        assert_eq!(weirds(start, messages), Vec::from_iter(expected), "{start:?}");
    }
}

#[test]
fn an_answer_that_the_capture_shows_too_early_was_asked_for() {
    let mut wire = Wire::new();
    wire.send(CLIENT, &asks(TRANS2, 64, Body::Begins(0, 0, 1)).bytes());
    wire.send(SERVER, &answers(TRANS2, 65, 0, Body::Words(10)).bytes());
    wire.send(CLIENT, &asks(TRANS2, 65, Body::Begins(0, 0, 1)).bytes());
    assert_eq!(told(wire), []);
}

#[test]
fn behind_a_gap_nothing_is_said_of_what_was_asked() {
    let mut wire = Wire::new();
    wire.send(CLIENT, &asks(TRANS2, 64, Body::Begins(0, 0, 1)).bytes());
    wire.lose(CLIENT, 100);
    wire.send(SERVER, &answers(TRANS2, 70, 0, Body::Words(10)).bytes());
    assert_eq!(told(wire), []);
}

#[test]
fn tables_that_are_full_say_so_and_forget() {
    let open = |multiplex| asks(TRANS, multiplex, Body::Begins(9, 0, 0x26));
    let mut messages: Vec<Sent> = (0..=crate::limits::SMB1_TRANSACTIONS).map(open).collect();
    messages.push(answers(TRANS, 9_999, 0, Body::Words(10)));
    let found = weirds(StreamStart::Beginning, &messages);
    assert!(found.iter().all(|weird| *weird == Weird::SmbTableFull), "{found:?}");
    // Requests, exchanges and transactions each.
    assert!(found.len() >= 3);
}

#[test]
fn a_share_of_another_address_is_told() {
    for (share, expected) in [
        ("\\\\127.0.0.1\\IPC$", 0),
        ("\\\\192.168.56.20\\IPC$", 1),
        ("\\\\172.16.99.5", 1),
        ("\\\\fe80--1.IPv6-literal.net\\c", 1),
        ("\\\\server\\IPC$", 0),
        ("\\\\1.2.3\\IPC$", 0),
        ("192.168.56.20", 0),
    ] {
        let mut wire = Wire::new();
        wire.send(CLIENT, &Smb2::new(3, 1).asks(tree_request(share)));
        let found = wire.finish().weirds;
        assert_eq!(found, vec![Weird::SmbTreeNamesOtherAddress; expected], "{share}");
    }
}
