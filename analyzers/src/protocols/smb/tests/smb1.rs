//! SMB 1: blocks, chains, transactions.

use super::*;
use crate::limits::SMB_ANDX_STEPS;

const REPLY: u8 = 0x80;
const UNICODE: u16 = 0x8000;

/// Header of 32 bytes and whatever follows.
fn message(command: u8, reply: u8, flags2: u16, status: u32, blocks: &[u8]) -> Vec<u8> {
    frame(
        &Fields::new()
            .bytes(b"\xffSMB")
            .u8(command)
            .u32(status)
            .u8(reply)
            .u16(usize::from(flags2))
            .zeros(12)
            .u16(3)
            .u16(0xfeff)
            .u16(8)
            .u16(64)
            .bytes(blocks)
            .0,
    )
}

fn block(words: Fields, bytes: &[u8]) -> Vec<u8> {
    let count = u8::try_from(words.0.len() / 2).unwrap();
    Fields::new().u8(count).bytes(&words.0).u16(bytes.len()).bytes(bytes).0
}

fn link(command: u8, offset: usize) -> Fields {
    Fields::new().u8(command).u8(0).u16(offset)
}

fn dialects() -> Vec<u8> {
    block(Fields::new(), b"\x02PC NETWORK PROGRAM 1.0\0\x02NT LM 0.12\0\x02SMB 2.???\0")
}

#[test]
fn the_dialect_is_the_one_whose_place_the_server_names() {
    for (place, spoken) in [(1, "1 NT LM 0.12"), (9, "1"), (0xffff, "1")] {
        let mut wire = Wire::new();
        wire.exchange(
            &message(0x72, 0, 0, 0, &dialects()),
            &message(0x72, REPLY, 0, 0, &block(Fields::new().u16(place), b"")),
        );
        let said = wire.finish();
        assert_eq!(said.rows, ["negotiate STATUS_SUCCESS"]);
        assert_eq!(said.spoken, [spoken]);
    }
}

#[test]
fn smb_2_may_answer_the_negotiate_of_smb_1() {
    let mut wire = Wire::new();
    let revision = |revision| Fields::new().u16(65).u16(1).u16(revision).zeros(60);
    wire.exchange(&message(0x72, 0, 0, 0, &dialects()), &Smb2::new(0, 0).answers(revision(0x2ff)));
    wire.exchange(
        &Smb2::new(0, 1).asks(Fields::new().u16(36).zeros(34)),
        &Smb2::new(0, 1).answers(revision(0x311)),
    );
    let said = wire.finish();
    assert_eq!(said.rows, ["negotiate STATUS_SUCCESS"; 2]);
    assert_eq!(said.spoken, ["2", "3 3.1.1"], "the wildcard is no dialect");
}

/// A session setup of the old form, and a tree connect in its chain.
fn chained_logon() -> Vec<u8> {
    let setup = block(link(0x75, 63).zeros(22), b"\0");
    let share = [&b"\0"[..], b"\0", b"\\\\srv\\IPC$\0", b"?????\0"].concat();
    assert_eq!(32 + setup.len(), 62);
    let connect = block(link(0xff, 0).u16(0).u16(2), &share);
    message(0x73, 0, 0, 0, &[&setup[..], b"\0", &connect].concat())
}

#[test]
fn a_chain_leaves_a_row_for_each_of_its_commands() {
    let mut wire = Wire::new();
    let setup = block(link(0x75, 41).u16(0), b"");
    let connect = block(link(0xff, 0).u16(0), b"IPC\0");
    let reply = message(0x73, REPLY, 0, 0, &[&setup[..], &connect].concat());
    wire.exchange(&chained_logon(), &reply);
    let said = wire.finish();
    assert_eq!(
        said.rows,
        [
            "session_setup STATUS_SUCCESS",
            "tree_connect STATUS_SUCCESS tree=\\\\srv\\IPC$ share_type=pipe",
        ]
    );
    assert_eq!(said.weirds, []);
}

#[test]
fn what_follows_a_failure_in_a_chain_was_not_done() {
    let mut wire = Wire::new();
    wire.exchange(&chained_logon(), &message(0x73, REPLY, 0, 0xc000_006d, &[0, 0, 0]));
    assert_eq!(
        wire.finish().rows,
        ["session_setup STATUS_LOGON_FAILURE", "tree_connect tree=\\\\srv\\IPC$"]
    );
}

#[test]
fn a_chain_that_leads_back_ends() {
    for offset in [0, 32, 36, 38] {
        let mut wire = Wire::new();
        wire.send(CLIENT, &message(0x74, 0, 0, 0, &block(link(0x74, offset), b"")));
        assert_eq!(wire.finish().weirds, [Weird::SmbMalformed], "{offset}");
    }
}

#[test]
fn a_chain_is_read_up_to_its_bound() {
    for (steps, weirds) in [
        (SMB_ANDX_STEPS - 1, &[][..]),
        (SMB_ANDX_STEPS, &[]),
        (SMB_ANDX_STEPS + 1, &[Weird::SmbChainTooLong]),
    ] {
        let mut blocks = Vec::new();
        for step in 1..=steps {
            let next = if step == steps { 0xff } else { 0x74 };
            blocks.extend(block(link(next, 32 + usize::from(step) * 7), b""));
        }
        let mut wire = Wire::new();
        wire.send(CLIENT, &message(0x74, 0, 0, 0, &blocks));
        assert_eq!(wire.finish().weirds, weirds, "{steps}");
    }
}

#[test]
fn a_file_is_opened_written_and_closed_by_its_fid() {
    let mut wire = Wire::new();
    let name = utf16("\\dir\\a");
    let create = link(0xff, 0).u8(0).u16(name.len()).zeros(28).u32(2).u32(0).zeros(5);
    let created = link(0xff, 0).u8(0).u16(0x4001).u32(2).zeros(57);
    wire.exchange(
        // One byte of padding brings the name to an even offset.
        &message(0xa2, 0, UNICODE, 0, &block(create, &[&b"\0"[..], &name].concat())),
        &message(0xa2, REPLY, UNICODE, 0, &block(created, b"")),
    );
    let write = link(0xff, 0).u16(0x4001).zeros(12).u16(1).u16(0).u16(64).zeros(4);
    wire.send(CLIENT, &message(0x2f, 0, UNICODE, 0, &block(write, b"data")));
    wire.send(
        SERVER,
        &message(0x2f, REPLY, 0, 0, &block(link(0xff, 0).u16(4).u16(0).u16(1).u16(0), b"")),
    );
    wire.exchange(
        &message(0x04, 0, UNICODE, 0, &block(Fields::new().u16(0x4001).u32(0), b"")),
        &message(0x04, REPLY, UNICODE, 0, &[0, 0, 0]),
    );
    assert_eq!(
        wire.finish().rows,
        [
            "create STATUS_SUCCESS path=dir\\a action=create",
            "write STATUS_SUCCESS path=dir\\a action=write bytes=65540",
            "close STATUS_SUCCESS path=dir\\a",
        ]
    );
}

#[test]
fn renames_and_deletes_go_by_path() {
    let named = |bytes: &[u8]| block(Fields::new().u16(6), bytes);
    for (command, bytes, row) in [
        (
            0x07,
            &b"\x04\\a\0\x04\\b\0"[..],
            "rename STATUS_SUCCESS path=a action=rename renamed_to=b",
        ),
        (0x06, b"\x04\\a\0", "delete STATUS_SUCCESS path=a action=delete"),
        (0x01, b"\x04\\d", "delete_directory STATUS_SUCCESS path=d action=delete"),
        (0x10, b"\x04\\d\0", "check_directory STATUS_SUCCESS path=d"),
        (0x06, b"", "delete STATUS_SUCCESS action=delete"),
    ] {
        let mut wire = Wire::new();
        wire.exchange(
            &message(command, 0, 0, 0, &named(bytes)),
            &message(command, REPLY, 0, 0, &[0, 0, 0]),
        );
        assert_eq!(wire.finish().rows, [row]);
    }
}

/// Words of a transaction whose parameters and data follow the padded name.
fn transaction(setup: &[usize], name: &[u8], parameters: &[u8], data: &[u8]) -> Vec<u8> {
    let at = 32 + 1 + 28 + setup.len() * 2 + 2 + name.len();
    let mut words = Fields::new()
        .zeros(18)
        .u16(parameters.len())
        .u16(at)
        .u16(data.len())
        .u16(at + parameters.len())
        .u8(u8::try_from(setup.len()).unwrap())
        .u8(0);
    for word in setup {
        words = words.u16(*word);
    }
    block(words, &[name, parameters, data].concat())
}

#[test]
fn transactions_say_what_their_sub_command_asks() {
    let path = |fixed: usize, name: &[u8]| Fields::new().zeros(fixed).bytes(name).0;
    let bind = parts::svcctl_bind();
    for (command, blocks, row) in [
        (
            0x32,
            transaction(&[5], b"\0", &path(6, b"\\q\0"), b""),
            "trans2_query_path_information path=q",
        ),
        (0x32, transaction(&[1], b"\0", &path(12, b"\\*\0"), b""), "trans2_find_first2 path=*"),
        (0x32, transaction(&[14], b"\0", b"", b""), "trans2_session_setup"),
        (
            0x32,
            transaction(&[13], b"\0", &path(4, b"\\d\0"), b""),
            "trans2_create_directory path=d action=create",
        ),
        (
            0x32,
            transaction(&[6], b"\0", &Fields::new().u16(0x102).zeros(4).bytes(b"\\d\0").0, &[1]),
            "trans2_set_path_information path=d action=delete",
        ),
        (0x25, transaction(&[0x26, 9], b"\\PIPE\\\0", b"", &bind), "trans pipe_service=svcctl"),
        (0x25, transaction(&[], b"\\PIPE\\LANMAN\0", b"", b""), "trans path=PIPE\\LANMAN"),
        // Cut before its setup words: the row stays.
        (0x32, block(Fields::new().zeros(20), b""), "trans2"),
    ] {
        let mut wire = Wire::new();
        wire.send(CLIENT, &message(command, 0, 0, 0, &blocks));
        assert_eq!(wire.finish().rows, [row]);
    }
}

#[test]
fn a_failure_that_nobody_asked_for_leaves_a_row() {
    let mut wire = Wire::new();
    wire.send(SERVER, &message(0x32, REPLY, 0, 0xc000_0002, &[0, 0, 0]));
    wire.send(SERVER, &message(0x32, REPLY, 0, 0, &[0, 0, 0]));
    wire.send(SERVER, &message(0x06, REPLY, 0, 0x0002_0001, &[0, 0, 0]));
    assert_eq!(wire.finish().rows, ["trans2 STATUS_NOT_IMPLEMENTED", "delete 0x00020001"]);
}
