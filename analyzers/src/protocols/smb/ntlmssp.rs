//! NTLMSSP: who logs on, and to whom.
//!
//! In: the bytes of a security token, wherever the messages stand in it. Out: the names that a
//! CHALLENGE or AUTHENTICATE message carries; never a hash or a response.
//! MS-NLMP 2.2.1.2 (CHALLENGE_MESSAGE), 2.2.1.3 (AUTHENTICATE_MESSAGE), 2.2.2.1 (AV_PAIR).

use super::name::{Encoding, name};
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

const SIGNATURE: &[u8] = b"NTLMSSP\0";
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;
const NEGOTIATE_UNICODE: u32 = 0x0000_0001;

/// `MsvAvEOL`, `MsvAvNbComputerName`, `MsvAvDnsComputerName`.
const AV_END: u16 = 0;
const AV_NETBIOS_COMPUTER: u16 = 1;
const AV_DNS_COMPUTER: u16 = 3;

/// AV pairs that are read; the specification knows eleven kinds.
const AV_PAIRS_MAX: usize = 16;

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    /// The server's computer name: DNS, else NetBIOS, else its target name.
    Challenge(Option<Text>),
    /// The client's names; all missing in an anonymous logon.
    Authenticate {
        /// Account.
        user: Option<Text>,
        /// Its domain.
        domain: Option<Text>,
        /// The client's own computer name.
        workstation: Option<Text>,
    },
}

/// The message inside `token`, which may be wrapped in SPNEGO.
///
/// # Errors
/// The message contradicts its lengths.
pub(super) fn message(token: &[u8]) -> Result<Option<Message>, Malformed> {
    let Some(at) = memchr::memmem::find(token, SIGNATURE) else { return Ok(None) };
    let mut whole = Reader::new(token);
    whole.skip(at, "security token")?;
    let mut r = Reader::new(whole.rest());
    r.skip(SIGNATURE.len(), "NTLMSSP signature")?;
    match r.u32_le("NTLMSSP message type")? {
        CHALLENGE => challenge(r).map(|target| Some(Message::Challenge(target))),
        AUTHENTICATE => authenticate(r).map(Some),
        _ => Ok(None),
    }
}

/// Length, allocated length and offset of a payload field; the field's bytes.
fn payload<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Malformed> {
    let length = usize::from(r.u16_le(field)?);
    r.skip(2, field)?;
    let offset = r.u32_le(field)? as usize;
    if length == 0 {
        return Ok(&[]);
    }
    let mut there = Reader::new(r.whole());
    there.seek(offset, field)?;
    there.take(length, field)
}

const fn encoding(flags: u32) -> Encoding {
    if flags & NEGOTIATE_UNICODE != 0 { Encoding::Utf16 } else { Encoding::Oem }
}

fn challenge(mut r: Reader<'_>) -> Result<Option<Text>, Malformed> {
    let target = payload(&mut r, "NTLM target name")?;
    let flags = r.u32_le("NTLM flags")?;
    r.skip(16, "NTLM challenge")?;
    // The oldest servers end here.
    let pairs = payload(&mut r, "NTLM target information").unwrap_or_default();
    Ok(computer(pairs).or_else(|| name(target, encoding(flags))))
}

/// The computer name among AV pairs, which are always Unicode.
fn computer(pairs: &[u8]) -> Option<Text> {
    let mut r = Reader::new(pairs);
    let mut netbios = None;
    for _ in 0..AV_PAIRS_MAX {
        let Ok(id) = r.u16_le("AV id") else { break };
        let Ok(length) = r.u16_le("AV length") else { break };
        let value = r.sub_lax(usize::from(length)).whole();
        match id {
            AV_END => break,
            AV_NETBIOS_COMPUTER => netbios = name(value, Encoding::Utf16),
            AV_DNS_COMPUTER => {
                if let dns @ Some(_) = name(value, Encoding::Utf16) {
                    return dns;
                }
            }
            _ => {}
        }
    }
    netbios
}

fn authenticate(mut r: Reader<'_>) -> Result<Message, Malformed> {
    r.skip(16, "LM and NT responses")?;
    let domain = payload(&mut r, "NTLM domain");
    let user = payload(&mut r, "NTLM user");
    let workstation = payload(&mut r, "NTLM workstation");
    r.skip(8, "NTLM session key")?;
    let encoding = encoding(r.u32_le("NTLM flags")?);
    let text = |field: Result<&[u8], Malformed>| field.ok().and_then(|bytes| name(bytes, encoding));
    Ok(Message::Authenticate {
        user: text(user),
        domain: text(domain),
        workstation: text(workstation),
    })
}
