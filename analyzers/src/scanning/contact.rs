//! What a first contact came to.
//!
//! In: rows of flows. Out: whether it was the first contact of these two, and its outcome. A
//! failure to reach what is known to serve others is an outage and no guess, and so is told apart.

use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::flow_id::{FlowId, Transport};
use crate::flow_record::FlowRecord;
use crate::limits::{SCAN_CONTACT_TURN, SCAN_USED_BYTES};
use crate::seen::Seen;
use crate::time::Timestamp;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody answered, or the answer was a refusal.
    Failed,
    /// It was accepted and given up before the responder said anything.
    Empty,
    /// The responder said a few words.
    Brief,
    /// The responder gave something: this was use.
    Used,
}

impl Outcome {
    /// That of a flow's first row; `None` where it is not the first, did not begin with a SYN, or
    /// shows one side only so that nobody knows.
    #[must_use]
    pub fn of(flow: &FlowId, record: &FlowRecord) -> Option<Self> {
        if flow.transport != Transport::TCP || record.part != 1 {
            return None;
        }
        let history = record.history.as_ref().map_or(&[][..], |history| history.as_bytes());
        if history.first() != Some(&b'S') {
            return None;
        }
        // The originator went on as if it had an answer: the tap shows one direction.
        let is_one_sided =
            record.dst_packets == 0 && history.iter().any(|letter| matches!(letter, b'A' | b'D'));
        match record.state {
            _ if is_one_sided => None,
            "S0" | "REJ" | "RSTOS0" | "RSTRH" | "SH" => Some(Self::Failed),
            "SF" | "S1" | "S2" | "S3" | "RSTO" | "RSTR" => Some(match record.dst_bytes {
                ..=0 => Self::Empty,
                bytes if bytes < SCAN_USED_BYTES => Self::Brief,
                _ => Self::Used,
            }),
            _ => None,
        }
    }
}

/// Who had to do with whom, and who serves.
#[derive(Debug)]
pub struct Contacts {
    met: Seen,
    alive: Seen,
    serving: Seen,
}

impl Contacts {
    /// For that many pairs in a day.
    #[must_use]
    pub fn new(pairs_max: usize) -> Self {
        let turn: Duration = SCAN_CONTACT_TURN;
        Self {
            met: Seen::new(pairs_max, turn),
            alive: Seen::new(pairs_max.div_ceil(8), turn),
            serving: Seen::new(pairs_max.div_ceil(8), turn),
        }
    }

    /// Takes a contact on a service; its outcome, if it is the first of these two and says
    /// something about the source. What is known to answer others and does not answer this one, or
    /// is known to serve and is only greeted, says nothing.
    pub fn first<S: Hash + Copy>(
        &mut self,
        flow: &FlowId,
        service: S,
        outcome: Outcome,
        ts: Timestamp,
    ) -> Option<Outcome> {
        let target = (flow.dst.ip, service);
        let was_serving = self.serving.contains(&target);
        let says_nothing = match outcome {
            Outcome::Failed => was_serving || self.alive.contains(&target),
            Outcome::Empty | Outcome::Brief => was_serving,
            Outcome::Used => false,
        };
        match outcome {
            Outcome::Failed => {}
            Outcome::Empty | Outcome::Brief => {
                self.alive.is_new(&target, ts);
            }
            Outcome::Used => self.note_use(flow, service, ts),
        }
        let is_first = self.met.is_new(&(flow.src.ip, target), ts);
        (is_first && !says_nothing).then_some(outcome)
    }

    /// Takes a contact that was use, where nobody asks whether it was the first.
    pub fn note_use<S: Hash>(&mut self, flow: &FlowId, service: S, ts: Timestamp) {
        self.serving.is_new(&(flow.dst.ip, service), ts);
    }

    /// Whether a host is known to serve others.
    #[must_use]
    pub fn serves<S: Hash>(&self, host: IpAddr, service: S) -> bool {
        self.serving.contains(&(host, service))
    }

    /// How often memory was cut short for want of room.
    #[must_use]
    pub const fn cut_short(&self) -> u64 {
        let (met, alive) = (self.met.early_turns(), self.alive.early_turns());
        met.saturating_add(alive).saturating_add(self.serving.early_turns())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::{flow, row};

    #[test]
    fn the_outcome_is_that_of_a_connection_whose_beginning_was_seen() {
        let tcp = flow("10.0.0.1", "10.0.0.2", 445);
        for (state, history, dst_packets, dst_bytes, expected) in [
            ("S0", "S", 0, 0, Some(Outcome::Failed)),
            ("REJ", "Sr", 1, 0, Some(Outcome::Failed)),
            ("SH", "SF", 0, 0, Some(Outcome::Failed)),
            ("SH", "SADF", 0, 0, None),
            ("OTH", "SAD", 0, 0, None),
            ("RSTO", "ShR", 1, 0, Some(Outcome::Empty)),
            ("SF", "ShADdFf", 9, 900, Some(Outcome::Brief)),
            ("S1", "ShADd", 99, 90_000, Some(Outcome::Used)),
            ("S1", "hADd", 99, 90_000, None),
            ("REJ", "^r", 1, 0, None),
            ("RSTRH", "^hr", 2, 0, None),
            ("OTH", "Dd", 9, 900, None),
        ] {
            let mut record = row(state);
            record.history = Some(history.into());
            (record.dst_packets, record.dst_bytes) = (dst_packets, dst_bytes);
            assert_eq!(Outcome::of(&tcp, &record), expected, "{state} {history}");
            record.part = 2;
            assert_eq!(Outcome::of(&tcp, &record), None, "a later part");
        }
    }

    #[test]
    fn only_first_contacts_count_and_an_outage_is_no_guess() {
        let mut contacts = Contacts::new(1_000);
        let now = Timestamp::from_secs_nanos(1_000, 0);
        let steps = [
            ("10.0.0.1", "10.0.0.9", Outcome::Used, Some(Outcome::Used)),
            ("10.0.0.1", "10.0.0.9", Outcome::Failed, None),
            ("10.0.0.2", "10.0.0.9", Outcome::Failed, None),
            ("10.0.0.3", "10.0.0.9", Outcome::Brief, None),
            ("10.0.0.2", "10.0.0.8", Outcome::Failed, Some(Outcome::Failed)),
            ("10.0.0.2", "10.0.0.8", Outcome::Failed, None),
            ("10.0.0.3", "10.0.0.8", Outcome::Failed, Some(Outcome::Failed)),
        ];
        for (src, dst, outcome, expected) in steps {
            let contact = flow(src, dst, 445);
            assert_eq!(contacts.first(&contact, 445_u16, outcome, now), expected, "{src} {dst}");
        }
        assert!(contacts.serves("10.0.0.9".parse().unwrap(), 445_u16));
        assert!(!contacts.serves("10.0.0.8".parse().unwrap(), 445_u16));
    }
}
