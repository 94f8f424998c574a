//! Mail and news: SMTP (RFC 5321), POP3 (RFC 1939), IMAP (RFC 9051), NNTP (RFC 3977).
//!
//! In: the first lines of either side. Out: a verdict. Each can be upgraded to TLS (RFC 3207,
//! RFC 2595, RFC 4642), which is followed.

use super::greeting::{self, Greeter};
use super::upgrade::{self, Framing};
use super::words::{Words, begins, begins_any, firmer, first_line, holds, is_text, lines, words};
use super::{NAMED, uses};
use crate::protocol::{Probe, Protocol, Verdict};

/// Simple mail transfer.
pub const SMTP: Protocol = Protocol {
    name: "smtp",
    doc: "Simple mail transfer, up to an upgrade to TLS.",
    specifications: &["RFC 5321", "RFC 3207"],
    ports: &[25, 587, 2_525],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: smtp,
    analyzer: Some(|_| upgrade::follow(Framing::Lines)),
    ..NAMED
};

/// Post office protocol.
pub const POP3: Protocol = Protocol {
    name: "pop3",
    doc: "Post office protocol, up to an upgrade to TLS.",
    specifications: &["RFC 1939", "RFC 2449", "RFC 2595"],
    ports: &[110],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: pop3,
    analyzer: Some(|_| upgrade::follow(Framing::Lines)),
    ..NAMED
};

/// Internet message access protocol.
pub const IMAP: Protocol = Protocol {
    name: "imap",
    doc: "Internet message access protocol, up to an upgrade to TLS.",
    specifications: &["RFC 9051", "RFC 3501"],
    ports: &[143],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: imap,
    analyzer: Some(|_| upgrade::follow(Framing::Lines)),
    ..NAMED
};

/// Network news transfer.
pub const NNTP: Protocol = Protocol {
    name: "nntp",
    doc: "Network news transfer, up to an upgrade to TLS.",
    specifications: &["RFC 3977", "RFC 4642"],
    ports: &[119],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: nntp,
    analyzer: Some(|_| upgrade::follow(Framing::Lines)),
    ..NAMED
};

const SMTP_WORDS: Words = Words {
    certain: &["EHLO", "HELO ", "LHLO ", "MAIL FROM:", "RCPT TO:"],
    likely: &["STARTTLS", "AUTH ", "QUIT\r\n", "NOOP", "RSET", "250-", "354 ", "421 ", "554 "],
};

fn smtp(probe: &Probe<'_>) -> Verdict {
    let greeting = greeting::verdict(probe, SMTP.ports, Greeter::Smtp);
    firmer(greeting, SMTP_WORDS.verdict(probe, SMTP.ports))
}

const POP3_WORDS: Words = Words {
    certain: &["CAPA\r\n", "STLS\r\n", "APOP ", "UIDL\r\n"],
    likely: &["USER ", "PASS ", "AUTH", "STAT\r\n", "LIST", "RETR ", "QUIT\r\n", "-ERR "],
};

fn pop3(probe: &Probe<'_>) -> Verdict {
    firmer(pop3_greeting(probe), POP3_WORDS.verdict(probe, POP3.ports))
}

/// Redis answers `+OK` too, but has nothing to add to it.
fn pop3_greeting(probe: &Probe<'_>) -> Verdict {
    if !begins(probe.bytes, b"+OK ") {
        let may_become = b"+OK ".starts_with(probe.bytes);
        return if may_become { Verdict::Unsure } else { Verdict::NotForUs };
    }
    let mut lines = lines(probe.bytes);
    match lines.next() {
        Some(line) if !is_text(line) => Verdict::NotForUs,
        Some(line) if holds(line, "POP") || uses(probe, POP3.ports) => Verdict::Certain,
        Some(_) if lines.next().is_some_and(|line| begins_any(line, &["+OK", "-ERR"])) => {
            Verdict::Certain
        }
        Some(_) | None => Verdict::Unsure,
    }
}

const IMAP_GREETINGS: [&str; 3] = ["* OK", "* PREAUTH", "* BYE"];
const IMAP_COMMANDS: [&str; 11] = [
    "CAPABILITY",
    "STARTTLS",
    "AUTHENTICATE ",
    "LOGIN ",
    "LOGOUT",
    "SELECT ",
    "EXAMINE ",
    "NAMESPACE",
    "ID (",
    "ID NIL",
    "UID ",
];

fn imap(probe: &Probe<'_>) -> Verdict {
    first_line(probe.bytes, |line| {
        if begins_any(line, &IMAP_GREETINGS) {
            return holds(line, "IMAP") || uses(probe, IMAP.ports);
        }
        begins_any(line, &["* CAPABILITY IMAP"]) || imap_command(line)
    })
}

/// A tag and a command. Only short tags are sent.
fn imap_command(line: &[u8]) -> bool {
    const TAG_BYTES: usize = 16;
    let tag = words(line).next().unwrap_or_default();
    let command = line.get(tag.len().saturating_add(1)..).unwrap_or_default();
    let is_tag = tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    is_tag && (1..=TAG_BYTES).contains(&tag.len()) && begins_any(command, &IMAP_COMMANDS)
}

const NNTP_WORDS: Words = Words {
    certain: &[
        "MODE READER",
        "AUTHINFO ",
        "XOVER ",
        "ARTICLE <",
        "GROUP alt.",
        "GROUP comp.",
        "IHAVE <",
    ],
    likely: &["GROUP ", "200 ", "201 "],
};

fn nntp(probe: &Probe<'_>) -> Verdict {
    let greets = |line: &[u8]| {
        begins_any(line, &["200 ", "201 "]) && (holds(line, "NNTP") || holds(line, "NNRP"))
    };
    match lines(probe.bytes).next() {
        Some(line) if is_text(line) && greets(line) => Verdict::Certain,
        _ => NNTP_WORDS.verdict(probe, NNTP.ports),
    }
}
