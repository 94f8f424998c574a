//! One flow's conversation with the protocols: recognise by first bytes, drive the analyzer, hand
//! over to the next.
//!
//! In: contiguous bytes, gaps and datagrams of a flow. Out: what analyzers emit, and the name of
//! the service. Bytes that an analyzer did not consume are kept here, up to the bound it states.

use analyzers::limits::{PROBE_BYTES, PROBE_DATAGRAMS};
use analyzers::protocols;
use analyzers::{
    Analyzer, Chunk, Detail, Direction, Emitter, Finish, FlowContext, Gap, Next, PerDirection,
    Probe, Protocol, Step, Timestamp, Verdict, Weird,
};
use smallvec::SmallVec;

use crate::stream::assembler::Keep;
use containment::{Lost, call, is_off};

pub mod containment;

/// Hand-offs of one flow. A flow that asks for more plays with us.
const HAND_OFFS_MAX: usize = 4;

/// A flow's protocols.
pub struct Session {
    context: FlowContext,
    state: State,
    /// Analyzers that handed the flow on; they are told of its end.
    handed_on: SmallVec<[Active; 0]>,
    pending: PerDirection<Pending>,
    service: Option<&'static str>,
}

/// Where a session is.
enum State {
    /// Collecting first bytes.
    Probing {
        /// Datagrams looked at.
        datagrams: u8,
        /// Whose bytes came first.
        first: Option<Direction>,
    },
    /// One protocol's analyzer gets everything.
    Active(Active),
    /// Nobody wants the bytes.
    Ignored,
}

struct Active {
    protocol: &'static Protocol,
    analyzer: Box<dyn Analyzer>,
}

impl Active {
    /// Tells the analyzer of the flow's end; it is not called again.
    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        let Self { protocol, analyzer } = self;
        if call(protocol, || analyzer.finish(finish, emitter)) == Err(Lost) {
            let name = protocol.name;
            emitter.weird_with(finish.time, Weird::AnalyzerPanic, Detail::Word(name));
        }
    }
}

/// Bytes of one direction that were not consumed.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// Not shown again before there are this many.
    at_least: usize,
    /// Packet time of the newest of them.
    time: Timestamp,
}

impl Pending {
    /// Keeps what was shown and not consumed.
    fn keep(&mut self, time: Timestamp, consumed: usize, at_least: usize, shown: Shown<'_>) {
        match shown {
            Shown::Fresh(bytes) => {
                if let Some(rest) = bytes.get(consumed..) {
                    self.bytes.extend_from_slice(rest);
                }
            }
            // Given back rather than cleared: most flows never keep anything again.
            Shown::Pending if consumed >= self.bytes.len() => self.bytes = Vec::new(),
            Shown::Pending => drop(self.bytes.drain(..consumed)),
        }
        self.at_least = at_least;
        self.time = time;
    }
}

/// What a session does with the bytes of one step.
enum Turn {
    /// Nothing more to do for now.
    Wait,
    /// The rest belongs to whoever comes next.
    Again,
}

impl Session {
    /// A session for a flow that has just begun.
    #[must_use]
    pub fn new(context: FlowContext) -> Self {
        Self {
            context,
            state: State::Probing { datagrams: 0, first: None },
            handed_on: SmallVec::new(),
            pending: PerDirection::default(),
            service: None,
        }
    }

    /// The protocol that was recognised.
    #[must_use]
    pub const fn service(&self) -> Option<&'static str> {
        self.service
    }

    /// What a stream should hold for this session: bytes only while someone wants them.
    #[must_use]
    pub const fn wanted(&self) -> Keep {
        match self.state {
            State::Ignored => Keep::Ranges,
            State::Probing { .. } | State::Active(_) => Keep::Bytes,
        }
    }

    /// Takes one datagram, of which the capture holds `bytes`.
    pub fn datagram(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        wire_bytes: usize,
        emitter: &mut Emitter,
    ) {
        let chunk = Chunk { direction, time, bytes, wire_bytes };
        match &mut self.state {
            State::Ignored => {}
            State::Active(_) => self.drive_datagram(&chunk, emitter),
            State::Probing { datagrams, .. } => {
                *datagrams = datagrams.saturating_add(1);
                let last_try = *datagrams >= PROBE_DATAGRAMS;
                match self.recognise(direction, bytes) {
                    Recognition::Found(protocol) => {
                        self.become_active(protocol);
                        self.drive_datagram(&chunk, emitter);
                    }
                    Recognition::Nobody | Recognition::Unsure if last_try => self.ignore(),
                    Recognition::Nobody | Recognition::Unsure => {}
                }
            }
        }
    }

    /// Takes contiguous bytes of a stream.
    pub fn bytes(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        emitter: &mut Emitter,
    ) {
        match &self.state {
            State::Ignored => {}
            State::Active(_) if self.pending.of(direction).bytes.is_empty() => {
                self.show(direction, time, Shown::Fresh(bytes), emitter);
            }
            State::Active(_) => {
                let pending = self.pending.of_mut(direction);
                pending.bytes.extend_from_slice(bytes);
                if pending.bytes.len() >= pending.at_least {
                    self.show(direction, time, Shown::Pending, emitter);
                }
            }
            State::Probing { .. } => self.probe_stream(direction, time, bytes, emitter),
        }
    }

    /// Learns that bytes of a stream are missing.
    pub fn gap(
        &mut self,
        direction: Direction,
        time: Timestamp,
        missing: u64,
        emitter: &mut Emitter,
    ) {
        match &mut self.state {
            State::Ignored => {}
            State::Probing { .. } => {
                // What comes after the gap is probed afresh; what came before told nobody enough.
                self.pending.of_mut(direction).bytes.clear();
                self.context.start = analyzers::StreamStart::Midstream;
                for direction in Direction::BOTH {
                    self.pending.of_mut(direction).at_least = 0;
                }
            }
            State::Active(active) => {
                let rest = std::mem::take(self.pending.of_mut(direction));
                let gap = Gap { direction, time, missing, rest: &rest.bytes };
                let step = match call(active.protocol, || active.analyzer.gap(&gap, emitter)) {
                    Ok(step) => step,
                    Err(Lost) => return self.lose(time, emitter),
                };
                self.settle(direction, time, step, Shown::Fresh(&[]), emitter);
            }
        }
    }

    /// Tells every analyzer of the flow that it is over.
    pub fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        if let State::Active(active) = &mut self.state {
            let rest = PerDirection {
                src: self.pending.src.bytes.as_slice(),
                dst: self.pending.dst.bytes.as_slice(),
            };
            let finish = Finish { rest, ..*finish };
            active.finish(&finish, emitter);
        }
        for active in self.handed_on.iter_mut().rev() {
            active.finish(finish, emitter);
        }
        self.ignore();
    }

    fn drive_datagram(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) {
        let State::Active(active) = &mut self.state else { return };
        let step = match call(active.protocol, || active.analyzer.data(chunk, emitter)) {
            Ok(step) => step,
            Err(Lost) => return self.lose(chunk.time, emitter),
        };
        match step {
            Step::Consumed(_) | Step::NeedMore { .. } => {}
            Step::Done => self.retire(),
            Step::NotMine => self.disown(),
            Step::HandOff { to, from } => {
                self.hand_off(to, chunk.time, emitter);
                let rest = chunk.bytes.get(from..).unwrap_or_default();
                if !rest.is_empty() {
                    let wire_bytes = chunk.wire_bytes.saturating_sub(from);
                    self.datagram(chunk.direction, chunk.time, rest, wire_bytes, emitter);
                }
            }
        }
    }

    fn probe_stream(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        emitter: &mut Emitter,
    ) {
        if let State::Probing { first, .. } = &mut self.state {
            first.get_or_insert(direction);
        }
        let pending = self.pending.of_mut(direction);
        pending.bytes.extend_from_slice(bytes);
        pending.time = time;
        let shown = pending.bytes.len().min(PROBE_BYTES);
        let exhausted = pending.bytes.len() >= PROBE_BYTES;
        if pending.at_least == usize::MAX {
            // Nobody was the answer already, which more bytes do not change.
            return self.give_up_probing(direction);
        }
        let first_bytes = std::mem::take(&mut pending.bytes);
        let recognition = self.recognise(direction, first_bytes.get(..shown).unwrap_or_default());
        self.pending.of_mut(direction).bytes = first_bytes;
        match recognition {
            Recognition::Found(protocol) => self.start_stream(protocol, emitter),
            Recognition::Unsure if !exhausted => {}
            Recognition::Unsure | Recognition::Nobody => self.give_up_probing(direction),
        }
    }

    /// One direction told nobody anything. The other may still, as long as what the first one said
    /// can be kept for the analyzer that it finds.
    fn give_up_probing(&mut self, direction: Direction) {
        let other_gave_up = self.pending.of(direction.reversed()).at_least == usize::MAX;
        let pending = self.pending.of_mut(direction);
        pending.at_least = usize::MAX;
        if other_gave_up || pending.bytes.len() >= PROBE_BYTES {
            self.ignore();
        }
    }

    /// Gives a recognised stream's first bytes to its analyzer, in the order of their arrival.
    fn start_stream(&mut self, protocol: &'static Protocol, emitter: &mut Emitter) {
        let first = match self.state {
            State::Probing { first: Some(first), .. } => first,
            _ => Direction::SrcToDst,
        };
        self.become_active(protocol);
        for direction in [first, first.reversed()] {
            let pending = self.pending.of_mut(direction);
            pending.at_least = 0;
            let time = pending.time;
            if !pending.bytes.is_empty() {
                self.show(direction, time, Shown::Pending, emitter);
            }
        }
    }

    /// Asks the probes about first bytes, those first whose usual port the flow uses.
    fn recognise(&self, direction: Direction, bytes: &[u8]) -> Recognition {
        let probe = Probe { flow: &self.context, direction, bytes };
        let mut answer = Recognition::Nobody;
        let on_usual_port = |protocol: &&'static Protocol| {
            protocol.ports.iter().any(|&port| self.context.has_port(port))
        };
        let candidates = protocols::over(self.context.transport);
        let usual = candidates.iter().copied().filter(on_usual_port);
        let others = candidates.iter().copied().filter(|protocol| !on_usual_port(protocol));
        for protocol in usual.chain(others) {
            match (protocol.probe)(&probe) {
                Verdict::Certain => return Recognition::Found(protocol),
                Verdict::Unsure => answer = Recognition::Unsure,
                Verdict::NotForUs => {}
            }
        }
        answer
    }

    fn become_active(&mut self, protocol: &'static Protocol) {
        self.service.get_or_insert(protocol.name);
        match protocol.analyzer {
            Some(make) if !is_off(protocol) => {
                self.state = State::Active(Active { protocol, analyzer: make(&self.context) });
            }
            _ => self.ignore(),
        }
    }

    /// The analyzer panicked: the flow goes on without one.
    #[cold]
    fn lose(&mut self, time: Timestamp, emitter: &mut Emitter) {
        if let State::Active(active) = &self.state {
            let name = active.protocol.name;
            emitter.weird_with(time, Weird::AnalyzerPanic, Detail::Word(name));
        }
        self.ignore();
    }

    /// Shows bytes to the analyzer, and what is left to whoever comes next.
    fn show(
        &mut self,
        direction: Direction,
        time: Timestamp,
        shown: Shown<'_>,
        emitter: &mut Emitter,
    ) {
        let mut shown = shown;
        loop {
            let State::Active(active) = &mut self.state else { return };
            let bytes = match &shown {
                Shown::Fresh(bytes) => bytes,
                Shown::Pending => self.pending.of(direction).bytes.as_slice(),
            };
            let chunk = Chunk { direction, time, bytes, wire_bytes: bytes.len() };
            let step = match call(active.protocol, || active.analyzer.data(&chunk, emitter)) {
                Ok(step) => step,
                Err(Lost) => return self.lose(time, emitter),
            };
            match self.settle(direction, time, step, shown, emitter) {
                Turn::Wait => return,
                Turn::Again => shown = Shown::Pending,
            }
        }
    }

    /// Does what an analyzer answered.
    fn settle(
        &mut self,
        direction: Direction,
        time: Timestamp,
        step: Step,
        shown: Shown<'_>,
        emitter: &mut Emitter,
    ) -> Turn {
        match step {
            Step::Consumed(count) => self.keep(direction, time, count, 0, shown, emitter),
            Step::NeedMore { at_least } => self.keep(direction, time, 0, at_least, shown, emitter),
            Step::Done => self.retire(),
            Step::NotMine => self.disown(),
            Step::HandOff { to, from } => {
                // The bound of who goes on is the one that counts for what is left.
                self.pending.of_mut(direction).keep(time, from, 0, shown);
                self.hand_off(to, time, emitter);
                return self.after_hand_off(direction, time, emitter);
            }
        }
        Turn::Wait
    }

    /// Bytes behind a hand-off go to the new analyzer, or to the probes.
    fn after_hand_off(
        &mut self,
        direction: Direction,
        time: Timestamp,
        emitter: &mut Emitter,
    ) -> Turn {
        if self.pending.of(direction).bytes.is_empty() {
            return Turn::Wait;
        }
        match self.state {
            State::Active(_) => Turn::Again,
            State::Probing { .. } => {
                let rest = std::mem::take(&mut self.pending.of_mut(direction).bytes);
                self.probe_stream(direction, time, &rest, emitter);
                Turn::Wait
            }
            State::Ignored => Turn::Wait,
        }
    }

    /// Keeps what was shown and not consumed, if the analyzer's bound allows it and what it waits
    /// for: a message that will not fit is not waited for.
    fn keep(
        &mut self,
        direction: Direction,
        time: Timestamp,
        consumed: usize,
        at_least: usize,
        shown: Shown<'_>,
        emitter: &mut Emitter,
    ) {
        let pending = self.pending.of_mut(direction);
        pending.keep(time, consumed, at_least, shown);
        let wanted = pending.bytes.len().max(at_least);
        let State::Active(active) = &self.state else { return };
        if wanted > active.protocol.buffer_bytes_max {
            let name = active.protocol.name;
            emitter.weird_with(time, Weird::MessageTooLong, Detail::Word(name));
            self.retire();
        }
    }

    fn hand_off(&mut self, to: Next, time: Timestamp, emitter: &mut Emitter) {
        let old = std::mem::replace(&mut self.state, State::Ignored);
        if let State::Active(active) = old {
            self.handed_on.push(active);
        }
        if self.handed_on.len() > HAND_OFFS_MAX {
            emitter.weird(time, Weird::TooManyHandOffs);
            return;
        }
        match to {
            Next::Recognise => self.state = State::Probing { datagrams: 0, first: None },
            Next::Protocol(name) => {
                if let Some(protocol) = protocols::named(name) {
                    self.become_active(protocol);
                }
            }
        }
        for direction in Direction::BOTH {
            self.pending.of_mut(direction).at_least = 0;
        }
    }

    /// The analyzer wants nothing more but is told of the flow's end.
    fn retire(&mut self) {
        if let State::Active(active) = std::mem::replace(&mut self.state, State::Ignored) {
            self.handed_on.push(active);
        }
        self.pending = PerDirection::default();
    }

    /// It was another protocol after all.
    fn disown(&mut self) {
        if let State::Active(active) = &self.state
            && self.service == Some(active.protocol.name)
        {
            self.service = None;
        }
        self.ignore();
    }

    fn ignore(&mut self) {
        self.state = State::Ignored;
        self.pending = PerDirection::default();
    }
}

/// Which bytes an analyzer is shown.
enum Shown<'a> {
    /// Bytes of the packet, with nothing kept before them.
    Fresh(&'a [u8]),
    /// All that is kept.
    Pending,
}

/// What the probes say together.
enum Recognition {
    Found(&'static Protocol),
    Unsure,
    Nobody,
}

#[cfg(test)]
mod hand_off_tests;
#[cfg(test)]
mod tests;
