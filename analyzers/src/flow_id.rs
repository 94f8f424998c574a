//! What a flow is called: its endpoints, its transport and its uid.

use std::fmt;
use std::net::IpAddr;

/// One end of a flow. For ICMP the port is the type (originator) or the code (responder).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Address; never an IPv4 address in IPv6 clothes.
    pub ip: IpAddr,
    /// Port, zero where the protocol has none.
    pub port: u16,
}

/// The IP protocol of a flow, by its IANA number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Transport(pub u8);

impl Transport {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// ICMP for IPv6.
    pub const ICMP6: Self = Self(58);
    /// SCTP.
    pub const SCTP: Self = Self(132);

    /// The name used in records, `None` where the number is written instead.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::ICMP => "icmp",
            Self::TCP => "tcp",
            Self::UDP => "udp",
            Self::ICMP6 => "icmp6",
            Self::SCTP => "sctp",
            _ => return None,
        })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A flow's name: the same capture gives the same uid on every run, whatever the number of workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(pub u128);

/// Digits of a uid: letters and numbers only, so that a double click selects all of it.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Digits written: 62^16 > 2^95, so sixteen digits name the flows of a lifetime without a clash.
const UID_DIGITS: usize = 16;

/// Digits that are divided off at once: 62^10 < 2^64. Division of 128 bits is slow, and every row
/// of every table has a uid.
const LOW_DIGITS: u32 = 10;

impl Uid {
    /// The text that records carry, in ASCII: `C` and sixteen digits, lowest first.
    #[must_use]
    pub fn text(self) -> [u8; UID_DIGITS + 1] {
        const LOW: u128 = 62_u128.pow(LOW_DIGITS);
        let mut text = [b'C'; UID_DIGITS + 1];
        let mut digits = text.iter_mut().skip(1);
        for half in [self.0 % LOW, self.0 / LOW % LOW] {
            let mut rest = u64::try_from(half).unwrap_or(0);
            for (_, digit) in (0..LOW_DIGITS).zip(&mut digits) {
                let value = usize::try_from(rest % 62).unwrap_or(0);
                *digit = DIGITS.get(value).copied().unwrap_or(b'0');
                rest /= 62;
            }
        }
        text
    }
}

impl Uid {
    /// Its first half, where an almost certain distinction is enough.
    #[must_use]
    pub fn first_half(self) -> u64 {
        u64::try_from(self.0 >> 64).unwrap_or(0)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Everything that says which flow a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowId {
    /// The flow's name.
    pub uid: Uid,
    /// Originator.
    pub src: Endpoint,
    /// Responder.
    pub dst: Endpoint,
    /// IP protocol.
    pub transport: Transport,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_written_as_its_sixteen_lowest_digits_of_base_62() {
        for (uid, expected) in [
            (0, "C0000000000000000"),
            (61, "Cz000000000000000"),
            (62, "C0100000000000000"),
            (62_u128.pow(10) - 1, "Czzzzzzzzzz000000"),
            (62_u128.pow(10), "C0000000000100000"),
            (62_u128.pow(16) - 1, "Czzzzzzzzzzzzzzzz"),
            (62_u128.pow(16), "C0000000000000000"),
            (u128::MAX, "C"),
        ] {
            let mut rest = uid;
            let mut slow = String::from("C");
            for _ in 0..UID_DIGITS {
                slow.push(char::from(DIGITS[usize::try_from(rest % 62).unwrap()]));
                rest /= 62;
            }
            let text = Uid(uid).to_string();
            assert_eq!(text, slow);
            assert!(text.starts_with(expected), "{text} is not {expected}");
        }
    }
}
