//! The walk from a frame to its innermost packet: one loop, one header a step, no recursion.
//!
//! In: a frame, or a datagram made of fragments. Out: the innermost transport header that makes
//! sense, or a fragment. Invariant: every step takes one from [`LAYERS`], those of a reassembled
//! datagram included, so that no packet can make the walk long.

use super::checksum::Checksum;
use super::fragments::{Datagram, Fragment, FragmentOverlap};
use super::limits::LAYERS;
use super::link;
use super::network::{self, Carried, Ip, Part};
use super::span::Span;
use super::transport::{self, Head};
use super::tunnels::{self, Family, TunnelPath};
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
    /// How many of the walk's tunnels it came through.
    pub(super) tunnels: usize,
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
enum Step<'a> {
    /// To the next header.
    Into(Layer, Span<'a>),
    /// Nowhere: what was reached is the innermost.
    Stop,
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
    /// The tunnels that were entered.
    pub(super) tunnels: TunnelPath,
    layers_left: usize,
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
    #[inline(always)]
    pub(super) fn frame<'a>(
        &mut self,
        link: LinkType,
        frame: Span<'a>,
        reached: &mut Option<Reached<'a>>,
    ) -> Result<(), SkipReason> {
        let (layer, span) = link::outermost(link, frame)?;
        self.descend(Step::Into(layer, span), reached)
    }

    /// Walks on through a datagram whose last fragment this frame brought.
    pub(super) fn datagram<'a>(
        &mut self,
        datagram: &'a Datagram,
        reached: &mut Option<Reached<'a>>,
    ) -> Result<(), SkipReason> {
        self.captured = datagram.captured;
        self.overlap = datagram.overlap;
        self.checksum = self.checksum.and(datagram.checksum);
        let span = Span::new(&datagram.bytes, datagram.wire);
        let first = self.carried(datagram.ip, datagram.protocol, span, reached)?;
        self.descend(first, reached)
    }

    /// Follows headers as far as they make sense. `reached` is the innermost packet so far: what
    /// remains when there is none inside what looked like a tunnel.
    #[inline(always)]
    fn descend<'a>(
        &mut self,
        first: Step<'a>,
        reached: &mut Option<Reached<'a>>,
    ) -> Result<(), SkipReason> {
        let mut step = first;
        while let Step::Into(layer, span) = step {
            self.layers_left = self.layers_left.checked_sub(1).ok_or(SkipReason::TooManyLayers)?;
            step = match self.step(layer, span, reached) {
                Ok(next) => next,
                Err(reason) if reached.is_none() || reason == SkipReason::TooManyLayers => {
                    return Err(reason);
                }
                Err(_) => Step::Stop,
            };
        }
        Ok(())
    }

    /// Reads one header.
    #[inline(always)]
    fn step<'a>(
        &mut self,
        layer: Layer,
        span: Span<'a>,
        reached: &mut Option<Reached<'a>>,
    ) -> Stepped<'a> {
        let (layer, span) = match layer {
            Layer::Ip => return self.ip(network::ip(span, self.tunnels.fit())?, reached),
            Layer::Ipv4 => return self.ip(network::ipv4(span, self.tunnels.fit())?, reached),
            Layer::Ipv6 => return self.ip(network::ipv6(span, self.tunnels.fit())?, reached),
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
        if self.tunnels.depth() > 0 {
            return;
        }
        if self.vlan.is_none() {
            self.vlan = vlan;
        } else if self.inner_vlan.is_none() {
            self.inner_vlan = vlan;
        }
    }

    #[inline(always)]
    fn ip<'a>(
        &mut self,
        (ip, carried): (Ip, Carried<'a>),
        reached: &mut Option<Reached<'a>>,
    ) -> Stepped<'a> {
        self.checksum = self.checksum.and(ip.checksum);
        match carried {
            Carried::Whole { protocol, span } => self.carried(ip, protocol, span, reached),
            Carried::Part(part) => {
                *reached = Some(Reached::Fragment(self.fragment(ip, part)));
                Ok(Step::Stop)
            }
        }
    }

    fn fragment<'a>(&self, ip: Ip, part: Part<'a>) -> Fragment<'a> {
        let Self { captured, overlap, vlan, tunnels, checksum, .. } = *self;
        Fragment { ip, part, vlan, tunnels, captured, checksum, overlap }
    }

    /// What an IP packet carries: extension headers, then a transport.
    #[inline(always)]
    fn carried<'a>(
        &mut self,
        mut ip: Ip,
        protocol: u8,
        span: Span<'a>,
        reached: &mut Option<Reached<'a>>,
    ) -> Stepped<'a> {
        if network::is_extension(&ip, protocol) {
            return match network::extensions(&mut ip, protocol, span)? {
                Carried::Whole { protocol, span } => self.transport(ip, protocol, span, reached),
                Carried::Part(part) => {
                    *reached = Some(Reached::Fragment(self.fragment(ip, part)));
                    Ok(Step::Stop)
                }
            };
        }
        self.transport(ip, protocol, span, reached)
    }

    /// A transport, or the tunnel that it is.
    #[inline(always)]
    fn transport<'a>(
        &mut self,
        ip: Ip,
        protocol: u8,
        span: Span<'a>,
        reached: &mut Option<Reached<'a>>,
    ) -> Stepped<'a> {
        let head = transport::head(protocol, span)?;
        let (tunnels, checksum) = (self.tunnels.depth(), self.checksum);
        *reached = Some(Reached::Packet(Found { ip, protocol, span, head, tunnels, checksum }));
        let family = if ip.dst.is_ipv4() { Family::V4 } else { Family::V6 };
        let Some((tunnel, layer, inside)) = tunnels::enter(protocol, family, span, &head) else {
            return Ok(Step::Stop);
        };
        self.tunnels.push(tunnel)?;
        Ok(Step::Into(layer, inside))
    }
}
