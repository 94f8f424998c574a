//! The walk from a frame to its innermost packet: one loop, one header a step, no recursion.
//!
//! In: a frame, or a datagram made of fragments. Out: the innermost transport header that makes
//! sense, or a fragment. Invariant: every step takes one from [`LAYERS`], those of a reassembled
//! datagram included, so that no packet can make the walk long.

use super::checksum::Checksum;
use super::fragments::{Datagram, Fragment, FragmentOverlap};
use super::limits::LAYERS;
use super::link;
use super::network::{self, Carried, Ip};
use super::span::Span;
use super::transport::{self, Head};
use super::tunnels::{self, Family, Tunnel, TunnelPath};
use super::{LinkType, SkipReason};

/// A header that another one announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// An Ethernet frame.
    Ethernet,
    /// An EtherType without addresses before it.
    EtherType,
    /// A VLAN tag.
    Vlan,
    /// IEEE 802.2.
    Llc,
    /// An entry of a label stack.
    Mpls,
    /// A PPPoE session's packet.
    Pppoe,
    /// PPP.
    Ppp,
    /// A network service header.
    Nsh,
    /// IP of either version.
    Ip,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// An IP packet with a transport header: what a flow is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// The IP header.
    pub(super) ip: Ip,
    /// IP protocol.
    pub(super) protocol: u8,
    /// From the transport header on.
    pub(super) span: Span<'a>,
    /// The transport header.
    pub(super) head: Head<'a>,
    /// The tunnels it came through.
    pub(super) tunnels: TunnelPath,
    /// What the IP headers' checksums say, the outer ones included.
    pub(super) checksum: Checksum,
}

/// Where a walk ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reached<'a> {
    /// At the innermost packet.
    Packet(Found<'a>),
    /// At a part of one.
    Fragment(Fragment<'a>),
}

/// Where a step leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// To the next header.
    Into(Layer, Span<'a>),
    /// Into a tunnel, whose own packet is what remains when there is none inside.
    Through(Found<'a>, Tunnel, Layer, Span<'a>),
    /// To the end.
    Reached(Reached<'a>),
}

type Stepped<'a> = Result<Step<'a>, SkipReason>;

/// What is known of a frame so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// Packets of the capture that the bytes at hand were made of.
    pub(super) captured: u32,
    /// How their fragments overlap.
    pub(super) overlap: FragmentOverlap,
    /// The outermost frame's first VLAN.
    pub(super) vlan: Option<u16>,
    /// Its second.
    pub(super) inner_vlan: Option<u16>,
    layers_left: usize,
    tunnels: TunnelPath,
    checksum: Checksum,
}

impl Walk {
    /// At the beginning of a frame.
    pub(super) fn new() -> Self {
        Self {
            captured: 1,
            overlap: FragmentOverlap::None,
            vlan: None,
            inner_vlan: None,
            layers_left: LAYERS,
            tunnels: TunnelPath::default(),
            checksum: Checksum::Good,
        }
    }

    /// Walks through a frame.
    pub(super) fn frame<'a>(
        &mut self,
        link: LinkType,
        frame: Span<'a>,
    ) -> Result<Reached<'a>, SkipReason> {
        let (layer, span) = link::outermost(link, frame)?;
        self.descend(Step::Into(layer, span))
    }

    /// Walks on through a datagram whose last fragment this frame brought.
    pub(super) fn datagram<'a>(
        &mut self,
        datagram: &'a Datagram,
    ) -> Result<Reached<'a>, SkipReason> {
        self.captured = datagram.captured;
        self.overlap = datagram.overlap;
        self.checksum = self.checksum.and(datagram.checksum);
        let span = Span::new(&datagram.bytes, datagram.wire);
        let first = self.carried(datagram.ip, datagram.protocol, span)?;
        self.descend(first)
    }

    /// Follows headers to the innermost packet that makes sense.
    fn descend<'a>(&mut self, first: Step<'a>) -> Result<Reached<'a>, SkipReason> {
        let mut step = first;
        let mut outer = None;
        loop {
            let (layer, span) = match step {
                Step::Into(layer, span) => (layer, span),
                Step::Through(packet, tunnel, layer, span) => {
                    outer = Some(packet);
                    self.tunnels.push(tunnel)?;
                    (layer, span)
                }
                Step::Reached(reached) => return Ok(reached),
            };
            self.layers_left = self.layers_left.checked_sub(1).ok_or(SkipReason::TooManyLayers)?;
            step = match (self.step(layer, span), outer) {
                (Ok(step), _) => step,
                (Err(reason), Some(_)) if reason == SkipReason::TooManyLayers => {
                    return Err(reason);
                }
                (Err(_), Some(packet)) => Step::Reached(Reached::Packet(packet)),
                (Err(reason), None) => return Err(reason),
            };
        }
    }

    /// Reads one header.
    fn step<'a>(&mut self, layer: Layer, span: Span<'a>) -> Stepped<'a> {
        let (layer, span) = match layer {
            Layer::Ip => return self.ip(network::ip(span, self.tunnels.fit())?),
            Layer::Ipv4 => return self.ip(network::ipv4(span, self.tunnels.fit())?),
            Layer::Ipv6 => return self.ip(network::ipv6(span, self.tunnels.fit())?),
            Layer::Vlan => {
                let (vlan, next) = link::vlan(span)?;
                self.note_vlan(vlan);
                next?
            }
            Layer::Ethernet => link::ethernet(span)?,
            Layer::EtherType => link::bare_ether_type(span)?,
            Layer::Llc => link::llc(span)?,
            Layer::Mpls => link::mpls(span)?,
            Layer::Pppoe => link::pppoe(span)?,
            Layer::Ppp => link::ppp(span)?,
            Layer::Nsh => link::nsh(span)?,
        };
        Ok(Step::Into(layer, span))
    }

    /// The outermost frame's tags count: they say where in the network the capture was made.
    fn note_vlan(&mut self, vlan: Option<u16>) {
        if !self.tunnels.is_empty() {
            return;
        }
        if self.vlan.is_none() {
            self.vlan = vlan;
        } else if self.inner_vlan.is_none() {
            self.inner_vlan = vlan;
        }
    }

    fn ip<'a>(&mut self, (ip, carried): (Ip, Carried<'a>)) -> Stepped<'a> {
        match carried {
            Carried::Whole { protocol, span } => {
                self.checksum = self.checksum.and(ip.checksum);
                self.carried(ip, protocol, span)
            }
            Carried::Part(part) => Ok(self.fragment(ip, part)),
        }
    }

    fn fragment<'a>(&self, ip: Ip, part: network::Part<'a>) -> Step<'a> {
        let Self { captured, overlap, vlan, tunnels, .. } = *self;
        let checksum = self.checksum.and(ip.checksum);
        Step::Reached(Reached::Fragment(Fragment {
            ip,
            part,
            vlan,
            tunnels,
            captured,
            checksum,
            overlap,
        }))
    }

    /// What an IP packet carries: extension headers, then a transport, which may be a tunnel.
    fn carried<'a>(&mut self, mut ip: Ip, protocol: u8, span: Span<'a>) -> Stepped<'a> {
        let (protocol, span) = match network::extensions(&mut ip, protocol, span)? {
            Carried::Whole { protocol, span } => (protocol, span),
            Carried::Part(part) => return Ok(self.fragment(ip, part)),
        };
        let head = transport::head(protocol, span)?;
        let (tunnels, checksum) = (self.tunnels, self.checksum);
        let found = Found { ip, protocol, span, head, tunnels, checksum };
        let family = if ip.dst.is_ipv4() { Family::V4 } else { Family::V6 };
        Ok(match tunnels::enter(protocol, family, span, &head) {
            Some((tunnel, layer, inside)) => Step::Through(found, tunnel, layer, inside),
            None => Step::Reached(Reached::Packet(found)),
        })
    }
}
