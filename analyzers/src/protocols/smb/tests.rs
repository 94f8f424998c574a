//! Tests: a small wire builder, a flow that collects what the analyzer says, and the tables by
//! theme.

mod contents;
mod invariants;
mod parts;
mod smb1;
mod smb2;
mod stream;

use super::{PROTOCOL, Smb};
use crate::direction::{Direction, PerDirection};
use crate::emitter::{Emission, Emitter};
use crate::flow_id::{Endpoint, Transport};
use crate::protocol::{
    Analyzer, Chunk, Finish, FinishReason, FlowContext, Gap, Probe, Step, StreamStart, Verdict,
};
use crate::record::{Column, Row, Value};
use crate::time::Timestamp;
use crate::weird::Weird;

const CLIENT: Direction = Direction::SrcToDst;
const SERVER: Direction = Direction::DstToSrc;

fn at_millis(millis: i64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

/// A flow as the stream would feed it: what is not consumed is shown again.
struct Wire {
    smb: Smb,
    emitter: Emitter,
    unread: PerDirection<Vec<u8>>,
    needed: PerDirection<usize>,
    now: i64,
}

impl Wire {
    fn new() -> Self {
        Self {
            smb: Smb::new(&flow(445)),
            emitter: Emitter::default(),
            unread: PerDirection::default(),
            needed: PerDirection::default(),
            now: 0,
        }
    }

    /// Bytes of one direction, a millisecond after the last ones.
    fn send(&mut self, direction: Direction, bytes: &[u8]) {
        self.now += 1;
        let unread = self.unread.of_mut(direction);
        unread.extend_from_slice(bytes);
        while !unread.is_empty() && unread.len() >= *self.needed.of(direction) {
            let time = at_millis(self.now);
            let chunk = Chunk { direction, time, bytes: unread, wire_bytes: unread.len() };
            match self.smb.data(&chunk, &mut self.emitter) {
                Step::Consumed(count) => {
                    assert!(count > 0);
                    unread.drain(..count);
                    *self.needed.of_mut(direction) = 0;
                }
                Step::NeedMore { at_least } => {
                    assert!(at_least > unread.len() && at_least <= PROTOCOL.buffer_bytes_max);
                    *self.needed.of_mut(direction) = at_least;
                }
                step => panic!("{step:?}"),
            }
        }
    }

    fn lose(&mut self, direction: Direction, missing: u64) {
        let rest = std::mem::take(self.unread.of_mut(direction));
        *self.needed.of_mut(direction) = 0;
        let gap = Gap { direction, time: at_millis(self.now), missing, rest: &rest };
        assert_eq!(self.smb.gap(&gap, &mut self.emitter), Step::Consumed(0));
    }

    fn exchange(&mut self, request: &[u8], response: &[u8]) {
        self.send(CLIENT, request);
        self.send(SERVER, response);
    }

    /// Ends the flow; one line a row, then the weirds.
    fn finish(mut self) -> Said {
        let finish = Finish {
            reason: FinishReason::Fin,
            time: at_millis(self.now),
            rest: PerDirection { src: &self.unread.src, dst: &self.unread.dst },
            payload_bytes: PerDirection::default(),
        };
        self.smb.finish(&finish, &mut self.emitter);
        let mut said = Said::default();
        for emission in self.emitter.drain() {
            match emission {
                Emission::Record { record, ts } => {
                    let columns = record.table().columns;
                    let mut line = Line { columns, spoken: vec![], words: vec![] };
                    record.cells(&mut line);
                    said.rows.push(line.words.join(" "));
                    said.spoken.push(line.spoken.join(" "));
                    said.times.push(ts.nanos() / 1_000_000);
                }
                Emission::Weird { weird, .. } => said.weirds.push(weird),
            }
        }
        said
    }
}

/// What a flow left.
#[derive(Debug, Default, PartialEq)]
struct Said {
    rows: Vec<String>,
    /// Version and dialect of each row.
    spoken: Vec<String>,
    times: Vec<i64>,
    weirds: Vec<Weird>,
}

/// The values of a row that are there, by column where a bare word would not tell.
struct Line<'a> {
    columns: &'a [Column],
    spoken: Vec<String>,
    words: Vec<String>,
}

impl Row for Line<'_> {
    fn put(&mut self, value: Value<'_>) {
        let (column, rest) = self.columns.split_first().unwrap();
        self.columns = rest;
        let text = match value {
            Value::Null | Value::Bool(false) => return,
            Value::Bool(true) => return self.words.push(column.name.to_owned()),
            Value::Str(word) => word.to_owned(),
            Value::Text(text) => text.escaped().into_owned(),
            Value::I64(number) => number.to_string(),
            Value::I32(number) => number.to_string(),
            other => panic!("{other:?}"),
        };
        match column.name {
            "version" | "dialect" => self.spoken.push(text),
            "command" | "status" => self.words.push(text),
            name => self.words.push(format!("{name}={text}")),
        }
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(message);
    out
}

/// Little-endian fields, one after another.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn new() -> Self {
        Self::default()
    }

    fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    fn u16(mut self, value: usize) -> Self {
        self.0.extend_from_slice(&u16::try_from(value).unwrap().to_le_bytes());
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// One SMB 2 message, to be framed or put in a compound.
#[derive(Clone, Copy)]
struct Smb2 {
    command: u16,
    message: u64,
    status: u32,
    flags: u32,
    session: u64,
    tree: u32,
}

impl Smb2 {
    const fn new(command: u16, message: u64) -> Self {
        Self { command, message, status: 0, flags: 0, session: 9, tree: 5 }
    }

    const fn related(self) -> Self {
        Self { flags: self.flags | 4, session: u64::MAX, tree: u32::MAX, ..self }
    }

    const fn status(self, status: u32) -> Self {
        Self { status, ..self }
    }

    fn message(self, flags: u32, next: u32, body: &[u8]) -> Vec<u8> {
        Fields::new()
            .bytes(b"\xfeSMB")
            .u16(64)
            .u16(0)
            .u32(self.status)
            .u16(usize::from(self.command))
            .u16(1)
            .u32(self.flags | flags)
            .u32(next)
            .bytes(&self.message.to_le_bytes())
            .u32(0)
            .u32(self.tree)
            .bytes(&self.session.to_le_bytes())
            .zeros(16)
            .bytes(body)
            .0
    }

    fn asks(self, body: Fields) -> Vec<u8> {
        frame(&self.message(0, 0, &body.0))
    }

    fn answers(self, body: Fields) -> Vec<u8> {
        frame(&self.message(1, 0, &body.0))
    }
}

/// Several messages in one frame, each at a multiple of eight bytes.
fn compound(flags: u32, parts: &[(Smb2, Fields)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, (header, body)) in parts.iter().enumerate() {
        let length = (64 + body.0.len()).next_multiple_of(8);
        let last = index + 1 == parts.len();
        let next = if last { 0 } else { u32::try_from(length).unwrap() };
        let start = out.len();
        out.extend(header.message(flags, next, &body.0));
        out.resize(start + length, 0);
    }
    frame(&out)
}

fn create_request(path: &str, disposition: u32, options: u32) -> Fields {
    let name = utf16(path);
    Fields::new()
        .u16(57)
        .zeros(2 + 4 + 8 + 8 + 12)
        .u32(disposition)
        .u32(options)
        .u16(64 + 56)
        .u16(name.len())
        .zeros(8)
        .bytes(&name)
}

fn create_response(file: u8, action: u32) -> Fields {
    Fields::new().u16(89).zeros(2).u32(action).zeros(56).bytes(&[file; 16]).zeros(8)
}

fn close_request(file: u8) -> Fields {
    Fields::new().u16(24).zeros(6).bytes(&[file; 16])
}

fn write_request(file: u8, data: &[u8]) -> Fields {
    let length = u32::try_from(data.len()).unwrap();
    Fields::new().u16(49).u16(64 + 48).u32(length).zeros(8).bytes(&[file; 16]).zeros(16).bytes(data)
}

fn write_response(count: u32) -> Fields {
    Fields::new().u16(17).u16(0).u32(count).zeros(8)
}

fn tree_request(share: &str) -> Fields {
    let name = utf16(share);
    Fields::new().u16(9).u16(0).u16(64 + 8).u16(name.len()).bytes(&name)
}

fn flow(port: u16) -> FlowContext {
    let end = |port| Endpoint { ip: std::net::Ipv4Addr::LOCALHOST.into(), port };
    FlowContext {
        src: end(50_000),
        dst: end(port),
        transport: Transport::TCP,
        start: StreamStart::Beginning,
        hashing: crate::protocol::FileHashing::Off,
    }
}

fn probe(bytes: &[u8], port: u16) -> Verdict {
    (PROTOCOL.probe)(&Probe { flow: &flow(port), direction: CLIENT, bytes })
}
