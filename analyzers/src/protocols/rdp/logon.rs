//! Whether a connection went on to a desktop, judged by what encryption lets be seen.
//!
//! In: the security protocol, the payload of both directions and the time since the server's
//! answer. Out: `auth_likely`. One direction alone may be large without a logon (a chain of
//! certificates, a picture of the logon screen), so both must be. Nothing is said where one is
//! silent, nor where the flow was left by us before a desktop could have come.
//!
//! # Where the password comes first
//! With CredSSP (`hybrid` and its kin) a refused password ends the connection before the first
//! picture: all that was said is a TLS handshake and three messages of CredSSP. A desktop needs a
//! dozen messages more from the client alone. Of 383 connections of three recorded guessing
//! campaigns none sent more than 1,402 bytes nor received more than 1,693, and they lasted up to 90
//! seconds, so that time alone says nothing. The two recorded desktops sent 8,753 and 9,235 and
//! received 5,877 and 5,740 in 14 and 12 seconds: little, because their pictures travelled over
//! UDP. The bounds lie between, each at least twice what a guess needs; the time excludes programs
//! that leave as soon as a password is accepted.
//!
//! # Where the picture comes first
//! With `ssl` and `rdp` the password is typed into a desktop that shows the logon screen already,
//! so that volume and time tell less and the bounds are higher. The evidence is one recorded
//! desktop of 24 seconds that sent 38,038 bytes and received 27,218. A patient guesser at a
//! colourful logon screen can pass; take this answer for weaker than the other.

use std::time::Duration;

use super::negotiation::CREDENTIALS_FIRST;
use crate::protocol::FinishReason;

/// What is known of a connection's traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Payload that the client sent.
    pub(super) client_bytes: u64,
    /// Payload that the server sent.
    pub(super) server_bytes: u64,
    /// From the server's answer to the last packet.
    pub(super) span: Duration,
    /// How the flow ended.
    pub(super) end: FinishReason,
}

/// What a desktop needs at least.
struct Least {
    client_bytes: u64,
    server_bytes: u64,
    span: Duration,
}

/// The least that a desktop needs where the password comes first.
const BEHIND_CREDENTIALS: Least =
    Least { client_bytes: 4 * 1024, server_bytes: 4 * 1024, span: Duration::from_secs(5) };

/// The least that a desktop needs where the picture comes first.
const BEHIND_LOGON_SCREEN: Least =
    Least { client_bytes: 8 * 1024, server_bytes: 16 * 1024, span: Duration::from_secs(20) };

/// Whether the traffic is that of a desktop, under security protocols with these bits.
pub(super) fn desktop_reached(protocols: u32, traffic: &Traffic) -> Option<bool> {
    if traffic.client_bytes == 0 || traffic.server_bytes == 0 {
        return None;
    }
    let least =
        if protocols & CREDENTIALS_FIRST != 0 { BEHIND_CREDENTIALS } else { BEHIND_LOGON_SCREEN };
    let left_by_us = matches!(traffic.end, FinishReason::Shutdown | FinishReason::Evicted);
    if traffic.span < least.span {
        return (!left_by_us).then_some(false);
    }
    Some(traffic.client_bytes >= least.client_bytes && traffic.server_bytes >= least.server_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(protocols: u32, client_bytes: u64, server_bytes: u64, secs: u64) -> Option<bool> {
        let span = Duration::from_secs(secs);
        let end = FinishReason::Fin;
        desktop_reached(protocols, &Traffic { client_bytes, server_bytes, span, end })
    }

    #[test]
    fn a_desktop_behind_credentials_needs_all_three() {
        for protocols in [2, 3, 4, 8, 0x10] {
            assert_eq!(reached(protocols, 4_096, 4_096, 5), Some(true));
            assert_eq!(reached(protocols, 4_095, 99_999, 99), Some(false));
            assert_eq!(reached(protocols, 99_999, 4_095, 99), Some(false));
            assert_eq!(reached(protocols, 99_999, 99_999, 4), Some(false));
        }
    }

    #[test]
    fn a_desktop_behind_a_logon_screen_needs_more() {
        for protocols in [0, 1] {
            assert_eq!(reached(protocols, 8_192, 16_384, 20), Some(true));
            assert_eq!(reached(protocols, 8_191, 99_999, 99), Some(false));
            assert_eq!(reached(protocols, 99_999, 16_383, 99), Some(false));
            assert_eq!(reached(protocols, 99_999, 99_999, 19), Some(false));
        }
    }

    #[test]
    fn a_silent_direction_says_nothing() {
        assert_eq!(reached(2, 0, 99_999, 99), None);
        assert_eq!(reached(2, 99_999, 0, 99), None);
        assert_eq!(reached(2, 1, 1, 0), Some(false));
    }

    #[test]
    fn a_flow_that_we_left_early_says_nothing() {
        use FinishReason::{Evicted, Fin, Rst, Shutdown, Timeout};
        for (end, left_by_us) in
            [(Fin, false), (Rst, false), (Timeout, false), (Evicted, true), (Shutdown, true)]
        {
            for (secs, in_time) in [(4, false), (5, true)] {
                let span = Duration::from_secs(secs);
                let small = Traffic { client_bytes: 1, server_bytes: 1, span, end };
                let large = Traffic { client_bytes: 9_999, server_bytes: 9_999, span, end };
                let silent = left_by_us && !in_time;
                assert_eq!(desktop_reached(2, &small), (!silent).then_some(false));
                assert_eq!(desktop_reached(2, &large), (!silent).then_some(in_time));
            }
        }
    }
}
