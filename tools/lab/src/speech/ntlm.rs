//! NTLM messages (MS-NLMP §2.2.1): as much as names who logs on where.

use super::fields::{Fields, long, short, utf16};

/// Who logs on.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Domain.
    pub domain: &'a str,
    /// User.
    pub user: &'a str,
    /// From which machine.
    pub workstation: &'a str,
}

/// Unicode, NTLM, target information.
const FLAGS: u32 = 0x0080_0201;

/// The first message.
#[must_use]
pub fn negotiate() -> Vec<u8> {
    Fields::default().bytes(b"NTLMSSP\0").u32(1).u32(FLAGS).zeros(16).0
}

/// What the server answers.
#[must_use]
pub fn challenge(server: &str) -> Vec<u8> {
    const COMPUTER: u16 = 1;
    let name = utf16(server);
    let pairs = Fields::default().u16(COMPUTER).u16(short(name.len())).bytes(&name).zeros(4).0;
    let at = 56 + long(name.len());
    Fields::default()
        .bytes(b"NTLMSSP\0")
        .u32(2)
        .u16(short(name.len()))
        .u16(short(name.len()))
        .u32(56)
        .u32(FLAGS)
        .bytes(&[0x31; 8])
        .zeros(8)
        .u16(short(pairs.len()))
        .u16(short(pairs.len()))
        .u32(at)
        .bytes(&[10, 0, 0x61, 0x4a, 0, 0, 0, 15])
        .bytes(&name)
        .bytes(&pairs)
        .0
}

/// What names the user. Its proof is noise.
#[must_use]
pub fn authenticate(account: Account<'_>) -> Vec<u8> {
    const PROOF: [u8; 24] = [0x77; 24];
    const PAYLOAD: u32 = 64;
    let names = [account.domain, account.user, account.workstation].map(utf16);
    let mut fields = Fields::default().bytes(b"NTLMSSP\0").u32(3);
    let mut at = PAYLOAD;
    for length in [PROOF.len(), PROOF.len()].into_iter().chain(names.iter().map(Vec::len)) {
        fields = fields.u16(short(length)).u16(short(length)).u32(at);
        at += long(length);
    }
    fields = fields.u16(0).u16(0).u32(at).u32(FLAGS).bytes(&PROOF).bytes(&PROOF);
    names.iter().fold(fields, |fields, name| fields.bytes(name)).0
}
