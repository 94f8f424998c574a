//! Header fields that are kept or that frame a message, the same for HTTP/1 and HTTP/2.
//! In: names and values as sent. Out: [`Fields`]. RFC 9110; Basic and Digest: RFC 7617, RFC 7616.

use super::content::Coding;
use crate::limits::HTTP_HEAD_KEPT_BYTES;
use crate::text::Text;

/// A field that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldName {
    Host,
    UserAgent,
    Referer,
    Origin,
    ForwardedFor,
    Authorization,
    ProxyAuthorization,
    ContentType,
    ContentLength,
    ContentEncoding,
    ContentRange,
    TransferEncoding,
    Server,
    Upgrade,
    Expect,
}

const NAMES: &[(&[u8], FieldName)] = &[
    (b"host", FieldName::Host),
    (b"user-agent", FieldName::UserAgent),
    (b"referer", FieldName::Referer),
    (b"origin", FieldName::Origin),
    (b"x-forwarded-for", FieldName::ForwardedFor),
    (b"authorization", FieldName::Authorization),
    (b"proxy-authorization", FieldName::ProxyAuthorization),
    (b"content-type", FieldName::ContentType),
    (b"content-length", FieldName::ContentLength),
    (b"content-encoding", FieldName::ContentEncoding),
    (b"content-range", FieldName::ContentRange),
    (b"transfer-encoding", FieldName::TransferEncoding),
    (b"server", FieldName::Server),
    (b"upgrade", FieldName::Upgrade),
    (b"expect", FieldName::Expect),
];

impl FieldName {
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }
}

/// What the Transfer-Encoding field says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TransferCoding {
    /// No such field.
    #[default]
    None,
    /// Chunked comes last, as it must.
    Chunked,
    /// Something else comes last.
    Other,
}

/// What the client asks to change to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// HTTP/2 without TLS.
    Http2,
    /// WebSocket.
    WebSocket,
    /// Anything else.
    Other,
}

/// Whether the lengths of a head agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lengths {
    #[default]
    Agree,
    /// Two Content-Length values differ, or one is no number.
    Contradict,
}

/// How much of a file a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Extent {
    /// A part, or several (RFC 9110 section 14), as far as the head tells.
    #[default]
    Part,
    /// All of it, from the first byte to the last.
    Whole,
}

/// What is kept of one head.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) host: Option<Text>,
    pub(super) user_agent: Option<Text>,
    pub(super) referrer: Option<Text>,
    pub(super) origin: Option<Text>,
    pub(super) forwarded_for: Option<Text>,
    pub(super) username: Option<Text>,
    pub(super) content_type: Option<Text>,
    pub(super) server: Option<Text>,
    pub(super) content_length: Option<u64>,
    pub(super) lengths: Lengths,
    pub(super) transfer_coding: TransferCoding,
    pub(super) codings: Vec<Coding>,
    /// What Content-Range says, which means something in an answer of 206 alone.
    pub(super) range: Extent,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) expects_continue: bool,
    /// Bytes of values that were kept; at most [`HTTP_HEAD_KEPT_BYTES`].
    kept_bytes: usize,
    /// Whether a value was cut by that bound.
    pub(super) cut: bool,
}

impl Fields {
    /// Takes one field; the first of several counts, except where the specification joins them.
    pub(super) fn take(&mut self, name: FieldName, value: &[u8]) {
        match name {
            FieldName::Host => self.take_host(value),
            FieldName::UserAgent if self.user_agent.is_none() => self.user_agent = self.keep(value),
            FieldName::Referer if self.referrer.is_none() => self.referrer = self.keep(value),
            FieldName::Origin if self.origin.is_none() => self.origin = self.keep(value),
            FieldName::Server if self.server.is_none() => self.server = self.keep(value),
            FieldName::ContentType if self.content_type.is_none() => {
                self.content_type = self.keep(&media_type(value));
            }
            FieldName::ForwardedFor => {
                self.forwarded_for = self.joined(self.forwarded_for.clone(), b", ", value);
            }
            FieldName::Authorization => {
                self.username = user_name(value).and_then(|name| self.keep(&name));
            }
            FieldName::ProxyAuthorization if self.username.is_none() => {
                self.username = user_name(value).and_then(|name| self.keep(&name));
            }
            FieldName::ContentLength => self.take_length(value),
            FieldName::ContentEncoding => {
                self.codings.extend(tokens(value).filter_map(Coding::named));
            }
            FieldName::ContentRange => self.range = extent(value),
            FieldName::TransferEncoding => self.take_transfer_encoding(value),
            FieldName::Upgrade if self.upgrade.is_none() => self.upgrade = upgrade(value),
            FieldName::Expect => {
                self.expects_continue = value.eq_ignore_ascii_case(b"100-continue")
            }
            _ => {}
        }
    }

    /// Adds a folded line to the field before it (obs-fold, RFC 9112 section 5.2).
    pub(super) fn fold(&mut self, name: FieldName, more: &[u8]) {
        match name {
            FieldName::Host => self.host = self.joined(self.host.clone(), b" ", more),
            FieldName::UserAgent => {
                self.user_agent = self.joined(self.user_agent.clone(), b" ", more);
            }
            FieldName::Referer => self.referrer = self.joined(self.referrer.clone(), b" ", more),
            FieldName::Origin => self.origin = self.joined(self.origin.clone(), b" ", more),
            FieldName::Server => self.server = self.joined(self.server.clone(), b" ", more),
            FieldName::ContentLength => self.lengths = Lengths::Contradict,
            // An empty first line is how long tokens are hidden from those who do not unfold.
            _ => self.take(name, more),
        }
    }

    /// A host without the user information that `:authority` may carry: it may hold a password.
    fn take_host(&mut self, value: &[u8]) {
        if self.host.is_none() {
            let host = value.rsplit(|&byte| byte == b'@').next().unwrap_or(value);
            self.host = self.keep(host);
        }
    }

    /// The last of several lengths counts, as most receivers have it.
    fn take_length(&mut self, value: &[u8]) {
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = value.split_at_checked(digits).unwrap_or_default();
        let length = decimal(digits);
        let differs = self.content_length.is_some() && self.content_length != length;
        if differs || length.is_none() || !rest.is_empty() {
            self.lengths = Lengths::Contradict;
        }
        self.content_length = length.or(self.content_length);
    }

    /// Chunked counts wherever it stands; by the specification it stands last and alone.
    fn take_transfer_encoding(&mut self, value: &[u8]) {
        for token in tokens(value) {
            let bare = token.split(|&byte| byte == b';').next().unwrap_or_default();
            let bare = trim_blanks(bare);
            let begins = bare.get(..CHUNKED.len()).unwrap_or_default();
            if begins.eq_ignore_ascii_case(CHUNKED) {
                if bare.len() > CHUNKED.len() || self.transfer_coding == TransferCoding::Chunked {
                    self.lengths = Lengths::Contradict;
                }
                self.transfer_coding = TransferCoding::Chunked;
            } else if self.transfer_coding == TransferCoding::Chunked {
                self.lengths = Lengths::Contradict;
            } else if !bare.eq_ignore_ascii_case(b"identity") {
                self.codings.extend(Coding::named(bare));
                self.transfer_coding = TransferCoding::Other;
            }
        }
    }

    /// A copy of `value`, as far as the bound on one head allows; empty is the same as not sent.
    pub(super) fn keep(&mut self, value: &[u8]) -> Option<Text> {
        let room = HTTP_HEAD_KEPT_BYTES.saturating_sub(self.kept_bytes);
        let kept = value.get(..room).unwrap_or(value);
        self.cut |= kept.len() < value.len();
        self.kept_bytes = self.kept_bytes.saturating_add(kept.len());
        (!kept.is_empty()).then(|| Text::wire(kept))
    }

    fn joined(&mut self, before: Option<Text>, by: &[u8], more: &[u8]) -> Option<Text> {
        let Some(more) = self.keep(more) else { return before };
        let Some(before) = before else { return Some(more) };
        Some(Text::from([before.as_bytes(), by, more.as_bytes()].concat()))
    }
}

/// A number of decimal digits; none where there are none, or more than the archive can count.
fn decimal(digits: &[u8]) -> Option<u64> {
    let number: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    u64::try_from(number).ok()
}

/// `bytes first-last/length`; clients that resume ask for all from the first byte, too.
fn extent(value: &[u8]) -> Extent {
    let bounds = |value: &[u8]| {
        let range = std::str::from_utf8(value).ok()?.strip_prefix("bytes")?.trim_ascii();
        let (range, length) = range.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let [first, last, length] = [first, last, length].map(|part| decimal(part.as_bytes()));
        Some((first?, last?.checked_add(1)?, length?))
    };
    match bounds(value) {
        Some((0, end, length)) if end == length => Extent::Whole,
        _ => Extent::Part,
    }
}

const CHUNKED: &[u8] = b"chunked";

/// Without the blanks around it. No other white space may stand there (RFC 9110 section 5.6.3), and
/// what a receiver makes of it is its own affair.
pub(super) fn trim_blanks(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().take_while(|byte| is_blank(byte)).count();
    let text = text.get(start..).unwrap_or_default();
    let end = text.iter().rev().take_while(|byte| is_blank(byte)).count();
    text.get(..text.len().saturating_sub(end)).unwrap_or_default()
}

fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(trim_blanks).filter(|token| !token.is_empty())
}

fn media_type(value: &[u8]) -> Vec<u8> {
    let bare = value.split(|&byte| byte == b';').next().unwrap_or_default();
    bare.trim_ascii().to_ascii_lowercase()
}

fn upgrade(value: &[u8]) -> Option<Upgrade> {
    tokens(value).next().map(|token| match token {
        _ if token.eq_ignore_ascii_case(b"h2c") => Upgrade::Http2,
        _ if token.eq_ignore_ascii_case(b"websocket") => Upgrade::WebSocket,
        _ => Upgrade::Other,
    })
}

/// The user's name in Basic or Digest credentials.
fn user_name(credentials: &[u8]) -> Option<Vec<u8>> {
    let space = memchr::memchr(b' ', credentials)?;
    let (scheme, rest) = credentials.split_at_checked(space)?;
    let rest = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"basic") {
        // Without a colon it is no pair, and may be a secret alone.
        let pair = base64(rest);
        let colon = memchr::memchr(b':', &pair)?;
        return pair.get(..colon).map(<[u8]>::to_vec);
    }
    if scheme.eq_ignore_ascii_case(b"digest") {
        return digest_user_name(rest);
    }
    None
}

fn digest_user_name(parameters: &[u8]) -> Option<Vec<u8>> {
    let mut rest = parameters;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        let (name, value) = rest.split_at_checked(equals)?;
        let value = value.get(1..)?.trim_ascii_start();
        let (value, after) = match value.strip_prefix(b"\"") {
            Some(quoted) => split_at_byte(quoted, b'"'),
            None => split_at_byte(value, b','),
        };
        let name = name.rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"username") {
            return Some(value.to_vec());
        }
        rest = after;
    }
    None
}

/// What stands before the first `byte`, and what stands after it.
fn split_at_byte(bytes: &[u8], byte: u8) -> (&[u8], &[u8]) {
    let mut parts = bytes.splitn(2, |&b| b == byte);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Base64 (RFC 4648, either alphabet) as far as it goes: reading ends at the first other byte.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for sextet in text.iter().map_while(|&byte| sextet(byte)) {
        bits = (bits << 6) | sextet;
        held = held.saturating_add(6);
        if held >= 8 {
            held = held.saturating_sub(8);
            out.push(u8::try_from((bits >> held) & 0xff).unwrap_or(0));
        }
    }
    out
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte.wrapping_sub(b'A'),
        b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
