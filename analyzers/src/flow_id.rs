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
const DIGITS: [char; 62] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I',
    'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b',
    'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z',
];

/// Digits written: 62^16 > 2^95, so sixteen digits name the flows of a lifetime without a clash.
const UID_DIGITS: usize = 16;

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        f.write_char('C')?;
        let mut rest = self.0;
        for _ in 0..UID_DIGITS {
            let digit = usize::try_from(rest % 62).unwrap_or(0);
            f.write_char(DIGITS.get(digit).copied().unwrap_or('0'))?;
            rest /= 62;
        }
        Ok(())
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
