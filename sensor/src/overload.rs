//! What is let go when packets come faster than they can be read: what tells least, first.
//!
//! In: decoded packets, and how full the place is where others wait. Out: which of them go no
//! further, and why. Without a choice the kernel would lose whatever comes next, a look-up or a
//! handshake as soon as the thousandth megabyte of a download.
//!
//! From a ring that is half full on, payload of flows that carry much goes ([`ELEPHANT_BYTES`]);
//! from three quarters on, all payload behind a flow's first bytes ([`FIRST_BYTES`]). Handshakes,
//! ends, acknowledgements and questions for names always stay. What went leaves a gap in its flow,
//! which says so as it does of every other loss. What flows carry is counted only meanwhile, so
//! that a sensor that keeps up pays nothing for it.
//!
//! Memory: one table of [`PLACES`] counters. Two flows that share a place count together, so that a
//! small one may be taken for a large one; it still keeps its handshake.

use std::time::Duration;

use analyzers::{Timestamp, Transport};

use crate::capture::Pressure;
use crate::decode::{Packet, SkipReason};

/// Bytes of payload within [`SPAN`] or two from which a flow is an elephant.
const ELEPHANT_BYTES: u32 = 1 << 20;

/// Payload of a flow that is worth more than the rest: hellos, certificates, requests, logins.
const FIRST_BYTES: u32 = 64 << 10;

/// Time after which what a flow has carried counts for half.
const SPAN: Duration = Duration::from_secs(10);

/// Counters, a power of two: a quarter of a mebibyte.
const PLACES: usize = 1 << 16;

/// TCP flags that open or end something: FIN, SYN, RST.
const TURNS: u8 = 0x07;

/// Ports of names: DNS, NetBIOS, mDNS, LLMNR.
const NAME_PORTS: [u16; 4] = [53, 137, 5_353, 5_355];

/// How much flows carry while packets come too fast.
#[derive(Debug, Default)]
pub struct Overload {
    carried: Vec<u32>,
    halved: Option<Timestamp>,
}

impl Overload {
    /// Why a packet of the flow with that hash is let go, if it is.
    pub fn sheds(&mut self, packet: &Packet, hash: u64, pressure: Pressure) -> Option<SkipReason> {
        if pressure == Pressure::Low || is_spared(packet) {
            return None;
        }
        let carried = self.count(packet, hash);
        if carried >= ELEPHANT_BYTES {
            return Some(SkipReason::OverloadElephant);
        }
        let is_rest = pressure == Pressure::Critical && carried >= FIRST_BYTES;
        is_rest.then_some(SkipReason::OverloadPayload)
    }

    /// What the flow has carried, this packet included.
    fn count(&mut self, packet: &Packet, hash: u64) -> u32 {
        if self.carried.is_empty() {
            self.carried = vec![0; PLACES];
        }
        if packet.time.since(*self.halved.get_or_insert(packet.time)) >= SPAN {
            self.carried.iter_mut().for_each(|carried| *carried /= 2);
            self.halved = Some(packet.time);
        }
        let place = usize::try_from(hash >> 32).unwrap_or(0) % PLACES;
        let carried = &mut self.carried[place];
        *carried = carried.saturating_add(packet.payload_wire_bytes);
        *carried
    }
}

/// Whether a packet stays whatever happens.
fn is_spared(packet: &Packet) -> bool {
    let names = |port| NAME_PORTS.contains(&port);
    match packet.transport {
        _ if packet.payload_wire_bytes == 0 => true,
        Transport::TCP => packet.tcp.is_none_or(|tcp| tcp.flags & TURNS != 0),
        Transport::UDP => names(packet.src_port) || names(packet.dst_port),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::TcpFields;
    use crate::flow::tests::packet;

    fn tcp(flags: u8, payload: u32) -> Packet {
        let fields = TcpFields { seq: 1, ack: 1, flags, window: 1_024, urgent: 0 };
        let packet = packet("10.0.0.1", 40_000, "192.0.2.1", 443, Transport::TCP);
        Packet { tcp: Some(fields), payload_wire_bytes: payload, ..packet }
    }

    fn udp((src_port, dst_port): (u16, u16), payload: u32) -> Packet {
        let packet = packet("10.0.0.1", src_port, "192.0.2.1", dst_port, Transport::UDP);
        Packet { payload_wire_bytes: payload, ..packet }
    }

    /// The first of so many packets that is let go, and why.
    fn first_shed(packet: &Packet, pressure: Pressure, packets: u32) -> Option<(u32, SkipReason)> {
        let mut overload = Overload::default();
        (1..=packets).find_map(|number| Some((number, overload.sheds(packet, 7, pressure)?)))
    }

    #[test]
    fn the_fuller_it_is_the_less_is_spared() {
        use Pressure::{Critical, High, Low};
        use SkipReason::{OverloadElephant, OverloadPayload};
        let bulk = tcp(0x18, 1_024);
        for (pressure, expected) in [
            (Low, None),
            (High, Some((1_024, OverloadElephant))),
            (Critical, Some((64, OverloadPayload))),
        ] {
            assert_eq!(first_shed(&bulk, pressure, 5_000), expected, "{pressure:?}");
        }
    }

    #[test]
    fn what_opens_ends_acknowledges_or_asks_for_names_stays() {
        for packet in [tcp(0x02, 1_024), tcp(0x11, 1_024), tcp(0x14, 1_024), tcp(0x10, 0)] {
            assert_eq!(first_shed(&packet, Pressure::Critical, 5_000), None);
        }
        for (ports, stays) in [((40_000, 53), true), ((5_353, 5_353), true), ((443, 9_999), false)]
        {
            let shed = first_shed(&udp(ports, 1_024), Pressure::Critical, 5_000);
            assert_eq!(shed.is_none(), stays, "{ports:?}");
        }
    }

    #[test]
    fn a_flow_that_has_been_quiet_is_no_elephant_any_more() {
        let mut overload = Overload::default();
        let mut packet = tcp(0x18, 1 << 20);
        let elephant = Some(SkipReason::OverloadElephant);
        assert_eq!(overload.sheds(&packet, 7, Pressure::High), elephant);
        packet.payload_wire_bytes = 1;
        assert_eq!(overload.sheds(&packet, 7, Pressure::High), elephant);
        packet.time = packet.time.after(SPAN);
        assert_eq!(overload.sheds(&packet, 7, Pressure::High), None);
        assert_eq!(overload.sheds(&packet, 8 << 32, Pressure::High), None, "another flow");
    }
}
