//! The data path, from the source to the second stage.
//!
//! In: a source of packets. Out: events in an order that does not depend on the number of workers.
//! With one worker everything runs in the caller's thread; with more, this thread reads, decodes
//! and deals packets out, each worker owns its shards, and the second stage has a thread of its
//! own.

use std::hash::BuildHasher as _;
use std::io;
use std::sync::Arc;
use std::thread;

use analyzers::{FlowId, Timestamp, Uid};
use crossbeam_channel::{Receiver, Sender, bounded};
use foldhash::fast::RandomState;

use crate::capture::{Batch, CaptureError, Fill, Pressure, RawPacket, Source};
use crate::decode::{Checksum, Decoded, Decoder, SkipReason};
use crate::event::{Event, EventKind};
use crate::flow::table::Arrival;
use crate::flow::uid::UidMaker;
use crate::flow::{FlowKey, FlowSettings};
use crate::overload::Overload;
use crate::stats::{Board, FlowCounts, PacketCounts};
use crate::worker::{TOGETHER, Worker, owner};

/// Batches of packets that may wait for a worker. A block is a mebibyte, so this bounds the memory
/// between; without a bound a slow worker would let the whole capture pile up.
const PACKET_QUEUE: usize = 4;

/// Batches of events that may wait for the second stage. Those of one block are some tens of
/// kibibytes; the queue lets packets go on while a partition is put in order, or a minute is
/// judged.
const EVENT_QUEUE: usize = 256;

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub struct RunCounts {
    /// Packets.
    pub packets: PacketCounts,
    /// Flows.
    pub flows: FlowCounts,
    /// Packet time of the first packet.
    pub first: Option<Timestamp>,
    /// The capture's clock at the end.
    pub clock: Option<Timestamp>,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source failed as a whole.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The second stage failed.
    #[error("{0}")]
    Stage(StageError),
    /// The system starts no more threads.
    #[error("no thread can be started: {0}; give `--workers` fewer, or raise the limit of tasks")]
    Thread(io::Error),
}

/// What a run needs to know.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// About flows.
    pub flow: FlowSettings,
    /// Names flows.
    pub uids: UidMaker,
    /// How many workers.
    pub workers: usize,
    /// Where counts are put while the run goes on.
    pub board: Arc<Board>,
}

/// Takes the events of all workers, behind a watermark.
pub trait Stage: Send {
    /// Events of one worker, and the promise that its later ones are not older than `watermark`.
    ///
    /// # Errors
    /// Whatever keeps the stage from going on; the run ends.
    fn events(
        &mut self,
        worker: usize,
        events: Vec<Event>,
        watermark: Timestamp,
    ) -> Result<(), StageError>;
}

/// Why the second stage cannot go on.
pub type StageError = Box<dyn std::error::Error + Send + Sync>;

/// How far the first stage brings a packet.
enum Arrived {
    /// To its flow's key.
    Found,
    /// To the fragments that wait.
    Held,
    /// Nowhere.
    Skipped,
}

/// The first stage: decodes packets and finds the flow's key.
struct Front {
    decoder: Decoder,
    settings: FlowSettings,
    hasher: RandomState,
    counts: PacketCounts,
    first: Option<Timestamp>,
    /// The latest packet time so far.
    clock: Timestamp,
    /// What is over: the clock, or later where the source said that it was quiet.
    horizon: Timestamp,
    overload: Overload,
    pressure: Pressure,
}

impl Front {
    fn new(settings: FlowSettings) -> Self {
        Self {
            decoder: Decoder::new(),
            settings,
            hasher: RandomState::default(),
            counts: PacketCounts::default(),
            first: None,
            clock: Timestamp::MIN,
            horizon: Timestamp::MIN,
            overload: Overload::default(),
            pressure: Pressure::Low,
        }
    }

    /// Nothing older than `time` will come. The packets' own clock stays, so that what they do is
    /// the same as in a replay.
    fn quiet(&mut self, time: Timestamp) {
        self.horizon = self.horizon.max(time);
    }

    /// Moves the clock, decodes, finds the key, and hands the packet on: not as an answer, which
    /// would copy it once more.
    #[inline]
    fn arrive(
        &mut self,
        frame: &RawPacket,
        block: &[u8],
        hand_on: impl FnOnce(Arrival),
    ) -> Arrived {
        self.first.get_or_insert(frame.time);
        self.clock = self.clock.max(frame.time);
        self.counts.received += 1;
        self.counts.bytes += u64::from(frame.captured_bytes);
        let packet = match self.decoder.decode(frame, block) {
            Decoded::Packet(packet) => packet,
            Decoded::Held => return Arrived::Held,
            Decoded::Skipped(reason) => {
                self.counts.skipped.add(reason, 1_u32);
                return Arrived::Skipped;
            }
        };
        let joined = packet.captured_packets.saturating_sub(1);
        self.counts.skipped.add(SkipReason::FragmentJoined, joined);
        let (key, sender) = FlowKey::of(&packet, self.settings.vlan_in_key);
        let hash = self.hasher.hash_one(key);
        if let Some(reason) = self.overload.sheds(&packet, hash, self.pressure) {
            self.counts.skipped.add(reason, 1_u32);
            return Arrived::Skipped;
        }
        self.counts.decoded += 1;
        self.counts.bad_checksums += u64::from(packet.checksum == Checksum::Bad);
        hand_on(Arrival { packet, key, sender, hash, clock: self.clock, frame: *frame });
        Arrived::Found
    }

    /// Ends fragments that waited for too long; answers the horizon.
    fn advance(&mut self) -> Timestamp {
        self.horizon = self.horizon.max(self.clock);
        self.decoder.expire_fragments(self.horizon, &mut self.counts.skipped);
        self.horizon
    }

    /// Ends what waits; packets that the source's filter left out were received, too.
    fn finish(mut self, filtered: u64, flows: FlowCounts) -> RunCounts {
        self.decoder.finish(&mut self.counts.skipped);
        self.counts.received += filtered;
        self.counts.skipped.add(SkipReason::Filtered, filtered);
        let clock = self.first.map(|_| self.clock);
        RunCounts { packets: self.counts, flows, first: self.first, clock }
    }
}

/// Runs a source to its end.
///
/// # Errors
/// The source failed as a whole, or the second stage did. Events found before are delivered.
pub fn run(
    source: &mut dyn Source,
    stage: &mut dyn Stage,
    settings: &RunSettings,
) -> Result<RunCounts, RunError> {
    if settings.workers <= 1 {
        run_inline(source, stage, settings)
    } else {
        run_threaded(source, stage, settings)
    }
}

fn run_inline(
    source: &mut dyn Source,
    stage: &mut dyn Stage,
    settings: &RunSettings,
) -> Result<RunCounts, RunError> {
    let mut front = Front::new(settings.flow);
    let mut worker = Worker::new(0, 1, settings.flow, settings.uids.clone());
    let mut batch = Batch::default();
    let mut arrivals = Vec::with_capacity(TOGETHER);
    while fill(source, &mut batch, &mut front)? == More::Come {
        for frames in batch.packets.chunks(TOGETHER) {
            for frame in frames {
                front.arrive(frame, &batch.block, |arrival| arrivals.push(arrival));
            }
            worker.packets(&arrivals, &batch.block);
            arrivals.clear();
        }
        let horizon = front.advance();
        worker.advance(horizon);
        stage.events(0, worker.take_events(), horizon).map_err(RunError::Stage)?;
    }
    worker.finish(front.clock);
    stage.events(0, worker.take_events(), Timestamp::MAX).map_err(RunError::Stage)?;
    Ok(front.finish(source.tally().filtered, worker.counts()))
}

/// Is told of every packet which flow it went to.
pub trait Tracer {
    /// A flow was opened; the packet that did it is told next.
    fn opened(&mut self, flow: &FlowId);

    /// A packet went to a flow, with the frames that waited for it as fragments (by their numbers
    /// in the capture, its own among them).
    ///
    /// # Errors
    /// Whatever keeps the tracer from going on; the run ends.
    fn packet(&mut self, frame: Traced<'_>, flow: Uid, with: &[u64]) -> Result<(), StageError>;

    /// A frame waits, as a fragment.
    fn held(&mut self, frame: Traced<'_>);

    /// Fragments that came so long before `clock` that they are given up wait no more.
    ///
    /// # Errors
    /// As of [`packet`](Self::packet).
    fn advance(&mut self, clock: Timestamp) -> Result<(), StageError>;
}

/// A frame of the capture.
#[derive(Clone, Copy, Debug)]
pub struct Traced<'a> {
    /// Its number in the capture, from zero.
    pub number: u64,
    /// What is noted about it.
    pub raw: &'a RawPacket,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Runs a source to its end as [`run`] does, and gives away no rows but where each packet went.
///
/// # Errors
/// The source failed as a whole, or the tracer did.
pub fn trace(
    source: &mut dyn Source,
    tracer: &mut dyn Tracer,
    settings: &RunSettings,
) -> Result<RunCounts, RunError> {
    let mut front = Front::new(settings.flow);
    let mut worker = Worker::new(0, 1, settings.flow, settings.uids.clone());
    let mut batch = Batch::default();
    let mut number = 0;
    while fill(source, &mut batch, &mut front)? == More::Come {
        for raw in &batch.packets {
            let frame = Traced { number, raw, bytes: raw.bytes(&batch.block) };
            number += 1;
            let mut arrival = None;
            let arrived = front.arrive(raw, &batch.block, |found| arrival = Some(found));
            if let Arrived::Held = arrived {
                tracer.held(frame);
            }
            let Some(arrival) = arrival else { continue };
            let flow = worker.packet(&arrival, &batch.block);
            for event in worker.take_events() {
                if let EventKind::Opened { .. } = event.kind {
                    tracer.opened(&event.flow);
                }
            }
            if let Some(flow) = flow {
                let with = arrival.packet.fragments();
                tracer.packet(frame, flow, with).map_err(RunError::Stage)?;
            }
        }
        let horizon = front.advance();
        worker.advance(horizon);
        worker.take_events();
        tracer.advance(horizon).map_err(RunError::Stage)?;
    }
    Ok(front.finish(source.tally().filtered, worker.counts()))
}

/// Whether a source goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Come,
    End,
}

/// The next batch, which is empty when the source was quiet.
fn fill(source: &mut dyn Source, batch: &mut Batch, front: &mut Front) -> Result<More, RunError> {
    match source.fill(batch)? {
        Fill::Packets => {}
        Fill::Quiet(time) => front.quiet(time),
        Fill::End => return Ok(More::End),
    }
    front.pressure = source.pressure();
    Ok(More::Come)
}

/// Packets of one batch for one worker.
struct Deal {
    block: Arc<Vec<u8>>,
    arrivals: Vec<Arrival>,
    clock: Timestamp,
}

/// Events of one worker for the second stage.
struct Found {
    worker: usize,
    events: Vec<Event>,
    watermark: Timestamp,
}

/// As [`run`], with threads of their own for the workers and the second stage even where one worker
/// is enough: a source that cannot wait must not wait for the archive.
///
/// # Errors
/// As of [`run`].
pub fn run_threaded(
    source: &mut dyn Source,
    stage: &mut dyn Stage,
    settings: &RunSettings,
) -> Result<RunCounts, RunError> {
    let (found, to_stage) = bounded(EVENT_QUEUE);
    thread::scope(|scope| {
        // Names by which an operator's `top -H` tells who is busy.
        let named = |name| thread::Builder::new().name(name);
        let staged = named("stage".to_owned())
            .spawn_scoped(scope, move || run_stage(stage, &to_stage))
            .map_err(RunError::Thread)?;
        let mut hands = Vec::new();
        let mut workers = Vec::new();
        for index in 0..settings.workers {
            let (hand, deals) = bounded(PACKET_QUEUE);
            let worker = Worker::new(index, settings.workers, settings.flow, settings.uids.clone());
            let found = found.clone();
            let board = &settings.board;
            let run = move || run_worker(worker, index, &deals, &found, board);
            let worker = named(format!("worker-{index}")).spawn_scoped(scope, run);
            workers.push(worker.map_err(RunError::Thread)?);
            hands.push(hand);
        }
        drop(found);
        let read = deal_out(source, hands, settings);
        let mut flows = FlowCounts::default();
        for worker in workers {
            flows.evicted += worker.join().map_or(0, |counts| counts.evicted);
        }
        let staged = staged.join().unwrap_or_else(|_| Err("the second stage panicked".into()));
        staged.map_err(RunError::Stage)?;
        Ok(read?.finish(source.tally().filtered, flows))
    })
}

/// Reads and decodes, and gives every worker its packets of each batch, in order.
fn deal_out(
    source: &mut dyn Source,
    hands: Vec<Sender<Deal>>,
    settings: &RunSettings,
) -> Result<Front, RunError> {
    let mut front = Front::new(settings.flow);
    let mut batch = Batch::default();
    while fill(source, &mut batch, &mut front)? == More::Come {
        let share = batch.packets.len() / hands.len() + batch.packets.len() / 8;
        let mut dealt: Vec<Vec<Arrival>> =
            hands.iter().map(|_| Vec::with_capacity(share)).collect();
        for frame in &batch.packets {
            front.arrive(frame, &batch.block, |arrival| {
                dealt[owner(arrival.key.shard(), hands.len())].push(arrival);
            });
        }
        let clock = front.advance();
        settings.board.post_packets(&front.counts, source.tally());
        for (hand, arrivals) in hands.iter().zip(dealt) {
            let block = Arc::clone(&batch.block);
            if hand.send(Deal { block, arrivals, clock }).is_err() {
                // The worker has stopped because the second stage failed; its error is told there.
                return Ok(front);
            }
        }
    }
    Ok(front)
}

fn run_worker(
    mut worker: Worker,
    index: usize,
    deals: &Receiver<Deal>,
    found: &Sender<Found>,
    board: &Board,
) -> FlowCounts {
    let (mut clock, mut relief) = (Timestamp::MIN, 0);
    for deal in deals {
        worker.packets(&deal.arrivals, &deal.block);
        clock = deal.clock;
        drop(deal);
        worker.advance(clock);
        if board.relief() != relief {
            relief = board.relief();
            worker.relieve(clock);
        }
        board.post_flows(index, worker.counts());
        let events = worker.take_events();
        if found.send(Found { worker: index, events, watermark: clock }).is_err() {
            return worker.counts();
        }
    }
    worker.finish(clock);
    let events = worker.take_events();
    // If nobody listens any more, the second stage has failed and says so itself.
    let _ = found.send(Found { worker: index, events, watermark: Timestamp::MAX });
    worker.counts()
}

fn run_stage(stage: &mut dyn Stage, found: &Receiver<Found>) -> Result<(), StageError> {
    for Found { worker, events, watermark } in found {
        stage.events(worker, events, watermark)?;
    }
    Ok(())
}
