//! What a session keeps for an analyzer, with an analyzer that answers as it is told.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use analyzers::{Emission, Endpoint, FileHashing, FinishReason, StreamStart, Transport};

use super::*;

const BUFFER_BYTES: usize = 8;

static WAITING: Protocol = Protocol {
    name: "waiting",
    doc: "Waits for more than is there.",
    specifications: &[],
    transports: &[Transport::TCP],
    ports: &[],
    buffer_bytes_max: BUFFER_BYTES,
    probe: |_| Verdict::Certain,
    analyzer: None,
    tables: &[],
};

/// Answers each call by the next of its steps.
struct Scripted(VecDeque<Step>);

impl Analyzer for Scripted {
    fn data(&mut self, _: &Chunk<'_>, _: &mut Emitter) -> Step {
        self.0.pop_front().unwrap_or(Step::Consumed(0))
    }

    fn gap(&mut self, _: &Gap<'_>, _: &mut Emitter) -> Step {
        Step::Consumed(0)
    }

    fn finish(&mut self, _: &Finish<'_>, _: &mut Emitter) {}
}

fn session(steps: &[Step]) -> Session {
    let mut session = fresh();
    let analyzer = Box::new(Scripted(steps.iter().copied().collect()));
    session.state = State::Active(Active { protocol: &WAITING, analyzer });
    session
}

fn fresh() -> Session {
    let end = Endpoint { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 4_321 };
    Session::new(FlowContext {
        src: end,
        dst: end,
        transport: Transport::TCP,
        start: StreamStart::Beginning,
        hashing: FileHashing::Off,
    })
}

fn say(session: &mut Session, bytes: &[u8]) -> Vec<Weird> {
    let mut emitter = Emitter::default();
    session.bytes(Direction::SrcToDst, Timestamp::MIN, bytes, &mut emitter);
    let weirds = emitter.drain().filter_map(|emission| match emission {
        Emission::Weird { weird, .. } => Some(weird),
        Emission::Record { .. } => None,
    });
    weirds.collect()
}

#[test]
fn a_message_that_will_not_fit_is_given_up_before_a_byte_of_it_is_kept() {
    for (at_least, weirds) in [
        (BUFFER_BYTES - 1, &[][..]),
        (BUFFER_BYTES, &[]),
        (BUFFER_BYTES + 1, &[Weird::MessageTooLong]),
        (usize::MAX, &[Weird::MessageTooLong]),
    ] {
        let mut session = session(&[Step::NeedMore { at_least }]);
        assert_eq!(say(&mut session, b"ab"), weirds, "waiting for {at_least}");
        let kept = if weirds.is_empty() { 2 } else { 0 };
        assert_eq!(session.pending.src.bytes.len(), kept);
    }
}

#[test]
fn what_is_not_consumed_has_the_bound_of_the_protocol() {
    for (len, weirds) in [
        (BUFFER_BYTES - 1, &[][..]),
        (BUFFER_BYTES, &[]),
        (BUFFER_BYTES + 1, &[Weird::MessageTooLong]),
    ] {
        let mut session = session(&[Step::Consumed(1)]);
        assert_eq!(say(&mut session, &vec![b'a'; len + 1]), weirds, "{len} left");
    }
}

#[test]
fn bytes_behind_a_hand_off_are_not_held_to_the_bound_of_who_hands_on() {
    let to = Next::Protocol("tls");
    let mut session = session(&[Step::HandOff { to, from: 1 }]);
    // The head of a TLS record of a hundred bytes, and some of them.
    let hello = [&[0xff, 22, 3, 1, 0, 100, 1, 0, 0, 96, 3, 3], &[0; 2 * BUFFER_BYTES][..]].concat();
    assert_eq!(say(&mut session, &hello), []);
    assert_eq!(session.service(), Some("tls"));
    assert_eq!(session.pending.src.bytes, hello[1..]);
}

#[test]
fn a_direction_that_nobody_knows_is_probed_afresh_behind_a_gap() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (gap, service) in [(None, None), (Some(9), Some("http"))] {
        let mut session = fresh();
        let mut emitter = Emitter::default();
        say(&mut session, &[0xee; 20]);
        if let Some(missing) = gap {
            session.gap(Direction::SrcToDst, Timestamp::MIN, missing, &mut emitter);
        }
        say(&mut session, request);
        assert_eq!(session.service(), service, "behind {gap:?}");
    }
}

static FAILING: Protocol = Protocol {
    name: "failing",
    doc: "Has a fault.",
    specifications: &[],
    transports: &[Transport::TCP],
    ports: &[],
    buffer_bytes_max: BUFFER_BYTES,
    probe: |_| Verdict::Certain,
    analyzer: Some(|_| Box::new(Failing)),
    tables: &[],
};

/// An analyzer with a fault.
struct Failing;

impl Analyzer for Failing {
    fn data(&mut self, _: &Chunk<'_>, _: &mut Emitter) -> Step {
        panic!("a fault that a test has made")
    }

    fn gap(&mut self, _: &Gap<'_>, _: &mut Emitter) -> Step {
        Step::Done
    }

    fn finish(&mut self, _: &Finish<'_>, _: &mut Emitter) {
        panic!("it is not called again")
    }
}

#[test]
fn a_panic_costs_the_flow_its_analyzer_and_after_many_the_protocol() {
    let nothing = PerDirection { src: &[][..], dst: &[][..] };
    let payload_bytes = PerDirection { src: 0, dst: 0 };
    let (reason, time) = (FinishReason::Fin, Timestamp::default());
    let finish = Finish { reason, time, rest: nothing, payload_bytes };
    let mut told = Vec::new();
    for _ in 0..12 {
        let (mut session, mut emitter) = (fresh(), Emitter::default());
        session.become_active(&FAILING);
        for _ in 0..2 {
            session.bytes(Direction::SrcToDst, time, b"x", &mut emitter);
        }
        session.finish(&finish, &mut emitter);
        assert_eq!(session.service(), Some("failing"));
        told.push(emitter.drain().count());
    }
    assert_eq!(told, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    assert_eq!(containment::panics_by_protocol().get("failing"), Some(&10));
}
