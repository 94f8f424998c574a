//! What passes of files: which hash whole, and which do not.

use sha2::{Digest as _, Sha256};

use super::super::content::{Contents, Passage, Taken, Way};
use super::super::transaction::FileKey;
use super::*;
use crate::limits::{SMB_HASHED_FILES, SMB_HELD_BYTES};
use crate::protocol::FileHashing;

fn sha256(bytes: &[u8]) -> String {
    crate::text::hex(&Sha256::digest(bytes))
}

const FILE: FileKey = FileKey::Id(7);

fn passage(way: Way, offset: u64) -> Passage {
    Passage { file: FILE, way, offset, bytes: 0 }
}

#[test]
fn a_file_is_whole_when_every_byte_passed() {
    let abcdef = Some(sha256(b"abcdef"));
    for (way, pieces, size, expected) in [
        (Way::Read, &[(0, "abc"), (3, "def")][..], 6, &abcdef),
        (Way::Written, &[(0, "abc"), (3, "def")], 6, &abcdef),
        (Way::Read, &[(3, "def"), (0, "abc")], 6, &abcdef),
        (Way::Written, &[(4, "ef"), (2, "cd"), (0, "ab")], 6, &abcdef),
        // Read twice, and overlapping: the first copy counts.
        (Way::Read, &[(0, "abc"), (0, "abc"), (2, "cdef")], 6, &abcdef),
        (Way::Read, &[(2, "cdef"), (0, "abcd")], 6, &abcdef),
        // Written twice: nobody knows what stands there.
        (Way::Written, &[(0, "abc"), (3, "def"), (0, "x")], 6, &None),
        (Way::Read, &[(0, "abc"), (4, "ef")], 6, &None),
        (Way::Read, &[(1, "bcdef")], 6, &None),
        (Way::Read, &[(0, "abc")], 6, &None),
        (Way::Read, &[(0, "abcdef")], 5, &None),
        (Way::Read, &[], 0, &None),
    ] {
        let mut contents = Contents::default();
        for (offset, piece) in pieces {
            contents.take(&passage(way, *offset), piece.as_bytes());
        }
        let found = contents.whole(FILE, way, Some(size)).map(|(sha256, _)| sha256);
        assert_eq!(found, *expected, "{pieces:?}");
    }
}

#[test]
fn what_is_held_and_what_is_hashed_have_bounds() {
    let mut contents = Contents::default();
    let half = vec![0; SMB_HELD_BYTES / 2];
    assert_eq!(contents.take(&passage(Way::Read, 1), &half), Taken::In);
    assert_eq!(contents.take(&passage(Way::Read, 1_000_000), &half), Taken::In);
    assert_eq!(contents.take(&passage(Way::Read, 9_000_000), b"x"), Taken::Full);
    // What the file held is free again.
    assert_eq!(contents.take(&passage(Way::Read, 1), &half), Taken::In);
    let mut contents = Contents::default();
    for file in 0..=SMB_HASHED_FILES {
        let file = FileKey::Id(file as u128);
        let taken = contents.take(&Passage { file, ..passage(Way::Read, 0) }, b"x");
        let full = file == FileKey::Id(SMB_HASHED_FILES as u128);
        assert_eq!(taken, if full { Taken::Full } else { Taken::In });
    }
}

fn wire(hashing: FileHashing) -> Wire {
    let mut wire = Wire::new();
    wire.smb = Smb::new(&FlowContext { hashing, ..flow(445) });
    wire
}

fn open(wire: &mut Wire, action: u32, size: u64) {
    let response = Fields::new().u16(89).zeros(2).u32(action).zeros(40);
    wire.exchange(
        &Smb2::new(5, 1).asks(create_request("a.exe", 3, 0)),
        &Smb2::new(5, 1)
            .answers(response.bytes(&size.to_le_bytes()).zeros(8).bytes(&[7; 16]).zeros(8)),
    );
}

fn close(wire: &mut Wire) {
    wire.exchange(
        &Smb2::new(6, 9).asks(close_request(7)),
        &Smb2::new(6, 9).answers(Fields::new().u16(60).zeros(58)),
    );
}

fn write_at(wire: &mut Wire, message: u64, offset: u64, data: &[u8], status: u32) {
    let length = u32::try_from(data.len()).unwrap();
    let request = Fields::new().u16(49).u16(64 + 48).u32(length).bytes(&offset.to_le_bytes());
    wire.exchange(
        &Smb2::new(9, message).asks(request.bytes(&[7; 16]).zeros(16).bytes(data)),
        &Smb2::new(9, message).status(status).answers(write_response(length)),
    );
}

fn read_at(wire: &mut Wire, message: u64, offset: u64, data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap();
    let request = Fields::new().u16(49).zeros(2).u32(length).bytes(&offset.to_le_bytes());
    let response = Fields::new().u16(17).u8(80).u8(0).u32(length).zeros(8).bytes(data);
    wire.exchange(
        &Smb2::new(8, message).asks(request.bytes(&[7; 16]).zeros(16)),
        &Smb2::new(8, message).answers(response),
    );
}

/// The hashes that rows name, by command.
fn hashes(rows: &[String]) -> Vec<(String, String)> {
    let told = rows.iter().filter_map(|row| {
        let (_, hash) = row.split_once("sha256=")?;
        Some((row.split(' ').next()?.to_owned(), hash.to_owned()))
    });
    told.collect()
}

fn told(commands: &[&str], hash: &str, mime: &str) -> Vec<(String, String)> {
    commands.iter().map(|command| ((*command).to_owned(), format!("{hash} mime={mime}"))).collect()
}

#[test]
fn a_file_that_is_written_and_closed_has_its_hash_beside_both() {
    let body = [&b"MZ\x90\0"[..], &[0; 900]].concat();
    let expected = told(&["write", "close"], &sha256(&body), "application/x-dosexec");
    let mut wire = wire(FileHashing::On);
    open(&mut wire, 2, 0);
    write_at(&mut wire, 2, 0, &body[..500], 0);
    write_at(&mut wire, 3, 500, &body[500..], 0);
    close(&mut wire);
    let said = wire.finish();
    assert_eq!((hashes(&said.rows), said.weirds), (expected, vec![]));
}

#[test]
fn a_file_that_is_read_to_its_end_needs_no_close() {
    let mut wire = wire(FileHashing::On);
    open(&mut wire, 1, 6);
    read_at(&mut wire, 3, 3, b"def");
    read_at(&mut wire, 2, 0, b"abc");
    let rows = wire.finish().rows;
    assert_eq!(hashes(&rows), told(&["read"], &sha256(b"abcdef"), "text/plain"));
}

#[test]
fn what_was_not_seen_whole_has_no_hash() {
    let cases: [fn(&mut Wire); 9] = [
        // Another write may have been lost behind this one.
        |wire| {
            open(wire, 2, 0);
            write_at(wire, 2, 0, b"abcdef", 0);
            wire.lose(CLIENT, 100);
        },
        // A pipe, of a tree that was not seen.
        |wire| {
            open(wire, 1, 0);
            write_at(wire, 2, 0, &parts::svcctl_bind(), 0);
        },
        // Longer than what was read.
        |wire| {
            open(wire, 1, 7);
            read_at(wire, 2, 0, b"abcdef");
        },
        // Its opening was not seen.
        |wire| read_at(wire, 2, 0, b"abcdef"),
        // A write that failed.
        |wire| {
            open(wire, 2, 0);
            write_at(wire, 2, 0, b"abcdef", 0xc000_007f);
        },
        // A longer file, of which the beginning is written anew.
        |wire| {
            open(wire, 1, 100);
            write_at(wire, 2, 0, b"abcdef", 0);
        },
        // Read, then changed.
        |wire| {
            open(wire, 1, 6);
            read_at(wire, 2, 0, b"abcdef");
            write_at(wire, 3, 2, b"x", 0);
        },
        // A gap in its content.
        |wire| {
            open(wire, 2, 0);
            let data = Fields::new().u16(49).u16(64 + 48).u32(400).zeros(8).bytes(&[7; 16]);
            let request = Smb2::new(9, 2).asks(data.zeros(16).zeros(400));
            wire.send(CLIENT, &request[..300]);
            wire.lose(CLIENT, 100);
            wire.send(CLIENT, &request[400..]);
            wire.send(SERVER, &Smb2::new(9, 2).answers(write_response(400)));
        },
        // Cut off by a smaller size.
        |wire| {
            open(wire, 2, 0);
            write_at(wire, 2, 0, b"abcdef", 0);
            let size = Fields::new().u16(33).u8(1).u8(20).u32(8).u16(96).zeros(6).bytes(&[7; 16]);
            wire.exchange(
                &Smb2::new(0x11, 4).asks(size.bytes(&3_u64.to_le_bytes())),
                &Smb2::new(0x11, 4).answers(Fields::new().u16(2)),
            );
        },
    ];
    for (index, case) in cases.into_iter().enumerate() {
        let mut wire = wire(FileHashing::On);
        case(&mut wire);
        close(&mut wire);
        let rows = wire.finish().rows;
        assert_eq!((hashes(&rows), rows.len() > 1), (vec![], true), "{index}: {rows:?}");
    }
}

#[test]
fn nothing_is_hashed_where_that_is_off_or_where_a_pipe_is_written() {
    for (hashing, share_type) in [(FileHashing::Off, 1), (FileHashing::On, 2)] {
        let mut wire = wire(hashing);
        wire.exchange(
            &Smb2::new(3, 0).asks(tree_request("\\\\srv\\data")),
            &Smb2::new(3, 0).answers(Fields::new().u16(16).u8(share_type).zeros(13)),
        );
        open(&mut wire, 2, 0);
        write_at(&mut wire, 2, 0, b"abcdef", 0);
        close(&mut wire);
        assert_eq!(hashes(&wire.finish().rows), []);
    }
}

#[test]
fn a_call_in_a_write_leaves_a_row_of_its_own() {
    let mut wire = wire(FileHashing::On);
    open(&mut wire, 1, 0);
    write_at(&mut wire, 2, 0, &parts::svcctl_bind(), 0);
    write_at(&mut wire, 3, 0, &parts::rpc_request(3, 12), 0);
    write_at(&mut wire, 4, 0, &parts::rpc_request(2, 12), 0);
    let rows = wire.finish().rows;
    assert_eq!(
        rows[1..],
        [
            "write STATUS_SUCCESS path=a.exe pipe_service=svcctl opnum=12 operation=CreateServiceW",
            "write STATUS_SUCCESS path=a.exe action=write bytes=320 pipe_service=svcctl",
        ]
    );
}
