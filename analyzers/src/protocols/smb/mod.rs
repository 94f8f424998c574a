//! SMB 1, 2 and 3 over NetBIOS sessions and direct TCP: from the negotiation to the last close.
//!
//! In: both directions of a TCP stream. Out: rows of the table `smb`, one per request with its
//! response; reads and writes one per open file. MS-CIFS and MS-SMB (SMB 1), MS-SMB2 (SMB 2 and 3),
//! RFC 1001/1002 (frames), MS-NLMP and RFC 4178 (logon), MS-RPCE (pipes).
//!
//! # How a stream is read
//! Each direction is a series of frames, each frame a series of messages, and of each message only
//! the head is looked at: its header, its fixed part, its names. Everything behind passes by as it
//! comes, hashed where that is on: contents are not buffered, and a gap in them loses nothing but
//! themselves. After any other gap the next believable header is searched. Which side asks is read
//! from each message, never from the direction: a flow may begin anywhere.
//!
//! # Memory
//! A flow keeps at most [`SMB_PENDING`](crate::limits::SMB_PENDING) requests and
//! [`SMB_OPEN_FILES`](crate::limits::SMB_OPEN_FILES) open files of some 200 bytes each, 26 KiB of
//! names, and of SMB 1 the ids of some hundred messages: about 90 KiB, when an attacker fills every
//! table; a few KiB otherwise. Where files are hashed,
//! [`SMB_HELD_BYTES`](crate::limits::SMB_HELD_BYTES) of blocks that came before their turn stand
//! beside that. Of the stream it asks for [`SMB_HEAD_BYTES`](crate::limits::SMB_HEAD_BYTES) a
//! direction at most.

mod content;
mod credentials;
mod dcerpc;
mod dialect;
mod entry;
mod ledger;
mod name;
mod nbss;
mod ntlmssp;
mod open_file;
mod operations;
mod record;
mod smb1;
mod smb2;
mod status;
mod table;
mod transaction;

#[cfg(test)]
mod tests;

pub use record::SmbRecord;

use crate::direction::{Direction, PerDirection};
use crate::emitter::{Detail, Emitter};
use crate::flow_id::Transport;
use crate::limits::SMB_HEAD_BYTES;
use crate::malformed::MalformedKind;
use crate::protocol::{
    Analyzer, Chunk, Finish, FlowContext, Gap, Probe, Protocol, Step, StreamStart, Verdict,
};
use crate::reader::Reader;
use crate::time::Timestamp;
use crate::weird::Weird;
use content::{Content, Way};
use ledger::Ledger;
use name::server_address;
use nbss::{Found, Frame, Magic};
use smb1::Invariants;
use transaction::{Envelope, FileKey, Flaw, Request, Response};

/// Server message block.
pub const PROTOCOL: Protocol = Protocol {
    name: "smb",
    doc: "Server message block 1, 2 and 3: logons, shares, files and pipes.",
    specifications: &[
        "MS-CIFS", "MS-SMB", "MS-SMB2", "RFC 1002", "MS-NLMP", "RFC 4178", "MS-RPCE", "MS-ERREF",
    ],
    transports: &[Transport::TCP],
    ports: &PORTS,
    buffer_bytes_max: SMB_HEAD_BYTES * 2,
    probe,
    analyzer: Some(|flow: &FlowContext| Box::new(Smb::new(flow))),
    tables: &[&SmbRecord::TABLE],
};

const PORTS: [u16; 2] = [445, 139];

/// Bytes of a transform header, and of a compression header.
const TRANSFORM_BYTES: usize = 52;
const COMPRESSION_BYTES: usize = 16;

fn probe(probe: &Probe<'_>) -> Verdict {
    let usual_port = PORTS.iter().any(|port| probe.flow.has_port(*port));
    match nbss::frame(probe.bytes) {
        Frame::Message(_) => Verdict::Certain,
        Frame::Control(_) if probe.flow.has_port(139) => Verdict::Certain,
        Frame::Control(length) => control_probe(probe.bytes, length),
        Frame::Short(_) => Verdict::Unsure,
        Frame::Foreign if !usual_port => Verdict::NotForUs,
        Frame::Foreign => match nbss::find(probe.bytes) {
            Found::At(_) => Verdict::Certain,
            Found::NotBefore(_) => Verdict::Unsure,
        },
    }
}

/// A control frame proves nothing alone; the frame behind it does.
fn control_probe(bytes: &[u8], length: usize) -> Verdict {
    let behind = length.saturating_add(nbss::HEADER_BYTES);
    match bytes.get(behind..).map(nbss::frame) {
        Some(Frame::Message(_)) => Verdict::Certain,
        Some(Frame::Foreign | Frame::Control(_)) => Verdict::NotForUs,
        Some(Frame::Short(_)) | None => Verdict::Unsure,
    }
}

/// Where one direction stands.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Before a frame's header.
    #[default]
    Frame,
    /// Before a message, with that many bytes left in its frame.
    Message(usize),
    /// Inside a message whose head was read.
    Passing {
        /// Bytes left of the message.
        message: usize,
        /// Bytes of the frame behind it.
        frame: usize,
    },
    /// Nowhere known: looking for a frame.
    Lost,
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    place: Place,
    /// When the first byte of the message came that is not read yet.
    since: Option<Timestamp>,
    /// What the last request of the compound named.
    compound: Option<Compound>,
    /// What of a file the message brings whose head was read.
    content: Option<Content>,
}

/// What related requests of a compound take over from the one before (MS-SMB2 3.3.5.2.7.2).
#[derive(Clone, Copy, Debug)]
struct Compound {
    session: u64,
    tree: u32,
    file: FileKey,
}

/// Whether more bytes can come behind those that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    /// They can.
    Open,
    /// A gap or the end of the flow stands there.
    Ended,
}

/// What came of one step.
enum Progress {
    /// Something was done.
    On,
    /// That many bytes are needed from here.
    Short(usize),
}

/// One run of bytes and what is known of them.
#[derive(Clone, Copy)]
struct Run {
    direction: Direction,
    time: Timestamp,
    supply: Supply,
}

/// The state of one flow.
struct Smb {
    flow: FlowContext,
    halves: PerDirection<Half>,
    ledger: Ledger,
    /// Made by the first message of SMB 1.
    invariants: Option<Box<Invariants>>,
}

impl Analyzer for Smb {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let mut r = Reader::new(chunk.bytes);
        let run = Run { direction: chunk.direction, time: chunk.time, supply: Supply::Open };
        let needed = self.run(&mut r, run, emitter);
        if r.offset() == 0 && !r.is_empty() {
            return Step::NeedMore { at_least: needed.max(r.remaining().saturating_add(1)) };
        }
        Step::Consumed(r.offset())
    }

    fn gap(&mut self, gap: &Gap<'_>, emitter: &mut Emitter) -> Step {
        let mut r = Reader::new(gap.rest);
        let run = Run { direction: gap.direction, time: gap.time, supply: Supply::Ended };
        self.run(&mut r, run, emitter);
        let unread = u64::try_from(r.remaining()).unwrap_or(u64::MAX);
        let half = self.halves.of_mut(gap.direction);
        half.since = None;
        half.content = None;
        half.place = half.place.after(gap.missing.saturating_add(unread));
        self.lost_sight();
        Step::Consumed(0)
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            let mut r = Reader::new(finish.rest.of(direction));
            let run = Run { direction, time: finish.time, supply: Supply::Ended };
            self.run(&mut r, run, emitter);
        }
        if let Some(invariants) = &mut self.invariants {
            invariants.finish(emitter);
        }
        self.ledger.finish(emitter);
    }
}

impl Place {
    /// Where the direction stands after `missing` bytes that nobody saw: known as long as they end
    /// inside the frame.
    fn after(self, missing: u64) -> Self {
        let (message, frame) = match self {
            Self::Frame | Self::Lost => return Self::Lost,
            Self::Message(frame) => (0, frame),
            Self::Passing { message, frame } => (message, frame),
        };
        let Ok(missing) = usize::try_from(missing) else { return Self::Lost };
        if let Some(message) = message.checked_sub(missing) {
            return Self::Passing { message, frame };
        }
        match message.saturating_add(frame).checked_sub(missing) {
            Some(rest) => Self::Passing { message: rest, frame: 0 },
            None => Self::Lost,
        }
    }
}

impl Smb {
    fn new(flow: &FlowContext) -> Self {
        Self {
            flow: *flow,
            halves: PerDirection::default(),
            ledger: Ledger::new(flow.hashing),
            invariants: None,
        }
    }

    /// Reads on as long as there are bytes; returns how many the next step needs.
    fn run(&mut self, r: &mut Reader<'_>, run: Run, emitter: &mut Emitter) -> usize {
        while !r.is_empty() {
            if let Progress::Short(needed) = self.step(r, run, emitter) {
                self.halves.of_mut(run.direction).since.get_or_insert(run.time);
                return needed;
            }
        }
        0
    }

    fn step(&mut self, r: &mut Reader<'_>, run: Run, emitter: &mut Emitter) -> Progress {
        let half = self.halves.of_mut(run.direction);
        match half.place {
            Place::Frame => match nbss::frame(r.rest()) {
                Frame::Message(length) => {
                    r.sub_lax(nbss::HEADER_BYTES);
                    half.since.get_or_insert(run.time);
                    half.compound = None;
                    half.place = Place::Message(length);
                }
                Frame::Control(length) => {
                    r.sub_lax(nbss::HEADER_BYTES);
                    half.since = None;
                    half.place = Place::Passing { message: length, frame: 0 };
                }
                Frame::Foreign => {
                    emitter.weird(run.time, Weird::SmbLostPlace);
                    half.since = None;
                    half.place = Place::Lost;
                    self.lost_sight();
                }
                Frame::Short(needed) => return Progress::Short(needed),
            },
            Place::Message(left) => return self.message(r, left, run, emitter),
            Place::Passing { message, frame } => {
                let bytes = r.sub_lax(message).whole();
                half.place = match message.saturating_sub(bytes.len()) {
                    0 if frame == 0 => Place::Frame,
                    0 => Place::Message(frame),
                    message => Place::Passing { message, frame },
                };
                self.pass(bytes, run, emitter);
            }
            Place::Lost => match nbss::find(r.rest()) {
                Found::At(start) => {
                    r.sub_lax(start);
                    half.place = Place::Frame;
                }
                Found::NotBefore(start) => {
                    r.sub_lax(start);
                    return Progress::Short(r.remaining().saturating_add(1));
                }
            },
        }
        Progress::On
    }

    /// Reads the head of the message at the cursor.
    fn message(
        &mut self,
        r: &mut Reader<'_>,
        left: usize,
        run: Run,
        emitter: &mut Emitter,
    ) -> Progress {
        let rest = r.rest();
        let needed = match (nbss::magic(rest), rest.len()) {
            (Some(Magic::Smb1), _) => smb1::HEADER_BYTES,
            (Some(Magic::Smb2), _) => smb2::HEADER_BYTES,
            (Some(Magic::Transform), _) => TRANSFORM_BYTES,
            (Some(Magic::Compression), _) => COMPRESSION_BYTES + smb2::HEADER_BYTES,
            (None, 0..4) => 4,
            (None, _) => 0,
        };
        let needed = needed.min(left);
        if rest.len() < needed {
            return Progress::Short(needed);
        }
        let (length, head) = extent(rest, left);
        if run.supply == Supply::Open && rest.len() < head {
            return Progress::Short(head);
        }
        let head = r.sub_lax(head).whole();
        let half = self.halves.of_mut(run.direction);
        let time = half.since.take().unwrap_or(run.time);
        half.place = Place::Passing {
            message: length.saturating_sub(head.len()),
            frame: left.saturating_sub(length),
        };
        half.content = None;
        self.read(head, Run { time, ..run }, emitter);
        self.pass(head, run, emitter);
        Progress::On
    }

    /// The one place where the contents of files go by.
    fn pass(&mut self, bytes: &[u8], run: Run, emitter: &mut Emitter) {
        let half = self.halves.of_mut(run.direction);
        let Some(content) = half.content.take() else { return };
        let (passage, piece, rest) = content.split(bytes);
        half.content = rest;
        if !piece.is_empty() {
            self.ledger.pass(&passage, piece, run.time, emitter);
        }
    }

    fn read(&mut self, head: &[u8], run: Run, emitter: &mut Emitter) {
        match nbss::magic(head) {
            Some(Magic::Smb1) => self.smb1(head, run, emitter),
            Some(Magic::Smb2) => self.smb2(head, run, emitter),
            Some(Magic::Transform) => {
                if let Ok(session) = smb2::transform_session(head) {
                    self.ledger.encrypted(session, run.time, emitter);
                }
            }
            Some(Magic::Compression) => self.compressed(head, run, emitter),
            None => emitter.weird_with(run.time, Weird::SmbMalformed, "next command".into()),
        }
    }

    fn smb2(&mut self, head: &[u8], run: Run, emitter: &mut Emitter) {
        let mut body = Reader::new(head);
        let header = match smb2::Header::read(&mut body) {
            Ok(header) => header,
            Err(malformed) => {
                return emitter.weird_with(run.time, Weird::SmbMalformed, malformed.into());
            }
        };
        let mut flaw = Flaw::default();
        let mut envelope = Envelope {
            time: run.time,
            command: header.command,
            message: header.message,
            step: 0,
            session: header.session,
            tree: header.tree.unwrap_or_default(),
            signed: header.signed,
        };
        match header.role {
            smb2::Role::Request => {
                let request = smb2::request(&header, body, &mut flaw);
                let half = self.halves.of_mut(run.direction);
                let request = half.relate(&header, &mut envelope, request);
                if let Some(request) = request {
                    self.ask(envelope, request, run, emitter);
                }
            }
            smb2::Role::Response => {
                if let Some(response) = smb2::response(&header, body, &mut flaw) {
                    self.answer(envelope, header.status, response, run, emitter);
                }
            }
        }
        note(&flaw, run, emitter);
    }

    fn smb1(&mut self, head: &[u8], run: Run, emitter: &mut Emitter) {
        let mut flaw = Flaw::default();
        let Some(header) = flaw.keep(smb1::Header::read(&mut Reader::new(head))) else {
            return note(&flaw, run, emitter);
        };
        let start = self.flow.start;
        let mut chain = smb1::Chain::new(&header, head);
        let mut step = 0;
        let mut opens = false;
        while let Some(Some(mut block)) = flaw.keep(chain.block()) {
            let mut envelope = Envelope {
                time: run.time,
                command: block.command,
                message: header.message,
                step,
                session: u64::from(header.user),
                tree: u32::from(header.tree),
                signed: header.signed,
            };
            match header.role {
                smb1::Role::Request => {
                    let invariants = self.invariants.get_or_insert_with(|| Invariants::of(start));
                    invariants.request(&header, &block, run.time, emitter);
                    let request = smb1::request(&mut block, &mut flaw);
                    envelope.command = block.command;
                    if let Some(mut request) = request {
                        // A chain works on the file that it opens, whatever id stands in it.
                        if let (true, Some(file)) = (opens, request.file_mut()) {
                            *file = FileKey::OpenedBy(header.message);
                        }
                        opens |= matches!(request, Request::Open { .. });
                        self.ask(envelope, request, run, emitter);
                    }
                }
                smb1::Role::Response => {
                    if step == 0 {
                        let invariants =
                            self.invariants.get_or_insert_with(|| Invariants::of(start));
                        invariants.response(&header, &block, run.time, emitter);
                    }
                    // The header's status is that of the last command that was carried out.
                    let status = if chain.is_over() { header.status } else { status::SUCCESS };
                    if let Some(response) = smb1::response(&mut block, &mut flaw) {
                        self.answer(envelope, status, response, run, emitter);
                    }
                }
            }
            step = step.saturating_add(1);
        }
        if header.role == smb1::Role::Response {
            self.ledger.chain_ended(header.message, step, emitter);
        }
        note(&flaw, run, emitter);
    }

    /// Bytes are missing: what was asked may be among them.
    fn lost_sight(&mut self) {
        self.flow.start = StreamStart::Midstream;
        self.ledger.lost_sight();
        if let Some(invariants) = &mut self.invariants {
            invariants.lost_sight();
        }
    }

    /// Enters a request; a share of another server than the one that is asked is odd.
    fn ask(&mut self, envelope: Envelope, request: Request, run: Run, emitter: &mut Emitter) {
        if let Request::TreeConnect(Some(share)) = &request
            && let Some(named) = server_address(share.as_bytes())
        {
            let server = match run.direction {
                Direction::SrcToDst => self.flow.dst.ip,
                Direction::DstToSrc => self.flow.src.ip,
            };
            if named != server {
                let detail = Detail::Text(share.clone());
                emitter.weird_with(run.time, Weird::SmbTreeNamesOtherAddress, detail);
            }
        }
        let brings = match &request {
            Request::Write(transfer, _) => self
                .ledger
                .passage(transfer, Way::Written)
                .map(|passage| Content { passage, before: transfer.data_at }),
            _ => None,
        };
        if brings.is_some() {
            self.halves.of_mut(run.direction).content = brings;
        }
        self.ledger.request(envelope, request, emitter);
    }

    /// Enters a response.
    fn answer(
        &mut self,
        envelope: Envelope,
        status: u32,
        response: Response,
        run: Run,
        emitter: &mut Emitter,
    ) {
        let before = match response {
            Response::Moved { data_at, .. } => data_at,
            _ => 0,
        };
        let passage = self.ledger.response(envelope, status, response, emitter);
        if let Some(passage) = passage {
            self.halves.of_mut(run.direction).content = Some(Content { passage, before });
        }
    }

    /// What a compressed message leaves readable: often its header and fixed part.
    fn compressed(&mut self, head: &[u8], run: Run, emitter: &mut Emitter) {
        match smb2::plain_head(head) {
            Ok(plain) if plain.len() >= smb2::HEADER_BYTES => {
                self.smb2(plain, Run { supply: Supply::Ended, ..run }, emitter);
                // What follows is no content, but what becomes of it.
                self.halves.of_mut(run.direction).content = None;
            }
            Ok(_) => emitter.weird(run.time, Weird::SmbCompressed),
            Err(malformed) if malformed.kind == MalformedKind::LimitReached => {
                emitter.weird_with(run.time, Weird::SmbCompressionOverflow, malformed.into());
            }
            Err(malformed) => {
                emitter.weird_with(run.time, Weird::SmbMalformed, malformed.into());
            }
        }
    }
}

impl Half {
    /// Fills in what a related request leaves to the one before it, and remembers this one.
    fn relate(
        &mut self,
        header: &smb2::Header,
        envelope: &mut Envelope,
        mut request: Option<Request>,
    ) -> Option<Request> {
        let before = self.compound.filter(|_| header.relation == smb2::Relation::Related);
        if let Some(before) = before {
            envelope.session = before.session;
            envelope.tree = before.tree;
        }
        let mut file = before.map_or(FileKey::Unseen, |before| before.file);
        if let Some(named) = request.as_mut().and_then(Request::file_mut) {
            if *named == FileKey::Id(u128::MAX) {
                *named = file;
            }
            file = *named;
        }
        if let Some(Request::Open { .. }) = request {
            file = FileKey::OpenedBy(envelope.message);
        }
        self.compound = Some(Compound { session: envelope.session, tree: envelope.tree, file });
        request
    }
}

/// The length of the message at the beginning of `rest`, and how much of it is looked at.
fn extent(rest: &[u8], left: usize) -> (usize, usize) {
    let mut r = Reader::new(rest);
    match nbss::magic(rest) {
        Some(Magic::Smb1) => {
            let header = smb1::Header::read(&mut r);
            (left, header.map_or(left.min(SMB_HEAD_BYTES), |header| header.head_bytes(left)))
        }
        Some(Magic::Smb2) => match smb2::Header::read(&mut r) {
            Ok(header) => {
                let length = header.length(left);
                (length, header.head_bytes(length))
            }
            Err(_) => (left, left.min(SMB_HEAD_BYTES)),
        },
        Some(Magic::Transform) => (left, left.min(TRANSFORM_BYTES)),
        Some(Magic::Compression) => (left, left.min(SMB_HEAD_BYTES)),
        None => (left, left.min(nbss::HEADER_BYTES)),
    }
}

/// Says what was wrong with a message. One that a gap cut is not wrong.
fn note(flaw: &Flaw, run: Run, emitter: &mut Emitter) {
    let Some(malformed) = flaw.found() else { return };
    if run.supply == Supply::Ended && malformed.is_truncated() {
        return;
    }
    let weird = match malformed.kind {
        MalformedKind::LimitReached => Weird::SmbChainTooLong,
        _ => Weird::SmbMalformed,
    };
    emitter.weird_with(run.time, weird, Detail::Malformed(malformed));
}
