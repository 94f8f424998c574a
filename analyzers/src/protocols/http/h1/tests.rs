//! Heads beside the reading of another parser: whatever that one accepts, ours reads the same.
//! Ours accepts more, since real programs send more.

use super::head::{Head, LineOutcome, StartLine};
use super::line::{Found, Lines};
use crate::text::Text;

const REQUESTS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\n\r\n",
    b"POST /a?b=c HTTP/1.0\r\nContent-Type: a/b\r\nContent-Length: 3\r\nHost: h:80\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: h\r\nReferer: http://r/\r\nOrigin:null\r\nX: \t v \t\r\n\r\n",
    b"PUT http://h/p HTTP/1.1\r\nhost: h\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nA:\r\n\r\n",
];

const RESPONSES: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\nserver:a b \r\n\r\n",
    b"HTTP/1.1 204 \r\n\r\n",
];

/// What stands in for each byte, one at a time.
const BYTES: &[u8] = b"\0\t\r\n !\":/;,09AZaz\x7f\x80\xff";

/// The head, each of its bytes replaced by each of [`BYTES`], left out, or doubled.
fn variants(head: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![head.to_vec()];
    for at in 0..head.len() {
        let (before, after) = (&head[..at], &head[at + 1..]);
        all.extend(BYTES.iter().map(|byte| [before, &[*byte], after].concat()));
        all.push([before, after].concat());
        all.push([before, &head[at..=at], &head[at..]].concat());
    }
    all
}

/// Our reading, up to the empty line.
fn ours(bytes: &[u8], begin: fn(&[u8]) -> Option<Head>) -> Option<Head> {
    let mut lines = Lines::default();
    let mut rest = bytes;
    let mut head: Option<Head> = None;
    while let Found::Line { text, taken, .. } = lines.next(rest) {
        rest = &rest[taken..];
        match &mut head {
            // Empty lines before a head are passed over (RFC 9112 section 2.2).
            None if text.is_empty() => {}
            None => head = Some(begin(text)?),
            Some(head) => {
                if head.take(text) == LineOutcome::End {
                    return Some(head.clone());
                }
            }
        }
    }
    None
}

/// The value of a field that stands there once, as the other parser has it.
fn theirs<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<Option<&'a [u8]>> {
    let mut values = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    let first = values.next().map(|header| header.value.trim_ascii());
    values.next().is_none().then(|| first.filter(|value| !value.is_empty()))
}

fn same_fields(head: &Head, headers: &[httparse::Header<'_>], shown: &str) {
    let fields = &head.fields;
    for (name, value) in [
        ("host", &fields.host),
        ("user-agent", &fields.user_agent),
        ("referer", &fields.referrer),
        ("origin", &fields.origin),
        ("server", &fields.server),
    ] {
        let Some(expected) = theirs(headers, name) else { continue };
        assert_eq!(value.as_ref().map(Text::as_bytes), expected, "{name} of {shown}");
    }
    if let Some(Some(length)) = theirs(headers, "content-length")
        && let Some(length) = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok())
    {
        assert_eq!(fields.content_length, Some(length), "length of {shown}");
    }
}

#[test]
fn requests_that_another_parser_accepts_are_read_the_same() {
    let mut accepted = 0;
    for bytes in REQUESTS.iter().flat_map(|head| variants(head)) {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut other = httparse::Request::new(&mut headers);
        let Ok(httparse::Status::Complete(_)) = other.parse(&bytes) else { continue };
        accepted += 1;
        let shown = crate::text::escape(&bytes);
        let head = ours(&bytes, Head::request).unwrap_or_else(|| panic!("not ours: {shown}"));
        let StartLine::Request(line) = &head.line else { panic!("{shown}") };
        let told = [&line.method, &line.uri].map(|text| text.as_ref().map(Text::as_bytes));
        assert_eq!(told, [other.method, other.path].map(|text| text.map(str::as_bytes)), "{shown}");
        let version = other.version.map(|minor| format!("1.{minor}"));
        let told = line.version.as_ref().map(|text| text.escaped().into_owned());
        assert_eq!(told, version, "{shown}");
        same_fields(&head, other.headers, &shown);
    }
    assert!(accepted > 1_000, "the other parser accepted only {accepted}");
}

#[test]
fn responses_that_another_parser_accepts_are_read_the_same() {
    let mut accepted = 0;
    for bytes in RESPONSES.iter().flat_map(|head| variants(head)) {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut other = httparse::Response::new(&mut headers);
        let Ok(httparse::Status::Complete(_)) = other.parse(&bytes) else { continue };
        accepted += 1;
        let shown = crate::text::escape(&bytes);
        let head = ours(&bytes, Head::status).unwrap_or_else(|| panic!("not ours: {shown}"));
        let StartLine::Status(line) = &head.line else { panic!("{shown}") };
        assert_eq!(line.status, other.code, "{shown}");
        // The other one has no words for what is not ASCII.
        if let Some(reason) = other.reason.map(|reason| reason.as_bytes().trim_ascii())
            && !reason.is_empty()
        {
            assert_eq!(line.reason.as_ref().map(Text::as_bytes), Some(reason), "{shown}");
        }
        same_fields(&head, other.headers, &shown);
    }
    assert!(accepted > 400, "the other parser accepted only {accepted}");
}
