//! The scene: actors that wake in packet time, and the frames that they leave.
//!
//! In: actors. Out: frames in the order of their times, and labels. What is to come waits in one
//! heap, so that days of a large network need the memory of its open conversations alone.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzers::Timestamp;

use crate::dice::Dice;
use crate::label::Label;
use crate::packet::{Ends, Frame};
use crate::talk::{self, Opening, Talk};

/// Ephemeral ports: those of Linux and, higher, of Windows.
const PORTS: std::ops::Range<u16> = 32_768..65_500;

/// Who does something at certain times.
pub trait Actor {
    /// Acts now; says when to wake it again.
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp>;
}

/// What the network does to packets on their way to the sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Share of frames that the capture does not hold.
    pub loss: f64,
    /// Share of frames that come late.
    pub late: f64,
    /// Share of connections that began before anyone looked.
    pub midstream: f64,
}

/// A label of this scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelId(usize);

/// Where things happen.
pub struct Scene {
    now: Timestamp,
    end: Timestamp,
    due: BinaryHeap<Reverse<Due>>,
    serial: u64,
    ports: HashMap<IpAddr, u16>,
    cached: HashMap<(IpAddr, String), Timestamp>,
    labels: Vec<Label>,
    conditions: Conditions,
    dice: Dice,
    frames: Vec<Frame>,
}

/// What waits for its time.
struct Due {
    time: Timestamp,
    serial: u64,
    what: What,
}

enum What {
    Frame(Frame),
    Wake(Box<dyn Actor>),
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.time, self.serial).cmp(&(other.time, other.serial))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

/// Does one thing once.
struct Once<F>(Option<F>);

impl<F: FnOnce(&mut Scene)> Actor for Once<F> {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        if let Some(act) = self.0.take() {
            act(scene);
        }
        None
    }
}

impl Scene {
    /// An empty scene from `start` to `end`.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, end: Timestamp, conditions: Conditions) -> Self {
        Self {
            now: start,
            end,
            due: BinaryHeap::new(),
            serial: 0,
            ports: HashMap::new(),
            cached: HashMap::new(),
            labels: Vec::new(),
            conditions,
            dice: Dice::new(seed, "scene"),
            frames: Vec::new(),
        }
    }

    /// The time that it is.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// When it is over.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// The scene's own dice: round trips, ports, ids.
    pub const fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    fn push(&mut self, time: Timestamp, what: What) {
        if time >= self.end {
            return;
        }
        self.serial += 1;
        self.due.push(Reverse(Due { time, serial: self.serial, what }));
    }

    /// An actor that wakes at that time first.
    pub fn enter(&mut self, time: Timestamp, actor: impl Actor + 'static) {
        self.push(time, What::Wake(Box::new(actor)));
    }

    /// Something that happens at that time.
    pub fn at(&mut self, time: Timestamp, act: impl FnOnce(&mut Self) + 'static) {
        self.enter(time, Once(Some(act)));
    }

    /// Puts a label down.
    pub fn label(&mut self, label: Label) -> LabelId {
        self.labels.push(label);
        LabelId(self.labels.len() - 1)
    }

    /// A labelled thing happened now.
    pub fn beat(&mut self, id: LabelId) {
        let (now, label) = (self.now, &mut self.labels[id.0]);
        label.beat(now);
    }

    /// A port that `host` did not use lately.
    pub fn port(&mut self, host: IpAddr) -> u16 {
        let fresh = PORTS.start + u16::try_from(self.dice.below(20_000)).expect("a port");
        let port = self.ports.entry(host).or_insert(fresh);
        *port = if *port + 1 < PORTS.end { *port + 1 } else { PORTS.start };
        *port
    }

    /// The ends of a new flow.
    pub fn ends(&mut self, host: IpAddr, dst: SocketAddr) -> Ends {
        Ends { src: SocketAddr::new(host, self.port(host)), dst }
    }

    /// A round trip of about that many milliseconds.
    pub fn rtt(&mut self, millis: f64) -> Duration {
        crate::dice::secs(self.dice.lognormal(millis / 1_000.0, 0.15))
    }

    /// Frames that some connection left, at their times.
    pub fn frames(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for mut frame in frames {
            let Conditions { loss, late, .. } = self.conditions;
            if loss > 0.0 && self.dice.happens(loss) {
                continue;
            }
            if late > 0.0 && self.dice.happens(late) {
                frame.time = frame.time.after(Duration::from_micros(200));
            }
            self.push(frame.time, What::Frame(frame));
        }
    }

    /// A conversation that begins at `start`. When it is over.
    pub fn talk(&mut self, start: Timestamp, talk: Talk) -> Timestamp {
        let midstream = self.conditions.midstream;
        let talk = match talk.opening {
            Opening::Handshake if midstream > 0.0 && self.dice.happens(midstream) => {
                talk.opening(Opening::Midstream)
            }
            _ => talk,
        };
        let mut frames = std::mem::take(&mut self.frames);
        let end = talk.write(start, &mut self.dice, &mut frames);
        self.frames(frames.drain(..));
        self.frames = frames;
        end
    }

    /// A datagram and its answer.
    pub fn datagrams(
        &mut self,
        ends: Ends,
        start: Timestamp,
        rtt: Duration,
        question: &[u8],
        answer: Option<&[u8]>,
    ) {
        let mut frames = std::mem::take(&mut self.frames);
        talk::datagrams(ends, start, rtt, question, answer, &mut frames);
        self.frames(frames.drain(..));
        self.frames = frames;
    }

    /// Whether `host` still knows that name; from now on it does, for so long.
    pub fn remembers(&mut self, host: IpAddr, name: &str, ttl: Duration) -> bool {
        let until = self.now.after(ttl);
        match self.cached.get_mut(&(host, name.to_owned())) {
            Some(known) if *known > self.now => true,
            Some(known) => {
                *known = until;
                false
            }
            None => {
                self.cached.insert((host, name.to_owned()), until);
                false
            }
        }
    }

    /// Plays everything; each frame goes to `sink`. The labels of what happened.
    ///
    /// # Errors
    /// What the sink gives.
    pub fn play<E>(
        mut self,
        mut sink: impl FnMut(&Frame) -> Result<(), E>,
    ) -> Result<Vec<Label>, E> {
        while let Some(Reverse(Due { time, what, .. })) = self.due.pop() {
            self.now = time;
            match what {
                What::Frame(frame) => sink(&frame)?,
                What::Wake(mut actor) => {
                    if let Some(next) = actor.act(&mut self) {
                        self.push(next.max(time), What::Wake(actor));
                    }
                }
            }
        }
        self.labels.retain(Label::happened);
        Ok(self.labels)
    }
}
