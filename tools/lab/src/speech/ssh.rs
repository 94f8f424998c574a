//! SSH (RFC 4253): banners, key exchange in the clear, then noise.

use std::time::Duration;

use super::noise;
use crate::talk::Talk;

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logon {
    /// The password is wrong.
    Refused,
    /// A shell follows.
    Accepted,
}

/// A key exchange message with lists of algorithms.
fn key_exchange() -> Vec<u8> {
    const LISTS: [&str; 10] = [
        "curve25519-sha256,ecdh-sha2-nistp256",
        "ssh-ed25519,rsa-sha2-512",
        "chacha20-poly1305@openssh.com,aes128-ctr",
        "chacha20-poly1305@openssh.com,aes128-ctr",
        "umac-64-etm@openssh.com,hmac-sha2-256",
        "umac-64-etm@openssh.com,hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];
    let mut payload = vec![20];
    payload.extend([0x5c; 16]);
    for list in LISTS {
        payload.extend(u32::try_from(list.len()).expect("a short list").to_be_bytes());
        payload.extend(list.bytes());
    }
    payload.extend([0; 5]);
    let padding = 16 - (payload.len() + 5) % 8;
    let length = u32::try_from(payload.len() + 1 + padding).expect("a short packet");
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).expect("a short padding"));
    packet.extend(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// What is said in an attempt, after the connection is there.
#[must_use]
pub fn attempt(talk: Talk, client: &str, logon: Logon) -> Talk {
    let soon = Duration::from_millis(4);
    let banner = |name: &str| format!("SSH-2.0-{name}\r\n").into_bytes();
    let talk = talk
        .asks(soon, banner(client))
        .answers(soon, banner("OpenSSH_9.6"))
        .asks(soon, key_exchange())
        .answers(soon, key_exchange())
        .asks(soon, noise(48))
        .answers(soon, noise(452))
        .asks(soon, noise(60))
        .asks(soon, noise(112))
        .answers(soon, noise(52));
    match logon {
        Logon::Refused => talk
            .asks(Duration::from_millis(900), noise(148))
            .answers(Duration::from_secs(2), noise(52)),
        Logon::Accepted => (0..12).fold(
            talk.asks(Duration::from_millis(900), noise(148)).answers(soon, noise(36)),
            |talk, _| talk.asks(Duration::from_secs(3), noise(76)).answers(soon, noise(1_200)),
        ),
    }
}
