//! What connection request and confirm carry (MS-RDPBCGR §2.2.1.1, §2.2.1.2): a cookie or routing
//! token, the security protocols asked for, and the one that the server chose or why it refused.

use crate::limits::RDP_COOKIE_BYTES;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// Types of the structures behind the cookie, and their common length.
const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const FAILURE: u8 = 3;
const STRUCTURE_BYTES: u16 = 8;

/// Before the user's name in a cookie.
const COOKIE: &[u8] = b"Cookie: mstshash=";

/// Security protocols by their bit.
const PROTOCOLS: [(u32, &str); 5] =
    [(0x01, "ssl"), (0x02, "hybrid"), (0x04, "rdstls"), (0x08, "hybrid_ex"), (0x10, "rdsaad")];

/// The bits of those under which a password is checked before the first picture.
pub(super) const CREDENTIALS_FIRST: u32 = 0x1e;

/// The name of standard RDP security, which has no bit.
const STANDARD: &str = "rdp";

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// The user's name, as far as the client tells it.
    pub(super) cookie: Option<Text>,
    /// Security protocols it offers, as bits; older clients do not say.
    pub(super) protocols: Option<u32>,
    /// What could not be read.
    pub(super) malformed: Option<Malformed>,
}

impl Request {
    /// Reads the user data of a connection request.
    pub(super) fn read(user_data: &[u8]) -> Self {
        let mut request = Self::default();
        request.malformed = request.fill(user_data).err();
        request
    }

    fn fill(&mut self, user_data: &[u8]) -> Result<(), Malformed> {
        let mut r = Reader::new(user_data);
        if !matches!(r.peek(), None | Some(REQUEST)) {
            let line_bytes = memchr::memmem::find(r.rest(), b"\r\n");
            let line = r.sub_lax(line_bytes.unwrap_or(user_data.len())).whole();
            self.cookie = cookie(line);
            r.skip(2, "cookie's end")?;
        }
        if !r.is_empty() {
            self.protocols = Some(structure(&mut r, REQUEST)?);
        }
        Ok(())
    }
}

/// The user's name in a cookie line; a routing token names a server instead.
fn cookie(line: &[u8]) -> Option<Text> {
    let (prefix, user) = line.split_at_checked(COOKIE.len())?;
    let user = user.get(..user.len().min(RDP_COOKIE_BYTES))?;
    (prefix.eq_ignore_ascii_case(COOKIE) && !user.is_empty()).then(|| Text::wire(user))
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The security protocol it chose; a server without a word about it means the standard one.
    Selected(u32),
    /// Why it refused.
    Failure(u32),
}

impl Answer {
    /// Reads the user data of a connection confirm.
    ///
    /// # Errors
    /// It is neither empty nor an answer.
    pub(super) fn read(user_data: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(user_data);
        match r.peek() {
            None => Ok(Self::Selected(0)),
            Some(FAILURE) => structure(&mut r, FAILURE).map(Self::Failure),
            Some(_) => structure(&mut r, RESPONSE).map(Self::Selected),
        }
    }
}

/// The value of one structure: type, flags, length, 32 bits.
fn structure(r: &mut Reader<'_>, kind: u8) -> Result<u32, Malformed> {
    let offset = r.offset();
    if r.u8("negotiation type")? != kind {
        return Err(Malformed::bad_value("negotiation type", offset));
    }
    r.skip(1, "negotiation flags")?;
    let offset = r.offset();
    if r.u16_le("negotiation length")? != STRUCTURE_BYTES {
        return Err(Malformed::bad_length("negotiation length", offset));
    }
    r.u32_le("negotiation value")
}

/// The names of the protocols asked for, lowest bit first; bits without a name as one hex number.
pub(super) fn protocol_names(bits: u32) -> Vec<Text> {
    if bits == 0 {
        return vec![Text::Word(STANDARD)];
    }
    let known = PROTOCOLS.iter().filter(|(bit, _)| bits & bit != 0);
    let mut names: Vec<_> = known.map(|&(_, name)| Text::Word(name)).collect();
    let unnamed = PROTOCOLS.iter().fold(bits, |rest, (bit, _)| rest & !bit);
    if unnamed != 0 {
        names.push(Text::from(format!("0x{unnamed:x}")));
    }
    names
}

/// The name of the protocol that was chosen, else its hex number.
pub(super) fn protocol_name(value: u32) -> Text {
    if value == 0 {
        return Text::Word(STANDARD);
    }
    PROTOCOLS
        .iter()
        .find(|&&(bit, _)| bit == value)
        .map_or_else(|| Text::from(format!("0x{value:x}")), |&(_, name)| Text::Word(name))
}

/// The name of a failure code (MS-RDPBCGR §2.2.1.2.2), else its number.
pub(super) fn failure_name(code: u32) -> Text {
    Text::Word(match code {
        1 => "SSL_REQUIRED_BY_SERVER",
        2 => "SSL_NOT_ALLOWED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        other => return Text::from(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(bytes: &[u8]) -> (Option<String>, Option<u32>, Option<&'static str>) {
        let request = Request::read(bytes);
        (
            request.cookie.map(|cookie| cookie.escaped().into_owned()),
            request.protocols,
            request.malformed.map(|malformed| malformed.field),
        )
    }

    #[test]
    fn requests_tell_cookie_and_protocols() {
        let joe = || Some("joe".to_owned());
        for (bytes, expected) in [
            (&b""[..], (None, None, None)),
            (b"Cookie: mstshash=joe\r\n", (joe(), None, None)),
            (b"cookie: MSTSHASH=joe\r\n", (joe(), None, None)),
            (b"Cookie: mstshash=joe\r\n\x01\0\x08\0\x0b\0\0\0", (joe(), Some(11), None)),
            (b"\x01\0\x08\0\0\0\0\0", (None, Some(0), None)),
            (b"Cookie: msts=3640205228.15629.0\r\n\x01\0\x08\0\x03\0\0\0", (None, Some(3), None)),
            (b"tsv://MS Terminal Services Plugin.1.A\r\n", (None, None, None)),
            (b"Cookie: mstshash=\r\n", (None, None, None)),
        ] {
            assert_eq!(request(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn odd_requests_give_what_they_hold() {
        let joe = || Some("joe".to_owned());
        for (bytes, expected) in [
            (&b"Cookie: mstshash=joe"[..], (joe(), None, Some("cookie's end"))),
            (b"Cookie: mstshash=joe\r\n\x01\0\x08\0\x0b", (joe(), None, Some("negotiation value"))),
            (b"Cookie: mstshash=joe\r\n\x02\0\x08\0", (joe(), None, Some("negotiation type"))),
            (b"\x01\0\x09\0\0\0\0\0", (None, None, Some("negotiation length"))),
            (b"\x01", (None, None, Some("negotiation flags"))),
            (b"\xff\xff", (None, None, Some("cookie's end"))),
        ] {
            assert_eq!(request(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_cookie_is_kept_up_to_its_bound() {
        for len in [RDP_COOKIE_BYTES - 1, RDP_COOKIE_BYTES, RDP_COOKIE_BYTES + 1] {
            let line = [COOKIE, &vec![b'x'; len], b"\r\n"].concat();
            let kept = Request::read(&line).cookie.map(|cookie| cookie.as_bytes().len());
            assert_eq!(kept, Some(len.min(RDP_COOKIE_BYTES)));
        }
    }

    #[test]
    fn answers_choose_or_refuse() {
        for (bytes, expected) in [
            (&b""[..], Ok(Answer::Selected(0))),
            (b"\x02\x1f\x08\0\x08\0\0\0", Ok(Answer::Selected(8))),
            (b"\x03\0\x08\0\x05\0\0\0", Ok(Answer::Failure(5))),
            (b"\x01\0\x08\0\x05\0\0\0", Err("negotiation type")),
            (b"\x02\0\0\x08\x05\0\0\0", Err("negotiation length")),
            (b"\x03\0\x08\0\x05\0\0", Err("negotiation value")),
        ] {
            let answer = Answer::read(bytes).map_err(|malformed| malformed.field);
            assert_eq!(answer, expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn unknown_codes_keep_their_number() {
        assert_eq!(protocol_names(0), [Text::Word("rdp")]);
        let names = protocol_names(0x8000_000b);
        let names: Vec<_> = names.iter().map(Text::escaped).collect();
        assert_eq!(names, ["ssl", "hybrid", "hybrid_ex", "0x80000000"]);
        assert_eq!(protocol_name(3).escaped(), "0x3");
        assert_eq!(failure_name(6), Text::Word("SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER"));
        assert_eq!(failure_name(7).escaped(), "7");
    }
}
