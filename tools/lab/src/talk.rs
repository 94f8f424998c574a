//! A conversation as a script: how it opens, who says what after which pause, how it ends.
//!
//! In: a [`Talk`]. Out: its frames. What a protocol says is made in [`crate::speech`].

use std::time::Duration;

use analyzers::{Direction, Timestamp};

use crate::dice::Dice;
use crate::packet::{self, Ends, Frame, Payload};
use crate::tcp::Tcp;

/// How a TCP connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// In three steps.
    Handshake,
    /// Before the capture began.
    Midstream,
    /// Nobody answers; the SYN is sent again so often.
    Unanswered(u32),
    /// The other end refuses.
    Refused,
}

/// How a TCP connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Both ends agree, this one first.
    Finish(Direction),
    /// This end gives up.
    Reset(Direction),
    /// It does not, as far as is known.
    Open,
}

/// What one end says.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Who.
    pub from: Direction,
    /// How long after it could.
    pub pause: Duration,
    /// What.
    pub bytes: Vec<u8>,
    /// How many zeros more, which are not captured.
    pub beyond: usize,
}

/// A conversation over TCP.
#[derive(Clone, Debug)]
pub struct Talk {
    /// Between whom.
    pub ends: Ends,
    /// From a question to its answer at the least.
    pub rtt: Duration,
    /// How it begins.
    pub opening: Opening,
    /// What is said.
    pub turns: Vec<Turn>,
    /// How it ends.
    pub ending: Ending,
}

impl Talk {
    /// A conversation that opens and ends as it should.
    #[must_use]
    pub const fn new(ends: Ends, rtt: Duration) -> Self {
        let ending = Ending::Finish(Direction::SrcToDst);
        Self { ends, rtt, opening: Opening::Handshake, turns: Vec::new(), ending }
    }

    /// The originator says something.
    #[must_use]
    pub fn asks(self, pause: Duration, bytes: Vec<u8>) -> Self {
        self.says(Direction::SrcToDst, pause, bytes, 0)
    }

    /// The responder says something.
    #[must_use]
    pub fn answers(self, pause: Duration, bytes: Vec<u8>) -> Self {
        self.says(Direction::DstToSrc, pause, bytes, 0)
    }

    /// An end says something.
    #[must_use]
    pub fn says(mut self, from: Direction, pause: Duration, bytes: Vec<u8>, beyond: usize) -> Self {
        self.turns.push(Turn { from, pause, bytes, beyond });
        self
    }

    /// It opens in that way.
    #[must_use]
    pub fn opening(self, opening: Opening) -> Self {
        Self { opening, ..self }
    }

    /// It ends in that way.
    #[must_use]
    pub fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    /// Its frames, the first at `start`. When the last has passed.
    pub fn write(&self, start: Timestamp, dice: &mut Dice, out: &mut Vec<Frame>) -> Timestamp {
        let mut tcp = Tcp::new(self.ends, self.rtt, dice);
        let mut time = match self.opening {
            Opening::Handshake => tcp.handshake(start, out),
            Opening::Midstream => start,
            Opening::Unanswered(retries) => {
                tcp.unanswered(start, retries, out);
                return start;
            }
            Opening::Refused => {
                tcp.refused(start, out);
                return start.after(self.rtt);
            }
        };
        let mut speaker = Direction::SrcToDst;
        for Turn { from, pause, bytes, beyond } in &self.turns {
            if *from != speaker {
                time = time.after(travel(*from, self.rtt));
                speaker = *from;
            }
            let payload = Payload { bytes, beyond: *beyond };
            time = tcp.say(time.after(*pause), *from, payload, out);
        }
        match self.ending {
            Ending::Finish(from) => tcp.finish(time.after(self.rtt), from, out),
            Ending::Reset(from) => tcp.reset(time.after(self.rtt), from, out),
            Ending::Open => {}
        }
        time.after(self.rtt * 2)
    }
}

/// How long a change of speaker takes, seen from beside the originator.
fn travel(to: Direction, rtt: Duration) -> Duration {
    match to {
        Direction::DstToSrc => rtt,
        Direction::SrcToDst => Duration::from_micros(300),
    }
}

/// A datagram and, where there is one, its answer a round trip later.
pub fn datagrams(
    ends: Ends,
    start: Timestamp,
    rtt: Duration,
    question: &[u8],
    answer: Option<&[u8]>,
    out: &mut Vec<Frame>,
) {
    out.push(packet::udp(start, ends.of(Direction::SrcToDst), question.into()));
    if let Some(answer) = answer {
        let back = ends.of(Direction::DstToSrc);
        out.push(packet::udp(start.after(rtt), back, answer.into()));
    }
}
