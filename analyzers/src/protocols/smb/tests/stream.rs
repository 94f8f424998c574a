//! The stream: recognition, splits, gaps, bounds.

use super::super::entry::{Answer, Pair, Pending, Session, Tree};
use super::super::open_file::OpenFile;
use super::super::transaction::FileKey;
use super::*;
use crate::limits::{
    SMB_EARLY, SMB_FILE_TEXT_BYTES, SMB_OPEN_FILES, SMB_PENDING, SMB_PENDING_TEXT_BYTES,
    SMB_SESSION_TEXT_BYTES, SMB_SESSIONS, SMB_TREE_TEXT_BYTES, SMB_TREES,
};

fn conversation() -> Vec<(Direction, Vec<u8>)> {
    let close = |message| Smb2::new(6, message).answers(Fields::new().u16(60).zeros(58));
    vec![
        (CLIENT, Smb2::new(3, 1).asks(tree_request("\\\\srv\\data"))),
        (SERVER, Smb2::new(3, 1).answers(Fields::new().u16(16).u8(1).zeros(13))),
        (CLIENT, Smb2::new(5, 2).asks(create_request("a", 2, 0))),
        (SERVER, Smb2::new(5, 2).answers(create_response(7, 2))),
        (CLIENT, Smb2::new(9, 3).asks(write_request(7, &[b'x'; 5_000]))),
        (SERVER, Smb2::new(9, 3).answers(write_response(5_000))),
        (CLIENT, Smb2::new(6, 4).asks(close_request(7))),
        (SERVER, close(4)),
    ]
}

#[test]
fn every_split_says_the_same() {
    let whole = {
        let mut wire = Wire::new();
        conversation().iter().for_each(|(direction, bytes)| wire.send(*direction, bytes));
        wire.finish()
    };
    assert_eq!(whole.rows.len(), 4);
    for size in [1, 2, 3, 7, 64, 1_000] {
        let mut wire = Wire::new();
        for (direction, bytes) in conversation() {
            bytes.chunks(size).for_each(|piece| wire.send(direction, piece));
        }
        let said = wire.finish();
        assert_eq!((said.rows, said.weirds), (whole.rows.clone(), vec![]), "{size}");
    }
}

#[test]
fn a_gap_inside_content_loses_nothing_but_the_content() {
    for (before, missing) in [(300, 1), (300, 3_000), (300, 4_816), (2, 5_114)] {
        let mut wire = Wire::new();
        for (index, (direction, bytes)) in conversation().into_iter().enumerate() {
            if index == 4 {
                wire.send(direction, &bytes[..before]);
                wire.lose(direction, missing);
                let after = before + usize::try_from(missing).unwrap();
                wire.send(direction, bytes.get(after..).unwrap_or_default());
            } else {
                wire.send(direction, &bytes);
            }
        }
        let said = wire.finish();
        let closed = "close STATUS_SUCCESS tree=\\\\srv\\data share_type=disk path=a";
        assert!(said.rows.iter().any(|row| row == closed), "{missing}");
        assert_eq!(said.weirds, [], "{missing}");
    }
}

#[test]
fn after_any_gap_the_next_header_is_found() {
    let lost = Smb2::new(5, 2).asks(create_request("lost", 1, 0));
    let found = Smb2::new(5, 3).asks(create_request("found", 1, 0));
    for cut in 0..lost.len() {
        let mut wire = Wire::new();
        wire.lose(CLIENT, 1_000);
        wire.send(CLIENT, &lost[cut..]);
        found.chunks(11).for_each(|piece| wire.send(CLIENT, piece));
        let said = wire.finish();
        assert!(said.rows.iter().any(|row| row == "create path=found action=open"), "{cut}");
        assert_eq!(said.weirds, [], "{cut}");
    }
}

#[test]
fn something_else_between_frames_is_a_weird_and_passed_over() {
    let mut wire = Wire::new();
    wire.send(CLIENT, b"SMB SMB \xffSMB raw bytes that are no frame");
    wire.send(CLIENT, &Smb2::new(5, 3).asks(create_request("a", 1, 0)));
    let said = wire.finish();
    assert_eq!(said.rows, ["create path=a action=open"]);
    assert_eq!(said.weirds, [Weird::SmbLostPlace]);
}

#[test]
fn a_message_that_the_end_of_the_flow_cuts_still_leaves_its_row() {
    let request = Smb2::new(5, 3).asks(create_request("abc", 1, 0));
    let mut wire = Wire::new();
    wire.send(CLIENT, &request[..request.len() - 1]);
    let said = wire.finish();
    assert_eq!((said.rows, said.weirds), (vec!["create action=open".to_owned()], vec![]));
}

#[test]
fn a_probe_knows_smb_by_its_content() {
    let smb2 = Smb2::new(5, 3).asks(create_request("a", 1, 0));
    let midstream = [&[b'x'; 100][..], &smb2].concat();
    let session_request = [&[0x81, 0, 0, 0x44][..], &[b' '; 68]].concat();
    for (bytes, port, verdict) in [
        (&smb2[..], 445, Verdict::Certain),
        (&smb2, 8_080, Verdict::Certain),
        (&smb2[..7], 8_080, Verdict::Unsure),
        (b"\0\0\0\x40\xfeSMc", 8_080, Verdict::NotForUs),
        (b"\0\0\0\x02\xfe", 8_080, Verdict::NotForUs),
        (&midstream, 445, Verdict::Certain),
        (&midstream, 8_080, Verdict::NotForUs),
        (b"GET / HTTP/1.1", 8_080, Verdict::NotForUs),
        (b"GET / HTTP/1.1", 445, Verdict::Unsure),
        (&session_request, 139, Verdict::Certain),
        (&session_request, 8_080, Verdict::Unsure),
        (&[&session_request[..], &smb2].concat(), 8_080, Verdict::Certain),
        (&[0x85, 0, 0, 0, b'G', b'E', b'T', b' '], 8_080, Verdict::NotForUs),
        (b"", 445, Verdict::Unsure),
    ] {
        assert_eq!(probe(bytes, port), verdict, "{bytes:?} on {port}");
    }
}

#[test]
fn requests_beyond_the_bound_are_written_oldest_first() {
    for (count, full) in [(SMB_PENDING - 1, 0), (SMB_PENDING, 0), (SMB_PENDING + 1, 1)] {
        let mut wire = Wire::new();
        for message in 0..count {
            let request = create_request("a", 1, 0);
            wire.send(CLIENT, &Smb2::new(5, u64::try_from(message).unwrap()).asks(request));
        }
        let said = wire.finish();
        assert_eq!(said.rows.len(), count);
        assert_eq!(said.weirds, vec![Weird::SmbTableFull; full]);
        assert_eq!(said.times[0], 1);
    }
}

#[test]
fn open_files_beyond_the_bound_leave_their_sums() {
    for (count, full) in [(SMB_OPEN_FILES - 1, 0), (SMB_OPEN_FILES, 0), (SMB_OPEN_FILES + 1, 1)] {
        let mut wire = Wire::new();
        for file in 0..count {
            let (file, message) = (u8::try_from(file).unwrap(), u64::try_from(file).unwrap());
            wire.exchange(
                &Smb2::new(9, message).asks(write_request(file, b"abc")),
                &Smb2::new(9, message).answers(write_response(3)),
            );
        }
        let said = wire.finish();
        assert_eq!(said.rows, vec!["write STATUS_SUCCESS action=write bytes=3"; count]);
        assert_eq!(said.weirds, vec![Weird::SmbTableFull; full]);
    }
}

#[test]
fn trees_and_sessions_beyond_the_bound_are_forgotten_with_a_weird() {
    for (extra, full) in [(0, 0), (1, 1)] {
        let mut wire = Wire::new();
        for tree in 0..SMB_TREES + extra {
            let header = Smb2 { tree: u32::try_from(tree).unwrap(), ..Smb2::new(3, 1) };
            wire.exchange(
                &header.asks(tree_request("s")),
                &header.answers(Fields::new().u16(16).u8(1).zeros(13)),
            );
        }
        for session in 0..SMB_SESSIONS + extra {
            let header = Smb2 { session: u64::try_from(session).unwrap(), ..Smb2::new(1, 1) };
            let body = || Fields::new().u16(25).zeros(22);
            wire.exchange(&header.asks(body()), &header.answers(body()));
        }
        assert_eq!(wire.finish().weirds, vec![Weird::SmbTableFull; full * 2]);
    }
}

#[test]
fn full_tables_keep_to_the_memory_that_the_module_states() {
    let entries = SMB_PENDING * size_of::<(Pair, Pending)>()
        + SMB_EARLY * size_of::<(Pair, Answer)>()
        + SMB_OPEN_FILES * size_of::<(FileKey, OpenFile)>()
        + SMB_TREES * size_of::<((u64, u32), Tree)>()
        + SMB_SESSIONS * size_of::<(u64, Session)>();
    let names =
        SMB_PENDING_TEXT_BYTES + SMB_FILE_TEXT_BYTES + SMB_TREE_TEXT_BYTES + SMB_SESSION_TEXT_BYTES;
    assert!(entries + names <= 80 * 1024, "{entries} and {names}");
}
