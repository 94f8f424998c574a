//! Packets as they stand on an Ethernet: IPv4 and IPv6, TCP and UDP, with right checksums.
//!
//! In: two ends, a direction, payload. Out: a [`Frame`]. Payload may be declared longer than it is
//! given: the rest is zeros that the capture does not hold, as with a snap length, so that a large
//! upload costs few bytes of a file. RFC 791, RFC 8200, RFC 9293, RFC 768, RFC 1071.

use std::net::{IpAddr, SocketAddr};

use analyzers::{Direction, Timestamp};

/// TCP's flags.
pub mod flag {
    /// No more data.
    pub const FIN: u8 = 1;
    /// Numbers begin.
    pub const SYN: u8 = 2;
    /// The connection is over at once.
    pub const RST: u8 = 4;
    /// Deliver now.
    pub const PSH: u8 = 8;
    /// The acknowledgement counts.
    pub const ACK: u8 = 16;
}

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A packet with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When it was captured.
    pub time: Timestamp,
    /// What the capture holds of it.
    pub bytes: Vec<u8>,
    /// Its length on the wire.
    pub wire_bytes: u32,
}

/// Payload: what is given, and how many zeros follow that nobody captured.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// What the capture holds.
    pub bytes: &'a [u8],
    /// What only the headers tell of.
    pub beyond: usize,
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, beyond: 0 }
    }
}

impl Payload<'_> {
    /// Its length on the wire.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len() + self.beyond
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The ends of a flow: who sends the first packet, and the other. Both of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// Originator.
    pub src: SocketAddr,
    /// Responder.
    pub dst: SocketAddr,
}

impl Ends {
    /// Sender and receiver of a packet in that direction.
    #[must_use]
    pub const fn of(&self, direction: Direction) -> (SocketAddr, SocketAddr) {
        match direction {
            Direction::SrcToDst => (self.src, self.dst),
            Direction::DstToSrc => (self.dst, self.src),
        }
    }
}

/// A TCP segment's header fields that change.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Of [`flag`].
    pub flags: u8,
    /// Sequence number.
    pub seq: u32,
    /// Number of the next byte that is expected.
    pub ack: u32,
}

/// A segment as a frame.
#[must_use]
pub fn tcp(
    time: Timestamp,
    (src, dst): (SocketAddr, SocketAddr),
    segment: Segment,
    payload: Payload<'_>,
) -> Frame {
    /// Maximum segment size 1460, in a SYN.
    const OPTIONS: [u8; 4] = [2, 4, 0x05, 0xb4];
    let options = if segment.flags & flag::SYN == 0 { &[][..] } else { &OPTIONS };
    let words = u8::try_from(5 + options.len() / 4).expect("a short header");
    let mut header = Vec::with_capacity(24);
    header.extend(src.port().to_be_bytes());
    header.extend(dst.port().to_be_bytes());
    header.extend(segment.seq.to_be_bytes());
    header.extend(segment.ack.to_be_bytes());
    header.extend([words << 4, segment.flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    header.extend(options);
    let sum = transport_checksum(src.ip(), dst.ip(), TCP, &header, payload);
    header[16..18].copy_from_slice(&sum.to_be_bytes());
    frame(time, src.ip(), dst.ip(), TCP, &header, payload)
}

/// A datagram as a frame.
#[must_use]
pub fn udp(time: Timestamp, (src, dst): (SocketAddr, SocketAddr), payload: Payload<'_>) -> Frame {
    let len = u16::try_from(payload.len() + 8).expect("a datagram of less than 64 KiB");
    let mut header = Vec::with_capacity(8);
    for field in [src.port(), dst.port(), len, 0] {
        header.extend(field.to_be_bytes());
    }
    let sum = transport_checksum(src.ip(), dst.ip(), UDP, &header, payload);
    header[6..8].copy_from_slice(&if sum == 0 { 0xffff } else { sum }.to_be_bytes());
    frame(time, src.ip(), dst.ip(), UDP, &header, payload)
}

fn frame(
    time: Timestamp,
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    header: &[u8],
    payload: Payload<'_>,
) -> Frame {
    let mut bytes = Vec::with_capacity(54 + header.len() + payload.bytes.len());
    bytes.extend(mac(dst));
    bytes.extend(mac(src));
    let length = header.len() + payload.len();
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            bytes.extend([8, 0, 0x45, 0]);
            let total = u16::try_from(length + 20).expect("a packet of less than 64 KiB");
            bytes.extend(total.to_be_bytes());
            bytes.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
            let sum = folded(words(&bytes[14..34]));
            bytes[24..26].copy_from_slice(&sum.to_be_bytes());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            let length = u16::try_from(length).expect("a packet of less than 64 KiB");
            bytes.extend(length.to_be_bytes());
            bytes.extend([protocol, 64]);
            bytes.extend(src.octets());
            bytes.extend(dst.octets());
        }
        _ => panic!("{src} and {dst} are of two families"),
    }
    bytes.extend(header);
    bytes.extend(payload.bytes);
    let wire_bytes = u32::try_from(bytes.len() + payload.beyond).expect("a frame");
    Frame { time, bytes, wire_bytes }
}

/// A locally administered address; everything that is not private is behind the router.
fn mac(ip: IpAddr) -> [u8; 6] {
    const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
    match ip {
        IpAddr::V4(ip) if ip.is_private() => {
            let [a, b, c, d] = ip.octets();
            [2, 0, a, b, c, d]
        }
        IpAddr::V6(ip) if ip.segments()[0] & 0xfe00 == 0xfc00 => {
            let [.., a, b, c, d] = ip.octets();
            [2, 6, a, b, c, d]
        }
        _ => ROUTER,
    }
}

fn transport_checksum(
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    header: &[u8],
    payload: Payload<'_>,
) -> u16 {
    let address = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    };
    let length = (header.len() + payload.len()) as u64;
    let sum = address(src) + address(dst) + u64::from(protocol) + length;
    folded(sum + words(header) + words(payload.bytes))
}

/// The sum of 16-bit words, the last filled up with zero.
fn words(bytes: &[u8]) -> u64 {
    let mut pairs = bytes.chunks_exact(2);
    let sum: u64 =
        pairs.by_ref().map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    sum + pairs.remainder().first().map_or(0, |byte| u64::from(*byte) << 8)
}

/// A sum with its carries added, inverted.
fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1071 §3, inverted.
    #[test]
    fn the_checksum_is_the_internets() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(folded(words(&bytes)), !0xddf2);
        assert_eq!(folded(words(&[1])), !0x0100);
    }

    #[test]
    fn what_is_declared_beyond_the_capture_counts_on_the_wire() {
        let ends = |text: &str| text.parse::<SocketAddr>().unwrap();
        let pair = (ends("10.0.0.1:1000"), ends("93.184.216.34:443"));
        let segment = Segment { flags: flag::ACK, seq: 1, ack: 2 };
        let frame = tcp(Timestamp::default(), pair, segment, Payload { bytes: b"ab", beyond: 998 });
        assert_eq!((frame.bytes.len(), frame.wire_bytes), (56, 1_054));
        assert_eq!(frame.bytes[16..18], 1_040u16.to_be_bytes());
    }

    #[test]
    fn both_families_carry_both_transports() {
        for (src, dst, bytes) in [
            ("10.0.0.1:1", "10.0.0.2:2", 14 + 20 + 8 + 1),
            ("[fd00::1]:1", "[2001:db8::2]:2", 14 + 40 + 8 + 1),
        ] {
            let pair = (src.parse().unwrap(), dst.parse().unwrap());
            assert_eq!(udp(Timestamp::default(), pair, b"x"[..].into()).bytes.len(), bytes);
        }
    }
}
