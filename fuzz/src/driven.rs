//! One protocol's analyzer, driven by the contract alone and held to it.
//!
//! In: pieces of a flow. Out: what the analyzer emits; a panic where an answer breaks the contract.
//! The sensor's session stands behind the same verbs, so that a target can feed either.

use analyzers::{
    Analyzer, Chunk, Direction, Emitter, Finish, FlowContext, Gap, PerDirection, Protocol, Step,
    Timestamp, protocols,
};
use sensor::session::Session;

/// What takes a flow's payload.
pub trait Subject {
    /// Takes contiguous bytes of a stream.
    fn bytes(&mut self, from: Direction, time: Timestamp, bytes: &[u8], emitter: &mut Emitter);
    /// Learns that bytes of a stream are missing.
    fn gap(&mut self, from: Direction, time: Timestamp, missing: u64, emitter: &mut Emitter);
    /// Takes a datagram, of which the capture holds `bytes`.
    fn datagram(
        &mut self,
        from: Direction,
        time: Timestamp,
        bytes: &[u8],
        wire_bytes: usize,
        emitter: &mut Emitter,
    );
    /// Learns that the flow is over.
    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter);
}

impl Subject for Session {
    fn bytes(&mut self, from: Direction, time: Timestamp, bytes: &[u8], emitter: &mut Emitter) {
        Self::bytes(self, from, time, bytes, emitter);
    }

    fn gap(&mut self, from: Direction, time: Timestamp, missing: u64, emitter: &mut Emitter) {
        Self::gap(self, from, time, missing, emitter);
    }

    fn datagram(
        &mut self,
        from: Direction,
        time: Timestamp,
        bytes: &[u8],
        wire_bytes: usize,
        emitter: &mut Emitter,
    ) {
        Self::datagram(self, from, time, bytes, wire_bytes, emitter);
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        Self::finish(self, finish, emitter);
    }
}

/// An analyzer that no probe chose.
pub struct Driven {
    protocol: &'static Protocol,
    /// `None` once it wants nothing more; `finish` is still told.
    wants: PerDirection<Option<usize>>,
    analyzer: Box<dyn Analyzer>,
    kept: PerDirection<Vec<u8>>,
}

impl Driven {
    /// The protocols that have an analyzer.
    pub fn protocols() -> impl Iterator<Item = &'static Protocol> + Clone {
        protocols::ALL.iter().copied().filter(|protocol| protocol.analyzer.is_some())
    }

    /// The analyzer of `protocol`, if it has one.
    #[must_use]
    pub fn new(protocol: &'static Protocol, context: &FlowContext) -> Option<Self> {
        let analyzer = protocol.analyzer?(context);
        let wants = PerDirection { src: Some(0), dst: Some(0) };
        Some(Self { protocol, wants, analyzer, kept: PerDirection::default() })
    }

    /// Does what the analyzer answered after it was shown all that is kept.
    fn settle(&mut self, from: Direction, step: Step) {
        let kept = self.kept.of_mut(from);
        let longest = self.protocol.buffer_bytes_max;
        let wants = match step {
            Step::Consumed(count) => {
                assert!(count <= kept.len(), "{count} consumed of {}", kept.len());
                kept.drain(..count);
                Some(0)
            }
            Step::NeedMore { at_least } => {
                assert!(at_least > kept.len(), "{at_least} needed, {} are there", kept.len());
                let one_more = kept.len() + 1;
                assert!(at_least <= longest.max(one_more), "{at_least} needed of {longest}");
                Some(at_least).filter(|&at_least| at_least <= longest)
            }
            Step::HandOff { from, .. } => {
                assert!(from <= kept.len(), "handed on from {from} of {}", kept.len());
                None
            }
            Step::Done | Step::NotMine => None,
        };
        match wants.filter(|_| kept.len() <= longest) {
            Some(at_least) => *self.wants.of_mut(from) = Some(at_least),
            None => self.wants = PerDirection::default(),
        }
    }
}

impl Subject for Driven {
    fn bytes(&mut self, from: Direction, time: Timestamp, bytes: &[u8], emitter: &mut Emitter) {
        let Some(at_least) = *self.wants.of(from) else { return };
        let kept = self.kept.of_mut(from);
        kept.extend_from_slice(bytes);
        if kept.len() >= at_least {
            let chunk = Chunk { direction: from, time, bytes: kept, wire_bytes: kept.len() };
            let step = self.analyzer.data(&chunk, emitter);
            self.settle(from, step);
        }
    }

    fn gap(&mut self, from: Direction, time: Timestamp, missing: u64, emitter: &mut Emitter) {
        if self.wants.of(from).is_some() {
            let rest = std::mem::take(self.kept.of_mut(from));
            let gap = Gap { direction: from, time, missing, rest: &rest };
            // Nothing is left of what came before the gap, whatever the answer says of it.
            match self.analyzer.gap(&gap, emitter) {
                Step::Consumed(_) => *self.wants.of_mut(from) = Some(0),
                Step::NeedMore { at_least } => *self.wants.of_mut(from) = Some(at_least),
                Step::HandOff { .. } | Step::Done | Step::NotMine => {
                    self.wants = PerDirection::default();
                }
            }
        }
    }

    fn datagram(
        &mut self,
        from: Direction,
        time: Timestamp,
        bytes: &[u8],
        wire_bytes: usize,
        emitter: &mut Emitter,
    ) {
        if self.wants.of(from).is_some() {
            let chunk = Chunk { direction: from, time, bytes, wire_bytes };
            let step = self.analyzer.data(&chunk, emitter);
            if matches!(step, Step::Done | Step::NotMine | Step::HandOff { .. }) {
                self.wants = PerDirection::default();
            }
        }
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        let rest = match self.wants.src {
            Some(_) => PerDirection { src: &*self.kept.src, dst: &*self.kept.dst },
            None => PerDirection::default(),
        };
        self.analyzer.finish(&Finish { rest, ..*finish }, emitter);
    }
}
