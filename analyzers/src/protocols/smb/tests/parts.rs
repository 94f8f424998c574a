//! The parts: names, tokens, binds, statuses, tables.

use super::super::credentials::{Identity, identity};
use super::super::dcerpc::{Call, call};
use super::super::name::{Encoding, name, path};
use super::super::operations;
use super::super::status;
use super::super::table::{Bounds, Table, Weighed, weight};
use super::*;
use crate::limits::SMB_NAME_BYTES;
use crate::text::Text;

/// `svcctl`'s UUID as it stands on the wire of a little-endian client.
const SVCCTL: [u8; 16] =
    [0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0, 0x10, 0x03];

fn bind(kind: u8, representation: u8, contexts: u8, interface: &[u8; 16]) -> Vec<u8> {
    Fields::new()
        .bytes(&[5, 0, kind, 3, representation, 0, 0, 0])
        .zeros(16)
        .u8(contexts)
        .zeros(3 + 4)
        .bytes(interface)
        .zeros(24)
        .0
}

/// The interface that a bind names first.
fn bound_interface(bytes: &[u8]) -> Option<Text> {
    match call(bytes)? {
        Call::Bind(mut contexts) => contexts.pop().map(|(_, interface)| interface),
        Call::Request { .. } => None,
    }
}

/// A request that calls `opnum` of context 0.
pub(super) fn rpc_request(flags: u8, opnum: usize) -> Vec<u8> {
    let header = Fields::new().bytes(&[5, 0, 0, flags, 0x10, 0, 0, 0]).zeros(8);
    header.u32(100).u16(0).u16(opnum).zeros(100).0
}

#[test]
fn a_request_tells_the_operation_that_it_calls_in_its_first_fragment() {
    let whole = rpc_request(3, 12);
    let big_endian = [&[5, 0, 0, 3, 0, 0, 0, 0][..], &[0; 12], &[0, 1, 0, 12]].concat();
    for (bytes, expected) in [
        (&whole[..], Some(Call::Request { context: 0, opnum: 12 })),
        (&rpc_request(1, 12), Some(Call::Request { context: 0, opnum: 12 })),
        (&rpc_request(2, 12), None),
        (&big_endian, Some(Call::Request { context: 1, opnum: 12 })),
        (&whole[..23], None),
        (&[4, 0, 0, 3][..], None),
    ] {
        assert_eq!(call(bytes), expected);
    }
}

#[test]
fn operations_have_names_where_they_matter() {
    for (interface, opnum, expected) in [
        ("svcctl", 12, Some("CreateServiceW")),
        ("svcctl", 19, Some("StartServiceW")),
        ("atsvc", 0, Some("JobAdd")),
        ("itaskschedulerservice", 1, Some("SchRpcRegisterTask")),
        ("9556dc99-828c-11cf-a37e-00aa003240c7", 24, Some("ExecMethod")),
        ("drsuapi", 3, Some("DsGetNCChanges")),
        ("svcctl", 9_999, None),
        ("367abb81-9844-35f1-ad32-98f038001003", 12, None),
    ] {
        assert_eq!(operations::name(interface.as_bytes(), opnum), expected);
    }
}

pub(super) fn svcctl_bind() -> Vec<u8> {
    bind(11, 0x10, 1, &SVCCTL)
}

fn said(text: Option<Text>) -> Option<String> {
    text.map(|text| text.escaped().into_owned())
}

#[test]
fn a_bind_tells_its_interface_in_either_byte_order() {
    let mut big = SVCCTL;
    big[..4].reverse();
    big[4..6].reverse();
    big[6..8].reverse();
    let unknown = "01010101-0101-0101-0101-010101010101";
    for (bytes, expected) in [
        (bind(11, 0x10, 1, &SVCCTL), Some("svcctl")),
        (bind(14, 0x10, 1, &SVCCTL), Some("svcctl")),
        (bind(11, 0x00, 1, &big), Some("svcctl")),
        (bind(11, 0x10, 1, &[1; 16]), Some(unknown)),
        // Some clients set no flags.
        ([&[5, 0, 11, 0], &svcctl_bind()[4..]].concat(), Some("svcctl")),
        (bind(11, 0x10, 0, &SVCCTL), None),
        (bind(0, 0x10, 1, &SVCCTL), None),
        (bind(11, 0x10, 1, &SVCCTL)[..47].to_vec(), None),
        (vec![], None),
    ] {
        assert_eq!(said(bound_interface(&bytes)).as_deref(), expected);
    }
}

#[test]
fn names_end_at_nul_and_keep_what_is_odd() {
    for (bytes, encoding, expected) in [
        (utf16("naïve\0gone"), Encoding::Utf16, Some("naïve")),
        (b"a\0b".to_vec(), Encoding::Oem, Some("a")),
        (b"caf\xe9".to_vec(), Encoding::Oem, Some("caf\\xe9")),
        (vec![0x3d, 0xd8, 0x00, 0xde], Encoding::Utf16, Some("😀")),
        (vec![0x3d, 0xd8, b'a', 0], Encoding::Utf16, Some("\\xed\\xa0\\xbda")),
        (vec![b'a', 0, b'b'], Encoding::Utf16, Some("a")),
        (vec![], Encoding::Utf16, None),
        (vec![0, 0], Encoding::Utf16, None),
    ] {
        assert_eq!(said(name(&bytes, encoding)).as_deref(), expected);
    }
}

#[test]
fn paths_lose_their_leading_backslashes() {
    for (bytes, expected) in
        [(&b"\\a\\b"[..], Some("a\\b")), (b"a\\b", Some("a\\b")), (b"\\\\", None), (b"", None)]
    {
        assert_eq!(said(path(bytes, Encoding::Oem)).as_deref(), expected);
    }
}

#[test]
fn a_name_is_cut_at_its_bound_and_that_is_a_weird() {
    for (length, weirds) in [
        (SMB_NAME_BYTES - 1, &[][..]),
        (SMB_NAME_BYTES, &[Weird::SmbNameTooLong]),
        (SMB_NAME_BYTES + 1, &[Weird::SmbNameTooLong]),
    ] {
        let long = "x".repeat(length);
        assert_eq!(
            name(&utf16(&long), Encoding::Utf16).unwrap().as_bytes().len(),
            length.min(SMB_NAME_BYTES)
        );
        let mut wire = Wire::new();
        wire.send(CLIENT, &Smb2::new(5, 2).asks(create_request(&long, 1, 0)));
        assert_eq!(wire.finish().weirds, weirds, "{length}");
    }
}

/// An AUTHENTICATE message whose payload begins at byte 64.
fn authenticate(flags: u32, domain: &[u8], user: &[u8], workstation: &[u8]) -> Vec<u8> {
    let mut fields = Fields::new().bytes(b"NTLMSSP\0").u32(3).zeros(16);
    let mut at = 64;
    for name in [domain, user, workstation] {
        fields = fields.u16(name.len()).u16(name.len()).u32(u32::try_from(at).unwrap());
        at += name.len();
    }
    fields.zeros(8).u32(flags).bytes(domain).bytes(user).bytes(workstation).0
}

fn challenge(pairs: &[u8], target: &[u8]) -> Vec<u8> {
    let at = 48 + u32::try_from(target.len()).unwrap();
    Fields::new()
        .bytes(b"NTLMSSP\0")
        .u32(2)
        .u16(target.len())
        .u16(0)
        .u32(48)
        .u32(1)
        .zeros(16)
        .u16(pairs.len())
        .u16(0)
        .u32(at)
        .bytes(target)
        .bytes(pairs)
        .0
}

fn names(identity: &Identity) -> [Option<String>; 4] {
    let Identity { user, domain, workstation, target } = identity.clone();
    [said(user), said(domain), said(workstation), said(target)]
}

#[test]
fn an_authenticate_message_tells_who_logs_on_from_where() {
    let unicode = authenticate(1, &utf16("DOM"), &utf16("müller"), &utf16("PC"));
    let wrapped = [&b"\x60\x82\x01\x00 some DER "[..], &unicode].concat();
    let oem = authenticate(0, b"DOM", b"m\xfcller", b"PC");
    for (token, user) in [(unicode, "müller"), (wrapped, "müller"), (oem, "m\\xfcller")] {
        let expected = [Some(user), Some("DOM"), Some("PC"), None];
        assert_eq!(names(&identity(&token).unwrap()), expected.map(|name| name.map(str::to_owned)));
    }
    let anonymous = authenticate(1, b"", b"", b"");
    assert_eq!(identity(&anonymous), Ok(Identity::default()));
}

#[test]
fn an_authenticate_message_with_one_bad_field_tells_the_others() {
    let mut token = authenticate(0, b"DOM", b"user", b"PC");
    token[28 + 4] = 0xff;
    assert_eq!(names(&identity(&token).unwrap())[..2], [Some("user".to_owned()), None]);
    assert!(identity(&token[..40]).is_err());
}

#[test]
fn a_challenge_tells_the_servers_name_as_well_as_it_can() {
    let pair = |id: usize, text: &str| {
        let value = utf16(text);
        Fields::new().u16(id).u16(value.len()).bytes(&value).0
    };
    let end = pair(0, "");
    let both = [pair(2, "DOM"), pair(1, "SRV"), pair(3, "srv.dom.example"), end.clone()].concat();
    for (token, target) in [
        (challenge(&both, &utf16("DOM")), Some("srv.dom.example")),
        (challenge(&[pair(1, "SRV"), end.clone(), pair(3, "late")].concat(), b""), Some("SRV")),
        (challenge(&end, &utf16("DOM")), Some("DOM")),
        (challenge(&[1, 0, 200, 0, b'S', 0], b""), Some("S")),
        (challenge(b"", b""), None),
    ] {
        assert_eq!(names(&identity(&token).unwrap())[3].as_deref(), target);
    }
}

/// A DER element of fewer than 128 bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()][..], content].concat()
}

#[test]
fn a_kerberos_request_tells_the_realm() {
    let number = |tag, value| der(tag, &der(2, &[value]));
    let realm = der(0xa1, &der(0x1b, b"DOM.EXAMPLE"));
    let ticket = der(0x61, &der(0x30, &[number(0xa0, 5), realm].concat()));
    let options = der(0xa2, &der(3, &[0; 5]));
    let request = [number(0xa0, 5), number(0xa1, 14), options, der(0xa3, &ticket)].concat();
    let mechanism = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00];
    let token = [&mechanism[..], &der(0x6e, &der(0x30, &request))].concat();
    assert_eq!(names(&identity(&token).unwrap())[1].as_deref(), Some("DOM.EXAMPLE"));
    for cut in mechanism.len() + 1..token.len() {
        assert!(identity(&token[..cut]).is_err(), "{cut}");
    }
    let mut wrong = token;
    wrong[15] = 0x31;
    assert!(identity(&wrong).is_err());
    assert_eq!(identity(b"no mechanism"), Ok(Identity::default()));
}

#[test]
fn statuses_have_names_in_ascending_order() {
    assert!(status::NAMES.is_sorted_by(|a, b| a.0 < b.0));
    for (code, expected) in [
        (0, "STATUS_SUCCESS"),
        (0xc000_006d, "STATUS_LOGON_FAILURE"),
        (0x0005_0002, "STATUS_SMB_BAD_TID"),
        (0xdead_beef, "0xdeadbeef"),
        (0x0002_0001, "0x00020001"),
    ] {
        assert_eq!(status::name(code).escaped(), expected);
    }
}

impl Weighed for Text {
    fn text_bytes(&self) -> usize {
        weight(Some(self))
    }
}

#[test]
fn a_table_sheds_the_least_recently_used_entry_at_either_bound() {
    for (entries, text_bytes, expected) in
        [(2, 100, Some(2)), (3, 100, None), (3, 9, None), (3, 8, Some(2)), (3, 3, Some(2))]
    {
        let mut table = Table::new(Bounds { entries, text_bytes });
        table.insert(1, Text::wire(b"abc"));
        table.insert(2, Text::wire(b"abc"));
        table.entry(1, || Text::Word("not made"));
        table.insert(3, Text::wire(b"abc"));
        assert_eq!(table.overflow().map(|(key, _)| key), expected, "{entries} {text_bytes}");
    }
}

#[test]
fn one_entry_may_be_heavier_than_its_table() {
    let mut table = Table::new(Bounds { entries: 3, text_bytes: 1 });
    table.insert(1, Text::wire(b"abc"));
    assert!(table.overflow().is_none());
    assert_eq!(table.insert(1, Text::wire(b"d")), Some(Text::wire(b"abc")));
}
