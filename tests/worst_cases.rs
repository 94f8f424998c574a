//! Inputs that are made to cost: twice as much of them costs little more than twice as much.
//!
//! In: packets built here. Out: processor time of the whole path. Time is noise on a busy machine,
//! so that the comparison is made only when `SERVAL_LONG_TESTS` asks for it; that every story is
//! survived and that every packet of it is accounted for is tested always.

use analyzers::{Direction, Timestamp};

use Direction::{DstToSrc as Server, SrcToDst as Client};

use crate::packets::{ACK, Ends, PSH, SYN, Segment, Wrapping, captured};
use crate::replays::{Frame, Frames};

/// How much more twice the input may cost.
const RATIO_MAX: f64 = 2.3;

/// Runs of each size, of which the cheapest counts.
const RUNS: usize = 5;

/// Bytes of the smaller input, where the story is measured: from these on, doubled until a run
/// costs [`MEASURED_NANOS`].
const MEASURED_BYTES: [usize; 2] = [1 << 20, 1 << 26];

/// Nanoseconds against which the few of a scheduler's tick do not count.
const MEASURED_NANOS: u64 = 80_000_000;

/// Bytes of an input that is only survived.
const SURVIVED_BYTES: usize = 1 << 14;

/// Payload of a packet that is as full as Ethernet allows.
const SEGMENT_BYTES: usize = 1_400;

/// A story: its name, the port, what the client says in so many bytes, and in what pieces.
struct Story {
    name: &'static str,
    port: u16,
    says: fn(usize) -> Vec<u8>,
    piece: usize,
    order: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    AsSent,
    /// Every hundred pieces arrive last first.
    Backwards,
}

fn repeated(start: &[u8], part: &[u8], bytes: usize) -> Vec<u8> {
    let mut out = start.to_vec();
    while out.len() < bytes {
        out.extend_from_slice(part);
    }
    out
}

/// An NBSS frame around an SMB 1 message with a chain of blocks.
fn smb1_chains(bytes: usize) -> Vec<u8> {
    let mut message = b"\xffSMB\x74".to_vec();
    message.resize(32, 0);
    for block in 1..=60_u16 {
        let next = 32 + block * 7;
        message.extend_from_slice(&[2, 0x74, 0]);
        message.extend_from_slice(&next.to_le_bytes());
        message.extend_from_slice(&[0, 0]);
    }
    let length = u32::try_from(message.len()).expect("a short message");
    repeated(&[], &[&length.to_be_bytes()[..], &message].concat(), bytes)
}

/// SMB 1 primaries of transactions that never go on, each under its own multiplex id.
fn smb1_transactions(bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for multiplex in 0..=u16::MAX {
        let mut message = b"\xffSMB\x25".to_vec();
        message.resize(30, 0);
        message.extend_from_slice(&multiplex.to_le_bytes());
        message.extend_from_slice(&[14, 9, 9]);
        message.resize(32 + 1 + 28 + 2, 0);
        out.extend_from_slice(&u32::try_from(message.len()).expect("short").to_be_bytes());
        out.extend_from_slice(&message);
        if out.len() >= bytes {
            break;
        }
    }
    out
}

/// Writes of an SMB 2 file whose blocks never come in order, to an unknown file.
fn smb2_writes(bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut number = 0_u64;
    while out.len() < bytes {
        number += 1;
        let mut message = b"\xfeSMB\x40\0\0\0\0\0\0\0\x09\0".to_vec();
        message.resize(24, 0);
        message.extend_from_slice(&number.to_le_bytes());
        message.resize(64, 0);
        message.extend_from_slice(&[49, 0, 112, 0, 16, 0, 0, 0]);
        message.extend_from_slice(&(number * 7_919).to_le_bytes());
        message.extend_from_slice(&number.to_le_bytes());
        message.resize(64 + 48 + 16, 0);
        out.extend_from_slice(&u32::try_from(message.len()).expect("short").to_be_bytes());
        out.extend_from_slice(&message);
    }
    out
}

/// DNS messages on TCP whose every name is a chain of pointers.
fn dns_pointers(bytes: usize) -> Vec<u8> {
    let mut message = b"\0\x01\x01\0\0\x40\0\0\0\0\0\0\x01a\0".to_vec();
    let mut before = 12_u16;
    for _ in 0..64 {
        let at = u16::try_from(message.len()).expect("a short message");
        message.extend_from_slice(&(0xc000 | before).to_be_bytes());
        message.extend_from_slice(&[0, 1, 0, 1]);
        before = at;
    }
    let length = u16::try_from(message.len()).expect("a short message");
    repeated(&[], &[&length.to_be_bytes()[..], &message].concat(), bytes)
}

/// A hello in records of one byte each.
fn tls_slivers(bytes: usize) -> Vec<u8> {
    repeated(
        b"\x16\x03\x01\0\x04\x01\0\xff\xf0\x16\x03\x01\0\x01\x03",
        b"\x16\x03\x01\0\x01\x03",
        bytes,
    )
}

/// HTTP/2 header blocks that go on and on.
fn h2_continuations(bytes: usize) -> Vec<u8> {
    let start =
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], b"\0\0\x01\x01\0\0\0\0\x01\x82"].concat();
    repeated(&start, b"\0\0\x01\x09\0\0\0\0\x01\x82", bytes)
}

fn stories() -> Vec<Story> {
    let story = |name, port, says, piece| Story { name, port, says, piece, order: Order::AsSent };
    let get: fn(usize) -> Vec<u8> = |bytes| repeated(b"", b"GET / HTTP/1.1\r\n\r\n", bytes);
    vec![
        story("one byte a segment, which nobody knows", 9_999, |n| vec![b'z'; n / 16], 1),
        story("one line without an end", 80, |n| repeated(b"GET /", b"a", n / 16), 1),
        story("fields without an end", 80, |n| repeated(b"GET / HTTP/1.1\r\n", b"a: b\r\n", n), 7),
        story(
            "folded fields",
            80,
            |n| repeated(b"GET / HTTP/1.1\r\nHost: a\r\n", b" b\r\n", n),
            64,
        ),
        story("requests that nobody answers", 80, get, SEGMENT_BYTES),
        story(
            "chunks of one byte",
            80,
            |n| {
                repeated(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", n)
            },
            SEGMENT_BYTES,
        ),
        story("header blocks that go on", 80, h2_continuations, 9),
        story("a hello in slivers", 443, tls_slivers, 6),
        story("pointers to pointers", 53, dns_pointers, SEGMENT_BYTES),
        story("chains of commands", 445, smb1_chains, SEGMENT_BYTES),
        story("transactions that never go on", 445, smb1_transactions, SEGMENT_BYTES),
        story("writes to unknown files", 445, smb2_writes, SEGMENT_BYTES),
        story("what looks like SMB everywhere", 445, |n| repeated(b"", b"\xffSMB", n), 3),
        Story { order: Order::Backwards, ..story("pieces last first", 80, get, 9) },
    ]
}

/// The packets of a story of about so many bytes.
fn frames(story: &Story, bytes: usize) -> Vec<Frame> {
    let ends = Ends::new(1, 40_000, story.port);
    let says = (story.says)(bytes);
    let mut segments: Vec<Segment> = Vec::new();
    let mut offset = 1;
    for piece in says.chunks(story.piece) {
        segments.push(Segment::new(Client, ACK | PSH, offset, 1, piece));
        offset += i64::try_from(piece.len()).expect("a short piece");
    }
    if story.order == Order::Backwards {
        segments.chunks_mut(100).for_each(<[Segment]>::reverse);
    }
    let handshake = [
        Segment::new(Client, SYN, 0, 0, &[]),
        Segment::new(Server, SYN | ACK, 0, 1, &[]),
        Segment::new(Client, ACK, 1, 1, &[]),
    ];
    let mut time = Timestamp::from_secs_nanos(1_700_000_000, 0);
    let all = handshake.into_iter().chain(segments);
    all.map(|segment| {
        time = time.after(std::time::Duration::from_micros(10));
        captured(time, Wrapping::Plain.frame(&ends.tcp(&segment)))
    })
    .collect()
}

/// Nanoseconds that this thread ran, of the scheduler's own books; `None` where there are none.
fn ran() -> Option<u64> {
    let books = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    books.split(' ').next()?.parse().ok()
}

/// The least that a replay of these packets costs.
fn cost(packets: &[Frame]) -> Option<u64> {
    let costs = (0..RUNS).map(|_| {
        let frames = packets.to_vec();
        let before = ran()?;
        Frames::replay(frames);
        Some(ran()? - before)
    });
    costs.min().flatten()
}

/// What a story costs, and what it costs when it is twice as long.
fn costs(story: &Story) -> Option<(u64, u64)> {
    let [mut bytes, most] = MEASURED_BYTES;
    let mut once = cost(&frames(story, bytes))?;
    while once < MEASURED_NANOS && bytes < most {
        bytes *= 2;
        once = cost(&frames(story, bytes))?;
    }
    Some((once, cost(&frames(story, 2 * bytes))?))
}

#[test]
fn every_story_is_survived_and_accounted_for() {
    for story in stories() {
        let packets = frames(&story, SURVIVED_BYTES);
        let replay = Frames::replay(packets.clone());
        let counted: i64 =
            replay.table("flow").iter().filter_map(|r| r["src_packets"].as_i64()).sum();
        let sent = packets.len() - 1;
        assert_eq!(usize::try_from(counted).expect("a count"), sent, "{}", story.name);
    }
}

#[test]
fn twice_the_input_costs_little_more_than_twice_as_much() {
    if std::env::var_os("SERVAL_LONG_TESTS").is_none() {
        eprintln!("skipped: SERVAL_LONG_TESTS is not set");
        return;
    }
    let mut dear = Vec::new();
    for story in stories() {
        let Some((once, twice)) = costs(&story) else {
            eprintln!("skipped: this system does not tell what a thread ran");
            return;
        };
        let ratio = twice as f64 / once as f64;
        eprintln!("{ratio:.2}  {:>6} ms  {}", once / 1_000_000, story.name);
        if ratio > RATIO_MAX {
            dear.push(format!("{}: {ratio:.2}", story.name));
        }
    }
    assert!(dear.is_empty(), "more than {RATIO_MAX} times as much:\n{}", dear.join("\n"));
}
