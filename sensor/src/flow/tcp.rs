//! TCP as a flow sees it: the state of both endpoints, byte counts by sequence number, history.
//!
//! In: the fields of each segment. Out: Zeek's `conn_state` and history letters, payload bytes
//! without retransmissions, and when the connection is over. The rules are those of Zeek's TCP
//! endpoint model; sequence numbers as in RFC 9293.

use analyzers::{Direction, PerDirection};

use super::history::{History, Tally};
use crate::decode::TcpFields;
use crate::stream::seq::{SeqSpace, advanced};

/// The sender has no more to send.
pub const FIN: u8 = 1;
/// The sender opens.
pub const SYN: u8 = 2;
/// The sender aborts.
pub const RST: u8 = 4;
/// The receiver is to hand on what it has.
pub const PSH: u8 = 8;
/// The acknowledgement number counts.
pub const ACK: u8 = 16;

/// A step of this many bytes by a SYN, a RST or an acknowledgement of zero is not believed: it is a
/// broken or forged number rather than so much data at once.
const SEQ_STEP_MAX: i64 = 1_048_576;

/// State of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing seen of it.
    #[default]
    Inactive,
    /// Sent a SYN.
    SynSent,
    /// Sent a SYN-ACK though it is the originator.
    SynAckSent,
    /// Seen midway.
    Partial,
    /// The handshake is done for this endpoint.
    Established,
    /// Sent a FIN.
    Closed,
    /// Sent a RST.
    Reset,
}

/// One endpoint.
#[derive(Clone, Debug, Default)]
struct Endpoint {
    state: State,
    before: State,
    space: SeqSpace,
    /// One past the last offset sent.
    last: u64,
    /// Highest offset that the peer acknowledged.
    acked: u64,
    has_closed: bool,
    fins: u32,
    /// One past the FIN.
    fin_end: u64,
    last_syn: u64,
    last_fin: u64,
    last_rst: u64,
    retransmissions: Tally,
    zero_windows: Tally,
    gaps: Tally,
}

/// Both endpoints of a TCP flow.
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    ends: PerDirection<Endpoint>,
    /// Numbers of SYNs that came into the open connection and that nobody has answered yet.
    claims: PerDirection<Option<u32>>,
}

/// Whether a segment ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It goes on.
    Open,
    /// Both sides are done, or one reset it; stragglers may follow for a while.
    Over,
}

/// What the stream room needs to know of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Offset of the first payload byte; `None` where it lies before the stream's origin.
    pub offset: Option<u64>,
    /// Offset up to which the peer's bytes are acknowledged, when that can be believed.
    pub acked: Option<u64>,
    /// Whether the connection goes on.
    pub ending: Ending,
}

impl Tcp {
    /// Takes a segment with `payload` bytes on the wire.
    pub fn segment(
        &mut self,
        direction: Direction,
        tcp: &TcpFields,
        payload: u32,
        history: &mut History,
    ) -> Segment {
        let flags = Flags(tcp.flags);
        if self.is_claim(direction, tcp) {
            *self.claims.of_mut(direction) = Some(tcp.seq);
            return Segment { offset: None, acked: None, ending: Ending::Open };
        }
        let taken = flags.sequence_length(payload);
        let start = self.begin(direction, tcp, flags, taken);
        write_history(self.ends.of_mut(direction), direction, flags, start, payload, history);
        self.note_window(direction, tcp, flags, history);
        if flags.has(FIN) {
            let end = self.ends.of_mut(direction);
            end.fins = end.fins.saturating_add(1);
            end.fin_end = offset(start).saturating_add(taken);
        }
        let acked = flags.has(ACK).then(|| self.acknowledge(direction, tcp, flags)).flatten();
        self.advance(direction, tcp, flags, taken, payload, history);
        let ending = self.transition(direction, flags, payload);
        let data_start = if flags.has(SYN) { start.saturating_add(1) } else { start };
        Segment {
            offset: (!flags.has(RST)).then(|| u64::try_from(data_start).ok()).flatten(),
            acked: acked.map(|acked| self.without_fin(direction.reversed(), acked)),
            ending,
        }
    }

    /// Writes a gap letter for bytes of `direction` that were acknowledged and never seen. Gaps in
    /// flows that are not cleanly open or closing are artefacts of sequence numbers.
    pub fn note_gap(&mut self, direction: Direction, history: &mut History) {
        if Direction::BOTH.iter().all(|&d| self.ends.of(d).is_clean()) {
            history.scaled(direction, b'g', &mut self.ends.of_mut(direction).gaps);
        }
    }

    /// Whether both endpoints are done.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ends.src.has_closed && self.ends.dst.has_closed
    }

    /// Whether an originator's SYN is still without any answer.
    #[must_use]
    pub fn is_attempt(&self) -> bool {
        matches!(self.ends.src.state, State::SynSent | State::SynAckSent)
            && self.ends.dst.state == State::Inactive
    }

    /// Whether the connection ended by a reset.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.ends.src.state == State::Reset || self.ends.dst.state == State::Reset
    }

    /// Whether a SYN opens another connection between the same endpoints.
    #[must_use]
    pub fn is_reused_by(&self, direction: Direction, tcp: &TcpFields) -> bool {
        let flags = Flags(tcp.flags);
        if !flags.has(SYN) {
            return false;
        }
        let answers = flags.has(ACK);
        if self.is_claim(direction, tcp) {
            let claim = *self.claims.of(direction.reversed());
            return answers && claim == Some(tcp.ack.wrapping_sub(1));
        }
        if answers && self.ends.src.state != State::Inactive {
            return false;
        }
        if self.is_over() {
            return true;
        }
        // A SYN-ACK's number is the responder's; a SYN's is the originator's, unless both ends
        // opened at once.
        let end = if answers { &self.ends.dst } else { self.ends.of(direction) };
        let opens_at_once = !answers && direction == Direction::DstToSrc;
        if opens_at_once && end.state == State::Inactive {
            return false;
        }
        tcp.seq != end.space.origin()
    }

    /// Whether a SYN of another number came into an open connection. Its receiver ignores it
    /// (RFC 9293, section 3.10.7.4), and so must we, unless the receiver answers: it may be forged.
    fn is_claim(&self, direction: Direction, tcp: &TcpFields) -> bool {
        let is_open = |end: &Endpoint| end.state == State::Established && end.acked > 0;
        Flags(tcp.flags).has(SYN)
            && tcp.seq != self.ends.of(direction).space.origin()
            && Direction::BOTH.iter().all(|&end| is_open(self.ends.of(end)))
    }

    /// Zeek's `conn_state`.
    #[must_use]
    pub fn conn_state(&self, history: &History) -> &'static str {
        use State::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
        let (src, dst) = (self.ends.src.state, self.ends.dst.state);
        let src_idle = matches!(src, Inactive | Partial);
        let dst_idle = matches!(dst, Inactive | Partial);
        let no_bytes = || {
            self.payload_bytes(Direction::SrcToDst) == 0
                && self.payload_bytes(Direction::DstToSrc) == 0
        };
        match (src, dst) {
            (SynSent | SynAckSent, Reset) => "REJ",
            (Reset, Reset) if no_bytes() => "REJ",
            (_, Reset) if src_idle => "RSTRH",
            (_, Reset) => "RSTR",
            (Reset, _) if dst_idle && history.is_syn_then_rst() => "RSTOS0",
            (Reset, _) if dst_idle => "OTH",
            (Reset, _) => "RSTO",
            (Closed, Closed) => "SF",
            (Closed, _) if dst_idle => "SH",
            (Closed, _) => "S2",
            (_, Closed) if src_idle => "SHR",
            (_, Closed) => "S3",
            (SynSent, Inactive) => "S0",
            (Established, Established) => "S1",
            _ => "OTH",
        }
    }

    /// Payload bytes that `direction` sent, by sequence numbers.
    #[must_use]
    pub fn payload_bytes(&self, direction: Direction) -> u64 {
        let end = self.ends.of(direction);
        let peer = self.ends.of(direction.reversed());
        let withdrawn = end.before == State::SynSent
            && end.state == State::Reset
            && peer.state == State::Inactive
            && end.acked == 0;
        if withdrawn {
            return 0;
        }
        let syn_and_fin = 1 + u64::from(end.fins > 0);
        end.last.max(end.acked).saturating_sub(syn_and_fin)
    }

    /// Sets the origin of the sender's numbers where the segment shows it; the segment's offset.
    fn begin(&mut self, direction: Direction, tcp: &TcpFields, flags: Flags, taken: u64) -> i64 {
        let end = self.ends.of_mut(direction);
        let is_new_syn = flags.has(SYN) && tcp.seq != end.space.origin();
        match end.state {
            State::Inactive => {
                if flags.has(SYN) {
                    end.restart(SeqSpace::from_syn(tcp.seq), taken);
                } else {
                    end.restart(SeqSpace::from_first_byte(tcp.seq), 1);
                    end.acked = 0;
                }
            }
            State::SynSent | State::SynAckSent if is_new_syn => {
                end.restart(SeqSpace::from_syn(tcp.seq), taken);
            }
            State::Established | State::Partial if flags.has(SYN) => {
                end.restart(SeqSpace::from_syn(tcp.seq), taken);
            }
            State::Reset if flags.has(SYN) && end.before == State::Inactive => {
                end.restart(SeqSpace::from_syn(tcp.seq), taken);
            }
            _ => {}
        }
        end.space.offset(tcp.seq, end.last)
    }

    fn note_window(
        &mut self,
        direction: Direction,
        tcp: &TcpFields,
        flags: Flags,
        history: &mut History,
    ) {
        let (end, peer) = self.ends.pair_mut(direction);
        let matters = tcp.window == 0
            && !flags.has(RST)
            && peer.state != State::Closed
            && end.state != State::Reset;
        if matters {
            history.scaled(direction, b'w', &mut end.zero_windows);
        }
    }

    /// Takes the acknowledgement number. Returns the peer's acknowledged offset if it is believed.
    fn acknowledge(&mut self, direction: Direction, tcp: &TcpFields, flags: Flags) -> Option<u64> {
        let peer = self.ends.of_mut(direction.reversed());
        if peer.state == State::Inactive {
            peer.restart(SeqSpace::from_first_byte(tcp.ack), 0);
            return Some(1);
        }
        let acked = peer.space.offset(tcp.ack, peer.acked);
        let step = acked.saturating_sub(offset_signed(peer.acked));
        let acked = u64::try_from(acked).ok()?;
        let broken = tcp.ack == 0 && step > SEQ_STEP_MAX;
        if !flags.has(RST) && !broken {
            peer.acked = peer.acked.max(acked);
        }
        Some(acked)
    }

    /// Moves the end of what the sender sent; what does not move it is a retransmission.
    fn advance(
        &mut self,
        direction: Direction,
        tcp: &TcpFields,
        flags: Flags,
        taken: u64,
        payload: u32,
        history: &mut History,
    ) {
        let end = self.ends.of_mut(direction);
        let next = advanced(tcp.seq, taken);
        let reached = end.space.offset(next, end.last);
        let step = reached.saturating_sub(offset_signed(end.last));
        let is_control = flags.has(SYN) || flags.has(RST);
        if is_control && !(-SEQ_STEP_MAX..=SEQ_STEP_MAX).contains(&step) {
            return;
        }
        if flags.has(FIN) && end.last == 1 {
            // Only SYN and FIN were seen of this side, so the FIN says how much lay between, even
            // when that is more than half the sequence space.
            end.last = u64::from(next.wrapping_sub(end.space.origin()));
        } else if end.state == State::Reset {
            // Numbers after a reset are not trusted.
        } else if step > 0 {
            end.last = offset(reached);
        } else if payload > 0 {
            history.scaled(direction, b't', &mut end.retransmissions);
        }
    }

    /// An acknowledged offset of `direction`'s bytes without the octet that its FIN takes.
    fn without_fin(&self, direction: Direction, acked: u64) -> u64 {
        let end = self.ends.of(direction);
        if end.fins > 0 && acked >= end.fin_end { end.fin_end.saturating_sub(1) } else { acked }
    }

    fn transition(&mut self, direction: Direction, flags: Flags, payload: u32) -> Ending {
        let closes = match self.ends.of(direction).state {
            State::Inactive => self.leave_inactive(direction, flags, payload),
            State::SynSent | State::SynAckSent => self.leave_syn_sent(direction, flags),
            State::Established | State::Partial => self.leave_established(direction, flags),
            State::Closed => self.leave_closed(direction, flags),
            State::Reset => Closes::No,
        };
        if closes == Closes::No {
            return Ending::Open;
        }
        let (end, peer) = self.ends.pair_mut(direction);
        end.has_closed = true;
        if end.state == State::Reset || peer.has_closed || peer.state == State::Inactive {
            Ending::Over
        } else {
            Ending::Open
        }
    }

    fn leave_inactive(&mut self, direction: Direction, flags: Flags, payload: u32) -> Closes {
        let is_src = direction == Direction::SrcToDst;
        if flags.has(SYN) && is_src {
            let state = if flags.has(ACK) { State::SynAckSent } else { State::SynSent };
            self.ends.src.enter(state);
        } else if flags.has(SYN) {
            if self.ends.src.state == State::SynSent {
                self.ends.src.enter(State::Established);
            }
            self.ends.dst.enter(State::Established);
        }
        let mut closes = Closes::No;
        if flags.has(FIN) {
            self.ends.of_mut(direction).enter(State::Closed);
            closes = Closes::Yes;
        }
        if flags.has(RST) {
            self.ends.of_mut(direction).enter(State::Reset);
            closes = Closes::Yes;
        }
        if self.ends.of(direction).state == State::Inactive {
            self.join_midway(direction, flags, payload);
        }
        closes
    }

    /// No flag changed the state of an endpoint seen for the first time.
    fn join_midway(&mut self, direction: Direction, flags: Flags, payload: u32) {
        let (end, peer) = self.ends.pair_mut(direction);
        if direction == Direction::DstToSrc && payload == 0 && peer.state == State::SynSent {
            // Some stacks acknowledge a SYN before they answer it with their own.
        } else if flags.has(ACK) && peer.state == State::Established {
            // Only the SYN is missing: its SYN-ACK was seen, and now it is acknowledged.
            end.enter(State::Established);
        } else {
            end.enter(State::Partial);
        }
    }

    fn leave_syn_sent(&mut self, direction: Direction, flags: Flags) -> Closes {
        let end = self.ends.of_mut(direction);
        let mut closes = Closes::No;
        if flags.has(FIN) {
            end.enter(State::Closed);
            closes = Closes::Yes;
        }
        if flags.has(RST) {
            end.enter(State::Reset);
            closes = Closes::Yes;
        }
        closes
    }

    fn leave_established(&mut self, direction: Direction, flags: Flags) -> Closes {
        let (end, peer) = self.ends.pair_mut(direction);
        let mut closes = Closes::No;
        let restarts = flags.has(SYN)
            && !flags.has(ACK)
            && end.state == State::Partial
            && peer.state == State::Inactive;
        if restarts {
            end.enter(State::SynSent);
        }
        if flags.has(FIN) && !flags.has(RST) {
            end.enter(State::Closed);
            if peer.state == State::Reset && peer.before == State::Closed {
                // The peer's FIN was followed by its RST: a normal end after all.
                peer.enter(State::Closed);
            }
            closes = Closes::Yes;
        }
        if flags.has(RST) {
            end.enter(State::Reset);
            closes = Closes::Yes;
        }
        closes
    }

    fn leave_closed(&mut self, direction: Direction, flags: Flags) -> Closes {
        let (end, peer) = self.ends.pair_mut(direction);
        if flags.has(RST) && peer.state != State::Closed {
            // A FIN waits for the other side's; a RST after it waits for nobody.
            end.enter(State::Reset);
            return Closes::Yes;
        }
        Closes::No
    }
}

/// Whether a segment closes its sender's side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closes {
    No,
    Yes,
}

impl Endpoint {
    fn restart(&mut self, space: SeqSpace, last: u64) {
        self.space = space;
        self.last = last;
        self.acked = 0;
    }

    fn enter(&mut self, state: State) {
        if state != self.state {
            self.before = self.state;
            self.state = state;
        }
    }

    fn is_clean(&self) -> bool {
        self.state == State::Established
            || self.state == State::Closed && self.before == State::Established
    }
}

/// TCP's flags.
#[derive(Clone, Copy)]
struct Flags(u8);

impl Flags {
    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Sequence numbers that a segment takes: its payload, its SYN, its FIN; a RST's payload is
    /// text for humans and takes none.
    fn sequence_length(self, payload: u32) -> u64 {
        let payload = if self.has(RST) { 0 } else { u64::from(payload) };
        payload + u64::from(self.has(SYN)) + u64::from(self.has(FIN))
    }
}

fn write_history(
    end: &mut Endpoint,
    direction: Direction,
    flags: Flags,
    start: i64,
    payload: u32,
    history: &mut History,
) {
    let start = start.cast_unsigned();
    match (flags.has(SYN), flags.has(FIN), flags.has(RST)) {
        (_, true, true) => drop(history.once(direction, b'i')),
        (true, true, false) | (true, false, true) => drop(history.once(direction, b'q')),
        (true, false, false) => {
            let letter = if flags.has(ACK) { b'h' } else { b's' };
            // SYN and SYN-ACK are one kind: a second one is written if its number differs.
            if !history.once_of_kind(direction, b's', letter) && start != end.last_syn {
                history.again(direction, letter);
            }
            end.last_syn = start;
        }
        (false, true, false) => {
            let at = start.wrapping_add(u64::from(payload));
            if !history.once(direction, b'f') && at != end.last_fin {
                history.again(direction, b'f');
            }
            end.last_fin = at;
        }
        (false, false, true) => {
            if !history.once(direction, b'r') && start != end.last_rst {
                history.again(direction, b'r');
            }
            end.last_rst = start;
        }
        (false, false, false) if payload > 0 => drop(history.once(direction, b'd')),
        (false, false, false) if flags.has(ACK) => drop(history.once(direction, b'a')),
        (false, false, false) => {}
    }
}

/// An offset that is not negative; zero where the arithmetic says otherwise.
fn offset(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn offset_signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
