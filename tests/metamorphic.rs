//! The same conversations in other packets give the same rows: other segments, another order,
//! duplicates, fragments, tunnels, sequence numbers that wrap.
//!
//! Conversations of all captures are rebuilt as packets, once plainly and once for each change.
//! Rows of the protocols' tables are compared, without times and uids.

use std::time::Duration;

use analyzers::{Direction, PerDirection, Timestamp, Transport};

use crate::conversations::{self, Content, Conversation};
use crate::dice::Dice;
use crate::packets::{ACK, Checksum, Ends, FIN, PSH, SYN, Segment, Wrapping, captured, fragments};
use crate::replays::{self, Frame, Frames};

/// Conversations that are rebuilt, at least.
const CONVERSATIONS_MIN: usize = 200;

/// Rows of each table that are compared, at least.
const TABLE_ROWS_MIN: usize = 5;

/// Conversations longer than this are left out, unless long tests are asked for.
const CONVERSATION_BYTES_MAX: usize = 20_000;

/// Those that are rebuilt in segments of few bytes are shorter.
const SMALL_SEGMENTS_BYTES_MAX: usize = 2_500;

/// Between the starts of two conversations, so that they overlap.
const STAGGER: Duration = Duration::from_millis(3);

/// How conversations are put into packets.
#[derive(Clone, Copy)]
struct Manner {
    /// Payload bytes of a segment.
    segment_bytes: usize,
    /// Segments of one turn that change places with each other.
    shuffled: usize,
    copies: usize,
    /// Payload bytes of an IP fragment.
    fragment_bytes: usize,
    wrapping: Wrapping,
    origins: PerDirection<u32>,
    checksum: Checksum,
}

const PLAIN: Manner = Manner {
    segment_bytes: 1_460,
    shuffled: 1,
    copies: 1,
    fragment_bytes: usize::MAX,
    wrapping: Wrapping::Plain,
    origins: PerDirection { src: 1_000_000, dst: 3_000_000_000 },
    checksum: Checksum::Good,
};

/// Which conversations a change is tried on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    All,
    /// A datagram that comes twice is two datagrams.
    Streams,
    ShortStreams,
}

fn chosen(choice: Choice) -> Vec<Conversation> {
    let long = std::env::var_os("SERVAL_LONG_TESTS").is_some();
    let most = match choice {
        Choice::ShortStreams => SMALL_SEGMENTS_BYTES_MAX,
        Choice::All | Choice::Streams if long => usize::MAX,
        Choice::All | Choice::Streams => CONVERSATION_BYTES_MAX,
    };
    let is_whole = |conversation: &Conversation| {
        let mut pieces = conversation.pieces.iter();
        conversation.context.start == analyzers::StreamStart::Beginning
            && pieces.all(|piece| !matches!(piece.content, Content::Gap(_)))
    };
    let is_chosen = |conversation: &Conversation| match conversation.context.transport {
        Transport::TCP => true,
        Transport::UDP => choice == Choice::All,
        _ => false,
    };
    conversations::all()
        .into_iter()
        .filter(|one| is_chosen(one) && is_whole(one) && one.len() <= most)
        .map(|one| if one.is_stream() { one.in_turns() } else { one })
        .collect()
}

/// The rows of conversations rebuilt in a manner, sorted, without what the manner changes.
fn rows(conversations: &[Conversation], manner: Manner) -> Vec<String> {
    let mut dice = Dice::new(7);
    let mut frames: Vec<Frame> = conversations
        .iter()
        .zip(0..)
        .flat_map(|(conversation, number)| rebuilt(conversation, number, manner, &mut dice))
        .collect();
    frames.sort_by_key(|frame| frame.time);
    let replay = Frames::replay(frames);
    let of_protocol = |table: &str| !matches!(table, "flow" | "weird" | "stats");
    let rows = replay.rows().into_iter();
    let mut rows: Vec<String> = rows
        .filter(|row| row["table"].as_str().is_some_and(of_protocol))
        .map(|row| replays::without(&row, &["ts", "uid", "rtt_us"]))
        .collect();
    rows.sort();
    rows
}

/// One conversation as frames, in order.
fn rebuilt(one: &Conversation, number: u16, manner: Manner, dice: &mut Dice) -> Vec<Frame> {
    let mut ends = Ends::new(number, one.context.src.port, one.context.dst.port);
    ends.origins = manner.origins;
    let packets = match one.is_stream() {
        true => stream(one, &ends, manner, dice),
        false => datagrams(one, &ends),
    };
    let base = Timestamp::from_secs_nanos(1_700_000_000, 0).after(STAGGER * u32::from(number));
    let first = one.pieces.first().map_or(base, |piece| piece.time);
    let mut frames = Vec::new();
    for (time, packet) in packets {
        for piece in fragments(&packet, manner.fragment_bytes) {
            let frame = captured(base.after(time.since(first)), manner.wrapping.frame(&piece));
            frames.extend(std::iter::repeat_n(frame, manner.copies));
        }
    }
    frames
}

fn datagrams(one: &Conversation, ends: &Ends) -> Vec<(Timestamp, Vec<u8>)> {
    let packet = |piece: &conversations::Piece| ends.udp(piece.direction, piece.bytes());
    one.pieces.iter().map(|piece| (piece.time, packet(piece))).collect()
}

fn stream(
    one: &Conversation,
    ends: &Ends,
    manner: Manner,
    dice: &mut Dice,
) -> Vec<(Timestamp, Vec<u8>)> {
    use Direction::{DstToSrc, SrcToDst};
    let mut packets = Vec::new();
    let mut put = |time, segment: Segment| {
        packets.push((time, ends.tcp(&Segment { checksum: manner.checksum, ..segment })));
    };
    let (mut next, mut time) = (PerDirection { src: 1, dst: 1 }, one.pieces[0].time);
    put(time, Segment::new(SrcToDst, SYN, 0, 0, &[]));
    put(time, Segment::new(DstToSrc, SYN | ACK, 0, 1, &[]));
    put(time, Segment::new(SrcToDst, ACK, 1, 1, &[]));
    for turn in &one.pieces {
        let from = turn.direction;
        time = turn.time;
        let acked = *next.of(from.reversed());
        let mut segments = Vec::new();
        for bytes in turn.bytes().chunks(manner.segment_bytes) {
            let offset = next.of_mut(from);
            segments.push(Segment::new(from, ACK | PSH, *offset, acked, bytes));
            *offset += i64::try_from(bytes.len()).expect("few bytes");
        }
        for window in segments.chunks_mut(manner.shuffled) {
            (1..window.len()).rev().for_each(|at| window.swap(at, dice.below(at + 1)));
        }
        segments.into_iter().for_each(|segment| put(time, segment));
        put(time, Segment::new(from.reversed(), ACK, acked, *next.of(from), &[]));
    }
    put(time, Segment::new(SrcToDst, FIN | ACK, next.src, next.dst, &[]));
    put(time, Segment::new(DstToSrc, FIN | ACK, next.dst, next.src + 1, &[]));
    put(time, Segment::new(SrcToDst, ACK, next.src + 1, next.dst + 1, &[]));
    packets
}

/// Compares the rows of a manner with those of the plain one.
fn check(choice: Choice, manners: &[(&str, Manner)]) {
    let conversations = chosen(choice);
    assert!(conversations.len() >= CONVERSATIONS_MIN, "only {}", conversations.len());
    let plain = rows(&conversations, PLAIN);
    for table in ["dns", "http", "rdp", "smb", "tls"] {
        let rows = plain.iter().filter(|row| row.contains(&format!(r#""table":"{table}""#)));
        assert!(rows.count() >= TABLE_ROWS_MIN, "hardly a row of {table}");
    }
    for (name, manner) in manners {
        let changed = rows(&conversations, *manner);
        let lost: Vec<_> = plain.iter().filter(|row| !changed.contains(row)).take(3).collect();
        let new: Vec<_> = changed.iter().filter(|row| !plain.contains(row)).take(3).collect();
        assert!(lost.is_empty() && new.is_empty(), "{name}:\n- {lost:#?}\n+ {new:#?}");
        assert_eq!(plain.len(), changed.len(), "{name}: number of rows");
    }
}

#[test]
fn other_segments_give_the_same_rows() {
    check(
        Choice::All,
        &[
            ("segments of 64 KiB", Manner { segment_bytes: 65_000, ..PLAIN }),
            ("segments of 536 bytes", Manner { segment_bytes: 536, ..PLAIN }),
            ("segments of 61 bytes", Manner { segment_bytes: 61, ..PLAIN }),
        ],
    );
}

#[test]
fn segments_of_one_byte_give_the_same_rows() {
    check(
        Choice::ShortStreams,
        &[
            ("one byte", Manner { segment_bytes: 1, ..PLAIN }),
            ("two bytes", Manner { segment_bytes: 2, ..PLAIN }),
        ],
    );
}

#[test]
fn another_order_of_segments_gives_the_same_rows() {
    check(
        Choice::Streams,
        &[
            ("pairs", Manner { segment_bytes: 100, shuffled: 2, ..PLAIN }),
            ("windows of 64", Manner { segment_bytes: 50, shuffled: 64, ..PLAIN }),
        ],
    );
}

#[test]
fn packets_that_come_twice_give_the_same_rows() {
    let twice = Manner { copies: 2, ..PLAIN };
    let shuffled = Manner { copies: 3, segment_bytes: 200, shuffled: 8, ..PLAIN };
    check(Choice::Streams, &[("twice", twice), ("three times and shuffled", shuffled)]);
}

#[test]
fn fragments_give_the_same_rows() {
    let small = Manner { segment_bytes: 536, fragment_bytes: 48, ..PLAIN };
    let fragments = Manner { fragment_bytes: 512, ..PLAIN };
    check(Choice::All, &[("of 48 bytes", small), ("of 512 bytes", fragments)]);
}

#[test]
fn tunnels_and_tags_give_the_same_rows() {
    let wrapped = |wrapping| Manner { wrapping, ..PLAIN };
    check(
        Choice::All,
        &[
            ("VLAN 7", wrapped(Wrapping::Vlan(7))),
            ("GRE", wrapped(Wrapping::Gre)),
            ("VXLAN", wrapped(Wrapping::Vxlan)),
        ],
    );
}

#[test]
fn sequence_numbers_that_wrap_give_the_same_rows() {
    let origins = PerDirection { src: u32::MAX - 40, dst: u32::MAX - 400 };
    let signed = PerDirection { src: i32::MAX.cast_unsigned() - 40, dst: u32::MAX };
    check(
        Choice::Streams,
        &[
            ("at 2^32", Manner { origins, ..PLAIN }),
            ("at 2^32, shuffled", Manner { origins, segment_bytes: 50, shuffled: 64, ..PLAIN }),
            ("at 2^31", Manner { origins: signed, ..PLAIN }),
        ],
    );
}

#[test]
fn checksums_that_a_network_card_would_fill_in_give_the_same_rows() {
    check(Choice::All, &[("bad checksums", Manner { checksum: Checksum::Bad, ..PLAIN })]);
}
