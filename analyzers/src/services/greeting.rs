//! The greeting `220` that SMTP (RFC 5321 §4.2) and FTP (RFC 959 §5.4) share.
//!
//! In: the first bytes of a direction. Out: whose greeting it is. The words of the greeting tell,
//! or the reply behind it; a greeting that tells nothing belongs to the port's service.

use super::uses;
use super::words::{begins, begins_any, holds, is_text, lines};
use crate::protocol::{Probe, Verdict};

/// Who greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeter {
    /// A mail server.
    Smtp,
    /// A file server.
    Ftp,
}

const READY: &[u8] = b"220";

/// Whether `greeter` greets.
pub(super) fn verdict(probe: &Probe<'_>, ports: &[u16], greeter: Greeter) -> Verdict {
    if !begins(probe.bytes, READY) {
        let may_become = READY.starts_with(probe.bytes);
        return if may_become { Verdict::Unsure } else { Verdict::NotForUs };
    }
    match who_greets(probe.bytes) {
        Some(found) if found == greeter => Verdict::Certain,
        Some(_) => Verdict::NotForUs,
        None if uses(probe, ports) && lines(probe.bytes).next().is_some_and(is_greeting) => {
            Verdict::Certain
        }
        None => Verdict::Unsure,
    }
}

fn is_greeting(line: &[u8]) -> bool {
    begins_any(line, &["220 ", "220-"]) && is_text(line)
}

fn who_greets(bytes: &[u8]) -> Option<Greeter> {
    for line in lines(bytes) {
        if is_greeting(line) {
            if holds(line, "SMTP") {
                return Some(Greeter::Smtp);
            }
            if holds(line, "FTP") || holds(line, "FileZilla") {
                return Some(Greeter::Ftp);
            }
        } else if begins_any(line, &["250 ", "250-"]) {
            return Some(Greeter::Smtp);
        } else if begins_any(line, &["331 ", "230 ", "230-", "234 ", "211-", "215 "]) {
            return Some(Greeter::Ftp);
        }
    }
    None
}
