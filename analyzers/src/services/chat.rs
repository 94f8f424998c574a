//! Chat: IRC (RFC 2812) and XMPP (RFC 6120). Both can be upgraded to TLS, which is followed.
//!
//! In: the first lines of either side. Out: a verdict.

use super::NAMED;
use super::upgrade::{self, Framing};
use super::words::{Words, begins, firmer, first_line, holds, is_number, words};
use crate::protocol::{Probe, Protocol, Verdict};

/// Internet relay chat.
pub const IRC: Protocol = Protocol {
    name: "irc",
    doc: "Internet relay chat, up to an upgrade to TLS.",
    specifications: &["RFC 1459", "RFC 2812"],
    ports: &[6_667, 6_666, 6_668, 6_669],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: irc,
    analyzer: Some(|_| upgrade::follow(Framing::Lines)),
    ..NAMED
};

/// Extensible messaging and presence.
pub const XMPP: Protocol = Protocol {
    name: "xmpp",
    doc: "Extensible messaging and presence, up to an upgrade to TLS.",
    specifications: &["RFC 6120"],
    ports: &[5_222, 5_269],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: xmpp,
    analyzer: Some(|_| upgrade::follow(Framing::Tags)),
    ..NAMED
};

const IRC_WORDS: Words = Words {
    certain: &["NICK ", "CAP LS", "CAP REQ ", "JOIN #", "PRIVMSG ", "NOTICE AUTH :", "NOTICE * :"],
    likely: &["USER ", "PASS ", "PING :", "PONG :", "ERROR :", "STARTTLS", ":"],
};

fn irc(probe: &Probe<'_>) -> Verdict {
    let line = first_line(probe.bytes, |line| is_irc_user(line) || is_irc_message(line));
    // Any line may become a message; only one that begins with a word of ours is waited for.
    let line = if line == Verdict::Certain { line } else { Verdict::NotForUs };
    firmer(line, IRC_WORDS.verdict(probe, IRC.ports))
}

/// `USER` with four parameters, the last a real name; FTP's has one (RFC 2812 §3.1.3).
fn is_irc_user(line: &[u8]) -> bool {
    begins(line, b"USER ") && words(line).nth(4).is_some_and(|name| name.starts_with(b":"))
}

/// A server's message: `:server 001 nick …` (RFC 2812 §2.3).
fn is_irc_message(line: &[u8]) -> bool {
    const COMMANDS: [&[u8]; 5] = [b"NOTICE", b"PRIVMSG", b"JOIN", b"MODE", b"CAP"];
    let mut words = words(line);
    let from = words.next().is_some_and(|word| word.starts_with(b":") && word.len() > 1);
    let command = words.next().unwrap_or_default();
    let known = is_number(command) && command.len() == 3 || COMMANDS.contains(&command);
    from && known && words.next().is_some()
}

fn xmpp(probe: &Probe<'_>) -> Verdict {
    const OPENINGS: [&[u8]; 2] = [b"<stream:stream", b"<?xml "];
    const LONGEST_OPENING: usize = 512;
    let bytes = probe.bytes;
    let may_become = |opening: &&[u8]| begins(bytes, opening) || begins(opening, bytes);
    if !OPENINGS.iter().any(may_become) {
        return Verdict::NotForUs;
    }
    if holds(bytes, "<stream:stream") && holds(bytes, "http://etherx.jabber.org/streams") {
        return Verdict::Certain;
    }
    if bytes.len() < LONGEST_OPENING { Verdict::Unsure } else { Verdict::NotForUs }
}
