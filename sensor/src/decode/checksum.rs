//! The Internet checksum (RFC 1071), over eight bytes at a time.
//!
//! In: headers and payload. Out: whether they sum up. What is wrong is marked and never dropped:
//! network cards fill in checksums after a host captured its own packets.

use std::net::IpAddr;

/// What is known of a packet's IP and transport checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// They match, or there is none. CRCs, as SCTP's, are not looked at.
    Good,
    /// One does not match; on a host that captures itself this is usually its network card's work.
    Bad,
    /// The capture cut the packet, or a source route hides the address that was summed, so that
    /// nobody can tell.
    Unknown,
}

impl Checksum {
    /// What is known of both together: one bad is bad, and without a bad one, one unknown is
    /// unknown.
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bad, _) | (_, Self::Bad) => Self::Bad,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Good, Self::Good) => Self::Good,
        }
    }
}

/// A sum under way. The order of bytes within words does not matter to whether a sum is right
/// (RFC 1071, section 2 B), so the machine's own is taken; every part but the last must be even.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum(u64);

impl Sum {
    /// The sum with more bytes. Halves of a word are added to 64 bits, so that no carry is lost
    /// below sixteen gigabytes.
    #[inline]
    pub(super) fn with(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let halves = |word: u64| (word & 0xffff_ffff).wrapping_add(word >> 32);
        let mut sum = self.0.wrapping_add(halves(u64::from_ne_bytes(last)));
        for word in words {
            sum = sum.wrapping_add(halves(u64::from_ne_bytes(*word)));
        }
        Self(sum)
    }

    /// The sum with the pseudo-header that TCP, UDP and ICMPv6 begin with (RFC 8200, section 8.1;
    /// RFC 9293, section 3.1, comes to the same).
    pub(super) fn with_pseudo_header(
        self,
        src: IpAddr,
        dst: IpAddr,
        protocol: u8,
        len: u32,
    ) -> Self {
        let addresses = match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => self.with(&src.octets()).with(&dst.octets()),
            (IpAddr::V6(src), IpAddr::V6(dst)) => self.with(&src.octets()).with(&dst.octets()),
            // One packet's addresses are of one family.
            _ => self,
        };
        addresses.with(&len.to_be_bytes()).with(&[0, 0, 0, protocol])
    }

    /// Good where the bytes, their checksum field included, sum up to ones.
    pub(super) fn verdict(self) -> Checksum {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff).wrapping_add(sum >> 16);
        }
        if sum == 0xffff { Checksum::Good } else { Checksum::Bad }
    }
}
