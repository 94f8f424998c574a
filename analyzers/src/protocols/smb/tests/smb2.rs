//! SMB 2 and 3: what requests and responses leave behind.

use super::*;

const ASYNC: u32 = 2;

fn opened(wire: &mut Wire, path: &str) {
    wire.exchange(
        &Smb2::new(3, 1).asks(tree_request("\\\\srv\\data")),
        &Smb2::new(3, 1).answers(Fields::new().u16(16).u8(1).zeros(13)),
    );
    wire.exchange(
        &Smb2::new(5, 2).asks(create_request(path, 3, 0)),
        &Smb2::new(5, 2).answers(create_response(7, 2)),
    );
}

#[test]
fn a_file_that_is_made_written_and_closed_leaves_one_row_for_all_its_writes() {
    let mut wire = Wire::new();
    opened(&mut wire, "dir\\a.txt");
    for message in 3..6 {
        wire.exchange(
            &Smb2::new(9, message).asks(write_request(7, b"hello")),
            &Smb2::new(9, message).answers(write_response(5)),
        );
    }
    wire.exchange(
        &Smb2::new(6, 9).asks(close_request(7)),
        &Smb2::new(6, 9).answers(Fields::new().u16(60).zeros(58)),
    );
    let said = wire.finish();
    let tree = "tree=\\\\srv\\data share_type=disk path=dir\\a.txt";
    assert_eq!(
        said.rows,
        [
            "tree_connect STATUS_SUCCESS tree=\\\\srv\\data share_type=disk".to_owned(),
            format!("create STATUS_SUCCESS {tree} action=create"),
            format!("write STATUS_SUCCESS {tree} action=write bytes=15"),
            format!("close STATUS_SUCCESS {tree}"),
        ]
    );
    assert_eq!(said.times, [1, 3, 5, 11], "a row's time is its first request's");
    assert_eq!(said.weirds, []);
}

#[test]
fn an_open_that_fails_says_what_was_asked() {
    for (disposition, action) in [(1, "open"), (2, "create"), (5, "overwrite")] {
        let mut wire = Wire::new();
        wire.exchange(
            &Smb2::new(5, 2).asks(create_request("a", disposition, 0)),
            &Smb2::new(5, 2).status(0xc000_0022).answers(Fields::new().u16(9).zeros(7)),
        );
        let row = format!("create STATUS_ACCESS_DENIED path=a action={action}");
        assert_eq!(wire.finish().rows, [row]);
    }
}

#[test]
fn requests_alone_leave_rows_without_a_status() {
    let mut wire = Wire::new();
    wire.send(CLIENT, &Smb2::new(5, 2).asks(create_request("a", 1, 0)));
    wire.send(CLIENT, &Smb2::new(9, 3).asks(write_request(7, b"hello")));
    wire.send(CLIENT, &Smb2::new(6, 4).asks(close_request(7)));
    assert_eq!(
        wire.finish().rows,
        ["create path=a action=open", "write action=write bytes=5", "close"]
    );
}

#[test]
fn responses_alone_leave_rows_without_names() {
    let mut wire = Wire::new();
    wire.send(SERVER, &Smb2::new(5, 2).answers(create_response(7, 1)));
    wire.send(SERVER, &Smb2::new(9, 3).answers(write_response(5)));
    wire.send(SERVER, &Smb2::new(0x0b, 4).answers(Fields::new().u16(49)));
    let rows = wire.finish().rows;
    assert_eq!(
        rows,
        ["create STATUS_SUCCESS action=open", "write STATUS_SUCCESS action=write bytes=5"]
    );
}

#[test]
fn a_compound_works_on_the_file_that_it_opens() {
    let mut wire = Wire::new();
    let all = [0xff; 16];
    let delete = Fields::new().u16(33).u8(1).u8(13).u32(1).u16(64 + 32).zeros(6).bytes(&all).u8(1);
    wire.send(
        CLIENT,
        &compound(
            0,
            &[
                (Smb2::new(5, 2), create_request("a", 1, 0)),
                (Smb2::new(0x11, 3).related(), delete),
                (Smb2::new(6, 4).related(), close_request(0xff)),
            ],
        ),
    );
    wire.send(
        SERVER,
        &compound(
            1,
            &[
                (Smb2::new(5, 2), create_response(7, 1)),
                (Smb2::new(0x11, 3), Fields::new().u16(2)),
                (Smb2::new(6, 4), Fields::new().u16(60).zeros(58)),
            ],
        ),
    );
    assert_eq!(
        wire.finish().rows,
        [
            "create STATUS_SUCCESS path=a action=open",
            "set_info STATUS_SUCCESS path=a action=delete",
            "close STATUS_SUCCESS path=a",
        ]
    );
}

#[test]
fn a_compound_whose_create_fails_has_nothing_to_close() {
    let mut wire = Wire::new();
    let error = || Fields::new().u16(9).zeros(7);
    wire.send(
        CLIENT,
        &compound(
            0,
            &[
                (Smb2::new(5, 2), create_request("a", 1, 0)),
                (Smb2::new(6, 3).related(), close_request(0xff)),
            ],
        ),
    );
    let failed = |command, message| Smb2::new(command, message).status(0xc000_0034);
    wire.send(SERVER, &compound(1, &[(failed(5, 2), error()), (failed(6, 3), error())]));
    let row = "create STATUS_OBJECT_NAME_NOT_FOUND path=a action=open";
    assert_eq!(wire.finish().rows, [row]);
}

#[test]
fn the_final_response_of_an_asynchronous_request_counts() {
    let mut wire = Wire::new();
    wire.send(CLIENT, &Smb2::new(5, 2).asks(create_request("a", 1, 0)));
    let interim = Smb2 { flags: ASYNC, ..Smb2::new(5, 2) };
    wire.send(SERVER, &interim.status(0x103).answers(Fields::new().u16(9).zeros(7)));
    wire.send(SERVER, &interim.answers(create_response(7, 1)));
    assert_eq!(wire.finish().rows, ["create STATUS_SUCCESS path=a action=open"]);
}

#[test]
fn a_renamed_file_goes_by_its_new_name() {
    let mut wire = Wire::new();
    opened(&mut wire, "old");
    let name = utf16("new");
    let body = Fields::new()
        .u16(33)
        .u8(1)
        .u8(10)
        .u32(26)
        .u16(64 + 32)
        .zeros(6)
        .bytes(&[7; 16])
        .zeros(16)
        .u32(6)
        .bytes(&name);
    wire.exchange(
        &Smb2::new(0x11, 4).asks(body),
        &Smb2::new(0x11, 4).answers(Fields::new().u16(2)),
    );
    wire.exchange(
        &Smb2::new(6, 5).asks(close_request(7)),
        &Smb2::new(6, 5).answers(Fields::new().u16(60).zeros(58)),
    );
    let rows = wire.finish().rows;
    let tree = "STATUS_SUCCESS tree=\\\\srv\\data share_type=disk";
    assert_eq!(
        rows[2..],
        [
            format!("set_info {tree} path=old action=rename renamed_to=new"),
            format!("close {tree} path=new"),
        ]
    );
}

#[test]
fn a_file_opened_to_be_deleted_is_deleted_when_it_is_closed() {
    for (status, close) in [
        (0, "close STATUS_SUCCESS path=a action=delete"),
        (0xc000_0128, "close STATUS_FILE_CLOSED path=a"),
    ] {
        let mut wire = Wire::new();
        wire.exchange(
            &Smb2::new(5, 2).asks(create_request("a", 1, 0x1000)),
            &Smb2::new(5, 2).answers(create_response(7, 1)),
        );
        wire.exchange(
            &Smb2::new(6, 3).asks(close_request(7)),
            &Smb2::new(6, 3).status(status).answers(Fields::new().u16(9).zeros(7)),
        );
        assert_eq!(wire.finish().rows[1], close);
    }
}

#[test]
fn a_bind_names_the_pipe_service_of_what_follows() {
    let mut wire = Wire::new();
    opened(&mut wire, "svcctl");
    let bind = parts::svcctl_bind();
    wire.exchange(
        &Smb2::new(9, 3).asks(write_request(7, &bind)),
        &Smb2::new(9, 3).answers(write_response(72)),
    );
    let ioctl = Fields::new().u16(57).zeros(2).u32(0x0011_c017).bytes(&[7; 16]).u32(120).zeros(28);
    wire.exchange(
        &Smb2::new(0x0b, 4).asks(ioctl),
        &Smb2::new(0x0b, 4).answers(Fields::new().u16(49)),
    );
    let rows = wire.finish().rows;
    let pipe = "tree=\\\\srv\\data share_type=disk path=svcctl";
    assert_eq!(rows[2], format!("ioctl STATUS_SUCCESS {pipe} pipe_service=svcctl"));
    assert_eq!(
        rows[3],
        format!("write STATUS_SUCCESS {pipe} action=write bytes=72 pipe_service=svcctl")
    );
}

#[test]
fn a_name_outside_its_message_is_a_weird_and_the_row_stays() {
    let mut wire = Wire::new();
    let mut request = Smb2::new(5, 2).asks(create_request("abc", 1, 0));
    request[4 + 64 + 46] = 200;
    wire.exchange(&request, &Smb2::new(5, 2).answers(create_response(7, 1)));
    let said = wire.finish();
    assert_eq!(said.rows, ["create STATUS_SUCCESS action=open"]);
    assert_eq!(said.weirds, [Weird::SmbMalformed]);
}

#[test]
fn a_response_before_its_request_is_paired_within_the_skew_of_two_taps() {
    for (behind, rows) in [
        (9, &["create STATUS_SUCCESS path=a action=open"][..]),
        (10, &["create STATUS_SUCCESS action=open", "create path=a action=open"]),
    ] {
        let mut wire = Wire::new();
        wire.send(SERVER, &Smb2::new(5, 2).answers(create_response(7, 1)));
        wire.now += behind;
        wire.send(CLIENT, &Smb2::new(5, 2).asks(create_request("a", 1, 0)));
        assert_eq!(wire.finish().rows, rows);
    }
}

#[test]
fn an_encrypted_session_leaves_one_row_however_much_it_says() {
    let mut wire = Wire::new();
    let sealed = |session: u8| {
        let transform = Fields::new().bytes(b"\xfdSMB").zeros(32).u32(200).zeros(4);
        frame(&transform.bytes(&[session; 8]).zeros(200).0)
    };
    for session in [1, 1, 2, 1] {
        wire.exchange(&sealed(session), &sealed(session));
    }
    let said = wire.finish();
    assert_eq!(said.rows, ["encrypted", "encrypted"]);
    assert_eq!(said.weirds, []);
}

#[test]
fn a_compressed_message_shows_what_it_left_plain() {
    let plain = Smb2::new(5, 2).message(0, 0, &create_request("a", 1, 0).0);
    let compressed = |original: u32, offset: u32, rest: &[u8]| {
        let header = Fields::new().bytes(b"\xfcSMB").u32(original).u16(1).u16(0).u32(offset);
        frame(&header.bytes(rest).0)
    };
    let length = u32::try_from(plain.len()).unwrap();
    let create = ["create path=a action=open"];
    for (bytes, rows, weirds) in [
        (compressed(999, length, &plain), &create[..], &[][..]),
        (compressed(999, 63, &plain), &[], &[Weird::SmbCompressed]),
        (compressed(999, 0, &plain), &[], &[Weird::SmbCompressed]),
        (compressed(u32::MAX - 10, 10, &plain), &[], &[Weird::SmbCompressed]),
        (compressed(u32::MAX - 10, 11, &plain), &[], &[Weird::SmbCompressionOverflow]),
    ] {
        let mut wire = Wire::new();
        wire.send(CLIENT, &bytes);
        let said = wire.finish();
        assert_eq!(said.rows, rows);
        assert_eq!(said.weirds, weirds);
    }
}
