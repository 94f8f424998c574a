//! RDP until encryption begins (MS-RDPBCGR §2.2.1.1, §2.2.1.2), then what a logon weighs.

use std::time::Duration;

use super::tls;
use crate::dice::Dice;
use crate::talk::Talk;

/// Both TLS and CredSSP are offered; CredSSP is chosen.
const OFFERED: u32 = 3;
const CHOSEN: u32 = 2;

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logon {
    /// The password is wrong: the server hangs up after CredSSP.
    Refused,
    /// A desktop is there for so long.
    Desktop(Duration),
}

fn frame(user_data: &[u8], kind: u8, reference: u16) -> Vec<u8> {
    let length = u8::try_from(6 + user_data.len()).expect("a short request");
    let [high, low] = (u16::from(length) + 5).to_be_bytes();
    let [reference_high, reference_low] = reference.to_be_bytes();
    let mut bytes = vec![3, 0, high, low, length, kind, 0, 0, reference_high, reference_low, 0];
    bytes.extend(user_data);
    bytes
}

/// The connection request of a user.
#[must_use]
pub fn connection_request(user: &str) -> Vec<u8> {
    let mut data = format!("Cookie: mstshash={user}\r\n").into_bytes();
    data.extend([1, 0, 8, 0]);
    data.extend(OFFERED.to_le_bytes());
    frame(&data, 0xe0, 0)
}

/// Its confirm.
#[must_use]
pub fn connection_confirm() -> Vec<u8> {
    let mut data = vec![2, 0x1f, 8, 0];
    data.extend(CHOSEN.to_le_bytes());
    frame(&data, 0xd0, 0x1234)
}

/// What is said in an attempt, after the connection is there.
#[must_use]
pub fn attempt(talk: Talk, user: &str, logon: Logon, dice: &mut Dice) -> Talk {
    let soon = Duration::from_millis(3);
    let talk = talk
        .asks(soon, connection_request(user))
        .answers(soon, connection_confirm())
        .asks(soon, tls::SYSTEM.hello(None, dice))
        .answers(soon, tls::server_flight(700, dice))
        .asks(soon, [tls::client_finish(), tls::data(90)].concat())
        .answers(soon, tls::data(250));
    match logon {
        Logon::Refused => talk
            .asks(Duration::from_millis(400), tls::data(420))
            .answers(crate::dice::secs(dice.uniform(1.5, 4.0)), tls::data(60)),
        Logon::Desktop(span) => desktop(talk.asks(soon, tls::data(420)), span),
    }
}

/// A desktop: settings both ways, pictures, then a movement now and then.
fn desktop(talk: Talk, span: Duration) -> Talk {
    /// Movements that are written, however long the session is.
    const MOVEMENTS: u32 = 16;
    let soon = Duration::from_millis(30);
    let set_up = (0..6).fold(talk.answers(soon, tls::data(200)), |talk, _| {
        talk.asks(soon, tls::data(900)).answers(soon, tls::data(4_000))
    });
    let each = span / MOVEMENTS;
    (0..MOVEMENTS)
        .fold(set_up, |talk, _| talk.asks(each, tls::data(120)).answers(soon, tls::data(1_300)))
}
