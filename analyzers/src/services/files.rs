//! Files: FTP (RFC 959), TFTP (RFC 1350), rsync and git.
//!
//! In: the first bytes of either side. Out: a verdict. FTP's control connection can be upgraded to
//! TLS (RFC 4217), which is followed; its data connections carry nothing but files and stay
//! unnamed.

use super::greeting::{self, Greeter};
use super::upgrade::{self, Framing};
use super::words::{Words, begins, begins_any, firmer};
use super::{NAMED, UDP, datagram, stream, uses};
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol, Verdict};
use crate::reader::Reader;

/// File transfer, the control connection.
pub const FTP: Protocol = Protocol {
    name: "ftp",
    doc: "File transfer's control connection, up to an upgrade to TLS.",
    specifications: &["RFC 959", "RFC 4217"],
    ports: &[21],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: ftp,
    analyzer: Some(|_| upgrade::follow(Framing::Lines)),
    ..NAMED
};

/// Trivial file transfer.
pub const TFTP: Protocol = Protocol {
    name: "tftp",
    doc: "Trivial file transfer: requests, and the options that answer them.",
    specifications: &["RFC 1350", "RFC 2347"],
    transports: UDP,
    ports: &[69],
    probe: |probe| datagram(is_tftp(probe)),
    ..NAMED
};

/// Remote synchronisation by its daemon.
pub const RSYNC: Protocol = Protocol {
    name: "rsync",
    doc: "Remote synchronisation of files by the rsync daemon.",
    specifications: &["rsync, the daemon protocol"],
    ports: &[873],
    probe: |probe| RSYNC_WORDS.verdict(probe, &[]),
    ..NAMED
};

/// Git by its own transport.
pub const GIT: Protocol = Protocol {
    name: "git",
    doc: "Git's own transport.",
    specifications: &["git, pack-protocol"],
    ports: &[9_418],
    probe: |probe| stream(is_git(probe.bytes)),
    ..NAMED
};

const FTP_WORDS: Words = Words {
    certain: &[
        "AUTH TLS",
        "AUTH SSL",
        "PASV\r\n",
        "EPSV",
        "EPRT |",
        "SYST\r\n",
        "FEAT\r\n",
        "OPTS UTF8",
        "TYPE A\r\n",
        "TYPE I\r\n",
        "CWD ",
        "STOR ",
        "MKD ",
        "227 Entering",
        "229 Entering",
    ],
    likely: &[
        "USER ", "PASS ", "PORT ", "LIST", "RETR ", "QUIT\r\n", "NOOP\r\n", "150 ", "226 ", "230 ",
        "331 ",
    ],
};

fn ftp(probe: &Probe<'_>) -> Verdict {
    let greeting = greeting::verdict(probe, FTP.ports, Greeter::Ftp);
    firmer(greeting, FTP_WORDS.verdict(probe, FTP.ports))
}

fn is_tftp(probe: &Probe<'_>) -> Result<bool, Malformed> {
    const MODES: [&str; 3] = ["netascii", "octet", "mail"];
    const OPTIONS: [&str; 4] = ["blksize", "tsize", "timeout", "windowsize"];
    let mut r = Reader::new(probe.bytes);
    let operation = r.u16("operation")?;
    let Some(texts) = r.rest().strip_suffix(&[0]) else { return Ok(false) };
    let mut texts = texts.split(|byte| *byte == 0);
    let is_plain = |text: &[u8]| !text.is_empty() && !text.iter().any(u8::is_ascii_control);
    let first = texts.next().unwrap_or_default();
    Ok(match operation {
        // Requests: a name and a mode, then pairs of options. On the port the name may be odd.
        1 | 2 if is_plain(first) => texts.next().is_some_and(|mode| begins_any(mode, &MODES)),
        1 | 2 => uses(probe, TFTP.ports) && texts.any(|mode| begins_any(mode, &MODES)),
        // The options that the server takes up.
        6 => begins_any(first, &OPTIONS) && texts.next().is_some_and(is_plain),
        _ => false,
    })
}

const RSYNC_WORDS: Words = Words { certain: &["@RSYNCD: "], likely: &[] };

fn is_git(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    let length: [u8; 4] = r.array("length")?;
    if !length.iter().all(u8::is_ascii_hexdigit) {
        return Ok(false);
    }
    const REQUESTS: [&[u8]; 3] =
        [b"git-upload-pack /", b"git-receive-pack /", b"git-upload-archive /"];
    let rest = r.rest();
    if REQUESTS.iter().any(|request| begins(rest, request)) {
        return Ok(true);
    }
    let may_become = REQUESTS.iter().any(|request| begins(request, rest));
    if may_become { r.take(usize::MAX, "request").map(|_| false) } else { Ok(false) }
}
