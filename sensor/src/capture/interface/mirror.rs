//! A UDP port that a mirror sends packets to: the tap of clouds (VXLAN, GENEVE) and of access
//! points and routers (TZSP).
//!
//! In: datagrams. Out: packets. A datagram of VXLAN (RFC 7348) or GENEVE (RFC 8926) gets its outer
//! IP and UDP headers back, so that it is decoded as if it had been heard on the wire, its network
//! number with it. Of TZSP (version 1, as Ethereal's dissector documents it) the frame is taken
//! out. The socket gives no time of arrival without unsafe code: the time is that of the reading.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::FileExt as _;
use std::str::FromStr;

use super::filling::{Arrived, Filling};
use super::tap::{Losses, Tap};
use crate::capture::files::Problems;
use crate::capture::{CaptureError, LinkType};
use crate::clock;

/// Bytes of the longest datagram, and of the headers that are put before it.
const DATAGRAM_BYTES: usize = 65_535;
const HEADERS_BYTES: usize = 48;

/// Link types: raw IP and Ethernet.
const RAW_IP: LinkType = LinkType(101);
const ETHERNET: LinkType = LinkType(1);

/// How a mirror wraps its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// VXLAN (RFC 7348).
    Vxlan,
    /// GENEVE (RFC 8926).
    Geneve,
    /// TaZmen Sniffer Protocol.
    Tzsp,
}

/// A port that a mirror sends to, written `vxlan:4789` or `geneve:192.0.2.1:6081`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// How its packets are wrapped.
    pub wrapping: Wrapping,
    /// Where it sends to.
    pub address: SocketAddr,
}

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no mirror; write it as vxlan:4789, geneve:6081 or tzsp:37008");
        let (word, place) = text.split_once(':').ok_or_else(wrong)?;
        let wrapping = match word {
            "vxlan" => Wrapping::Vxlan,
            "geneve" => Wrapping::Geneve,
            "tzsp" => Wrapping::Tzsp,
            _ => return Err(wrong()),
        };
        let any = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let address = place.parse().map(any).or_else(|_| place.parse()).map_err(|_| wrong())?;
        Ok(Self { wrapping, address })
    }
}

impl Wrapping {
    /// The port by which the decoder knows it, whichever port the mirror sends to.
    const fn port(self) -> u16 {
        match self {
            Self::Vxlan => 4_789,
            Self::Geneve => 6_081,
            Self::Tzsp => 37_008,
        }
    }
}

/// A socket that a mirror sends to.
pub(super) struct MirrorSocket {
    mirror: Mirror,
    socket: UdpSocket,
    /// Room for headers, then for a datagram.
    buffer: Vec<u8>,
    drops: Drops,
}

impl MirrorSocket {
    /// Opens the port, with so many bytes for what waits.
    ///
    /// # Errors
    /// It is taken, or the process may not.
    pub(super) fn open(mirror: Mirror, buffer_bytes: u64) -> Result<Self, CaptureError> {
        let name = mirror.address.to_string();
        let cannot = |cause| CaptureError::Interface { name: name.clone(), cause };
        let socket = UdpSocket::bind(mirror.address).map_err(cannot)?;
        socket.set_nonblocking(true).map_err(cannot)?;
        let bytes = usize::try_from(buffer_bytes).unwrap_or(usize::MAX).min(1 << 30);
        use rustix::net::sockopt;
        // Beyond what the system allows only for those who may; else as much as it allows.
        if sockopt::set_socket_recv_buffer_size_force(&socket, bytes).is_err() {
            let _ = sockopt::set_socket_recv_buffer_size(&socket, bytes);
        }
        let buffer = vec![0; HEADERS_BYTES + DATAGRAM_BYTES];
        Ok(Self { mirror, socket, buffer, drops: Drops::of(mirror.address) })
    }

    /// Puts a datagram of so many bytes, which is in the buffer, into `filling`.
    fn put(&self, bytes: usize, peer: SocketAddr, filling: &mut Filling) {
        let time = clock::now();
        let datagram = self.buffer.get(HEADERS_BYTES..).and_then(|rest| rest.get(..bytes));
        let datagram = datagram.unwrap_or_default();
        let (headers, link);
        let packet = if self.mirror.wrapping == Wrapping::Tzsp {
            link = ETHERNET;
            tzsp_frame(datagram).unwrap_or_default()
        } else {
            link = RAW_IP;
            headers = outer(peer, self.mirror, datagram);
            headers.as_slice()
        };
        let wire_bytes = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        filling.put(&Arrived { time, link, wire_bytes, bytes: packet, tag: None });
    }
}

impl Tap for MirrorSocket {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn read(&mut self, filling: &mut Filling, _: &mut Problems) {
        while filling.room() >= HEADERS_BYTES + DATAGRAM_BYTES {
            let Some(room) = self.buffer.get_mut(HEADERS_BYTES..) else { return };
            match self.socket.recv_from(room) {
                Ok((bytes, peer)) => self.put(bytes, peer, filling),
                // Nothing there, or a word from the network about what was once sent: nothing was.
                Err(_) => return,
            }
        }
    }

    fn losses(&mut self) -> Losses {
        Losses { kernel: self.drops.since_last(), interface: 0 }
    }

    fn close_door(&mut self) {}
}

/// A datagram with the IP and UDP headers (RFC 791, RFC 8200, RFC 768) that it came with, as far as
/// the socket tells them.
fn outer(peer: SocketAddr, mirror: Mirror, datagram: &[u8]) -> Vec<u8> {
    let udp_bytes = u16::try_from(datagram.len() + 8).unwrap_or(u16::MAX);
    let mut packet = Vec::with_capacity(HEADERS_BYTES + datagram.len());
    match (peer.ip(), mirror.address.ip()) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(udp_bytes.to_be_bytes());
            packet.extend([17, 64]);
            packet.extend(src.octets());
            packet.extend(dst.octets());
        }
        (src, dst) => {
            let v4 = |ip| match ip {
                IpAddr::V4(ip) => ip,
                IpAddr::V6(ip) => ip.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED),
            };
            let total = udp_bytes.saturating_add(20);
            packet.extend([0x45, 0]);
            packet.extend(total.to_be_bytes());
            packet.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
            packet.extend(v4(src).octets());
            packet.extend(v4(dst).octets());
            let sum = checksum(&packet).to_be_bytes();
            if let Some(place) = packet.get_mut(10..12) {
                place.copy_from_slice(&sum);
            }
        }
    }
    packet.extend(peer.port().to_be_bytes());
    packet.extend(mirror.wrapping.port().to_be_bytes());
    packet.extend(udp_bytes.to_be_bytes());
    // None, as tunnels are allowed (RFC 6935).
    packet.extend([0, 0]);
    packet.extend(datagram);
    packet
}

/// The Internet checksum (RFC 1071) of a header of whole words.
fn checksum(header: &[u8]) -> u16 {
    let words = header.chunks_exact(2).filter_map(|word| word.first_chunk());
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    !u16::try_from(sum & 0xffff).unwrap_or(0)
}

/// The frame in a datagram of TZSP: version 1, a packet that was received, Ethernet in it, tags up
/// to the one that ends them.
fn tzsp_frame(datagram: &[u8]) -> Option<&[u8]> {
    let (&[1, 0, 0, 1], mut tags) = datagram.split_first_chunk()? else { return None };
    loop {
        match tags {
            // Padding.
            [0, rest @ ..] => tags = rest,
            // The last one.
            [1, frame @ ..] => return Some(frame),
            [_, length, rest @ ..] => tags = rest.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
}

/// The kernel's count of datagrams for which the socket had no room, of all sockets of the port.
struct Drops {
    file: Option<File>,
    port: u16,
    last: u64,
}

impl Drops {
    fn of(address: SocketAddr) -> Self {
        let path = if address.is_ipv4() { "/proc/self/net/udp" } else { "/proc/self/net/udp6" };
        let mut this = Self { file: File::open(path).ok(), port: address.port(), last: 0 };
        this.since_last();
        this
    }

    fn since_last(&mut self) -> u64 {
        let mut text = vec![0; 64 * 1024];
        let read = self.file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok());
        text.truncate(read.unwrap_or(0));
        let now = drops(&String::from_utf8_lossy(&text), self.port);
        now.saturating_sub(std::mem::replace(&mut self.last, now))
    }
}

/// The last column of all lines of that local port (proc(5), `/proc/net/udp`).
fn drops(text: &str, port: u16) -> u64 {
    let local = format!(":{port:04X}");
    let lines = text.lines().filter(|line| {
        line.split_whitespace().nth(1).is_some_and(|address| address.ends_with(&local))
    });
    let last = lines.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok());
    last.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_written_as_kind_and_place() {
        let (any, one) = ("0.0.0.0:4789", "192.0.2.1:6081");
        for (text, expected) in [
            ("vxlan:4789", Some((Wrapping::Vxlan, any))),
            ("geneve:192.0.2.1:6081", Some((Wrapping::Geneve, one))),
            ("tzsp:[::]:37008", Some((Wrapping::Tzsp, "[::]:37008"))),
            ("vxlan", None),
            ("vxlan:", None),
            ("vxlan:70000", None),
            ("gre:1", None),
            ("4789", None),
        ] {
            let mirror = text.parse::<Mirror>().ok();
            let expected = expected
                .map(|(wrapping, address)| Mirror { wrapping, address: address.parse().unwrap() });
            assert_eq!(mirror, expected, "{text}");
        }
    }

    #[test]
    fn outer_headers_are_sound() {
        let mirror: Mirror = "vxlan:192.0.2.1:14789".parse().unwrap();
        let packet = outer("192.0.2.9:5000".parse().unwrap(), mirror, b"datagram");
        assert_eq!(packet.len(), 20 + 8 + 8);
        assert_eq!(checksum(&packet[..20]), 0, "a header with its checksum adds up to nothing");
        assert_eq!(packet[20..28], [0x13, 0x88, 0x12, 0xb5, 0, 16, 0, 0]);
        let six: Mirror = "geneve:[2001:db8::1]:6081".parse().unwrap();
        let packet = outer("[2001:db8::9]:5000".parse().unwrap(), six, b"datagram");
        assert_eq!((packet.len(), packet[6]), (40 + 8 + 8, 17));
    }

    #[test]
    fn the_frame_of_tzsp_is_behind_its_tags() {
        for (datagram, expected) in [
            (&[1, 0, 0, 1, 1, 0xaa][..], Some(&[0xaa][..])),
            (&[1, 0, 0, 1, 0, 0, 10, 2, 9, 9, 1, 0xaa], Some(&[0xaa])),
            (&[1, 0, 0, 1, 1], Some(&[])),
            (&[1, 0, 0, 1, 10, 200, 9], None),
            (&[1, 0, 0, 1], None),
            (&[2, 0, 0, 1, 1, 0xaa], None),
            (&[1, 4, 0, 1, 1, 0xaa], None),
            (&[1, 0, 0], None),
            (&[], None),
        ] {
            assert_eq!(tzsp_frame(datagram), expected, "{datagram:?}");
        }
    }

    #[test]
    fn drops_are_in_the_last_column_of_the_port_s_lines() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                    uid  timeout inode ref pointer drops\n   \
                    1: 00000000:12B5 00000000:0000 07 0:0 00:0 0 0 0 1 2 0000 17\n   \
                    2: 00000000:12B6 00000000:0000 07 0:0 00:0 0 0 0 1 2 0000 5\n";
        assert_eq!(drops(text, 4_789), 17);
        assert_eq!(drops(text, 53), 0);
    }
}
