//! Flows whose beat waits for a name, and what open flows were counted as.
//!
//! In: first packets, names, ends. Out: the flows that must be counted by their address, because a
//! while has passed or they ended and no name came.

use std::collections::VecDeque;

use super::Beat;
use super::destination::{Key, Target};
use crate::detector::{Event, Opening};
use crate::flow_id::{FlowId, Transport, Uid};
use crate::limits::{BEACON_FLOWS, BEACON_NAME_WAIT};
use crate::recent::Recent;
use crate::time::Timestamp;

/// ICMP types of an echo request, in IPv4 and IPv6: the one message that is nobody's answer.
const ECHO_REQUEST: [(Transport, u16); 2] = [(Transport::ICMP, 8), (Transport::ICMP6, 128)];

/// A flow and what it was counted as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub flow: FlowId,
    pub ts: Timestamp,
    /// The track, and the beat in it whose bytes are to come.
    pub counted: Option<(Key, Option<u32>)>,
    /// The same, by client and network.
    pub network: Option<(Key, u32)>,
}

impl Opened {
    /// Its beat, where no name is known.
    pub(super) const fn by_address(&self, now: Timestamp, bytes: Option<u32>) -> Beat<'_> {
        Beat {
            flow: &self.flow,
            target: Target::of_flow(&self.flow),
            ts: self.ts,
            now,
            bytes,
            client: None,
            name: None,
            is_tls: false,
            is_self_signed: false,
        }
    }
}

/// Open flows.
#[derive(Debug)]
pub(super) struct Flows {
    open: Recent<Uid, Opened>,
    /// Those that wait, in the order in which they opened; some are done by now.
    waiting: VecDeque<(Timestamp, Uid)>,
}

impl Default for Flows {
    fn default() -> Self {
        Self { open: Recent::new(BEACON_FLOWS), waiting: VecDeque::new() }
    }
}

impl Flows {
    /// A flow opened. If too many wait, the oldest must be counted now.
    pub(super) fn open(&mut self, event: &Event<'_>, opening: Opening) -> Option<Opened> {
        let flow = event.flow;
        if opening == Opening::Midstream || !is_beat(flow) {
            return None;
        }
        self.open
            .insert(flow.uid, Opened { flow: *flow, ts: event.ts, counted: None, network: None });
        self.waiting.push_back((event.ts, flow.uid));
        if self.waiting.len() > BEACON_FLOWS { self.next() } else { None }
    }

    /// The next flow that has waited for long enough at `now`.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Option<Opened> {
        while let Some((ts, _)) = self.waiting.front()
            && ts.after(BEACON_NAME_WAIT) <= now
        {
            if let Some(opened) = self.next() {
                return Some(opened);
            }
        }
        None
    }

    /// The flow that waited the longest, if it still does.
    fn next(&mut self) -> Option<Opened> {
        let (_, uid) = self.waiting.pop_front()?;
        self.open.peek(&uid).filter(|opened| opened.counted.is_none()).copied()
    }

    /// A flow that was not counted yet.
    pub(super) fn waiting(&self, uid: Uid) -> Option<Opened> {
        self.open.peek(&uid).filter(|opened| opened.counted.is_none()).copied()
    }

    /// What a flow was counted as.
    pub(super) fn counted_as(&mut self, uid: Uid) -> Option<Key> {
        self.open.get_mut(&uid).and_then(|opened| opened.counted).map(|(key, _)| key)
    }

    /// A flow was counted.
    pub(super) fn count(&mut self, uid: Uid, key: Key, number: Option<u32>) {
        if let Some(opened) = self.open.get_mut(&uid) {
            opened.counted = Some((key, number));
        }
    }

    /// A flow was counted by its client and network, too.
    pub(super) fn count_network(&mut self, uid: Uid, key: Key, number: u32) {
        if let Some(opened) = self.open.get_mut(&uid) {
            opened.network = Some((key, number));
        }
    }

    /// A row of a flow came: what it was counted as. Bytes are wanted once.
    pub(super) fn row(&mut self, uid: Uid, is_over: bool) -> Option<Opened> {
        if is_over {
            return self.open.remove(&uid);
        }
        let opened = self.open.get_mut(&uid)?;
        let before = *opened;
        opened.network = None;
        if let Some((_, number)) = &mut opened.counted {
            *number = None;
        }
        Some(before)
    }

    /// A flow is no beat after all.
    pub(super) fn forget(&mut self, uid: Uid) {
        self.open.remove(&uid);
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.open.evicted()
    }
}

/// Whether a flow can be a beat: not an ICMP error, and not to everybody in the neighbourhood.
fn is_beat(flow: &FlowId) -> bool {
    let is_icmp = matches!(flow.transport, Transport::ICMP | Transport::ICMP6);
    let is_answer = is_icmp && !ECHO_REQUEST.contains(&(flow.transport, flow.src.port));
    let is_neighbourhood = match flow.dst.ip {
        std::net::IpAddr::V4(v4) => {
            v4.is_multicast() || v4.is_broadcast() || v4.is_link_local() || v4.is_unspecified()
        }
        std::net::IpAddr::V6(v6) => {
            v6.is_multicast() || v6.is_unicast_link_local() || v6.is_unspecified()
        }
    };
    !is_answer && !is_neighbourhood
}
