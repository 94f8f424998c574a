//! Packets that try to hide a request: each story ends with the request in a row.
//!
//! The list is Ptacek and Newsham's (1998) as fragrouter ships it, with what was found since. Where
//! two packets carry different bytes for the same place the first copy wins, and a weird tells that
//! there was another one. In: packets built here. Out: rows of the whole path.

use std::time::Duration;

use analyzers::{Direction, Timestamp};
use sensor::config::Config;

use Direction::{DstToSrc as Server, SrcToDst as Client};

use crate::dice::Dice;
use crate::packets::{
    ACK, Checksum, Ends, FIN, PSH, RST, SYN, Segment, URG, Wrapping, captured, fragment, fragments,
};
use crate::replays::{self, Frame, Frames, Replay};

const REQUEST: &[u8] = b"GET /secret?q=needle HTTP/1.1\r\nHost: www.example.test\r\n\
    User-Agent: story/1.0\r\nX-Padding: 0123456789012345678901234567890123456789\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfound";

/// A story about one connection, packet by packet, a millisecond each.
struct Story {
    ends: Ends,
    frames: Vec<Frame>,
    clock: Timestamp,
}

impl Story {
    /// Before the first packet, of a connection to port 80.
    fn new() -> Self {
        let clock = Timestamp::from_secs_nanos(1_700_000_000, 0);
        Self { ends: Ends::new(1, 40_000, 80), frames: Vec::new(), clock }
    }

    /// After the handshake.
    fn opened() -> Self {
        let mut story = Self::new();
        story.handshake();
        story
    }

    fn handshake(&mut self) {
        self.segment(Segment::new(Client, SYN, 0, 0, &[]));
        self.segment(Segment::new(Server, SYN | ACK, 0, 1, &[]));
        self.segment(Segment::new(Client, ACK, 1, 1, &[]));
    }

    fn wait(&mut self, span: Duration) {
        self.clock = self.clock.after(span);
    }

    fn packet(&mut self, packet: &[u8]) {
        self.wait(Duration::from_millis(1));
        self.frames.push(captured(self.clock, Wrapping::Plain.frame(packet)));
    }

    fn segment(&mut self, segment: Segment) {
        let packet = self.ends.tcp(&segment);
        self.packet(&packet);
    }

    /// The client sends payload bytes; 1 is the offset of the first.
    fn client(&mut self, offset: usize, bytes: &[u8]) {
        self.segment(client(offset, bytes));
    }

    /// The server answers the request, and both close.
    fn answered(mut self) -> Self {
        let (asked, told) = (1 + signed(REQUEST.len()), 1 + signed(RESPONSE.len()));
        self.segment(Segment::new(Server, ACK | PSH, 1, asked, RESPONSE));
        self.segment(Segment::new(Client, FIN | ACK, asked, told, &[]));
        self.segment(Segment::new(Server, FIN | ACK, told, asked + 1, &[]));
        self.segment(Segment::new(Client, ACK, asked + 1, told + 1, &[]));
        self
    }

    fn told(self) -> Replay {
        Frames::replay(self.frames)
    }
}

fn client(offset: usize, bytes: &[u8]) -> Segment {
    Segment::new(Client, ACK | PSH, signed(offset), 1, bytes)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).expect("few bytes")
}

/// The request's bytes one by one, with their offsets in the stream.
fn byte_by_byte() -> impl Iterator<Item = (usize, &'static [u8])> {
    REQUEST.chunks(1).enumerate().map(|(at, byte)| (1 + at, byte))
}

/// The packet that carries the whole request.
fn request_packet(story: &Story) -> Vec<u8> {
    story.ends.tcp(&client(1, REQUEST))
}

/// Asserts that the request and its answer are one row, and the only one.
fn found(story: Story) -> Replay {
    let replay = story.told();
    let rows = replay.table("http");
    let told: Vec<_> = rows.iter().map(|row| (&row["uri"], &row["status"])).collect();
    assert_eq!(told, [(&"/secret?q=needle".into(), &200.into())], "{:#?}", replay.lines);
    assert_eq!(rows[0]["user_agent"], "story/1.0");
    replay
}

/// Asserts that the row is there and that a weird tells of the trick.
fn found_with(story: Story, weird: &str) {
    let weirds = found(story).table("weird");
    assert!(weirds.iter().any(|row| row["name"] == weird), "no {weird} in {weirds:?}");
}

// Fragments.

/// A story whose request comes in these fragments.
fn fragmented(fragments: impl FnOnce(&[u8]) -> Vec<Vec<u8>>) -> Story {
    let mut story = Story::opened();
    let packet = request_packet(&story);
    fragments(&packet).iter().for_each(|fragment| story.packet(fragment));
    story.answered()
}

#[test]
fn frag_1_fragments_of_8_bytes() {
    found(fragmented(|packet| fragments(packet, 8)));
}

#[test]
fn frag_2_fragments_of_24_bytes() {
    found(fragmented(|packet| fragments(packet, 24)));
}

#[test]
fn frag_3_one_fragment_out_of_order() {
    found(fragmented(|packet| {
        let mut pieces = fragments(packet, 8);
        pieces.swap(3, 4);
        pieces
    }));
}

#[test]
fn frag_4_one_fragment_twice() {
    found(fragmented(|packet| {
        let mut pieces = fragments(packet, 8);
        pieces.insert(4, pieces[3].clone());
        pieces
    }));
}

#[test]
fn frag_5_out_of_order_and_twice() {
    found(fragmented(|packet| {
        let mut pieces = fragments(packet, 8);
        (1..pieces.len()).rev().for_each(|at| pieces.swap(at, Dice::new(5).below(at)));
        pieces.insert(2, pieces[6].clone());
        pieces
    }));
}

#[test]
fn frag_6_the_last_fragment_first() {
    found(fragmented(|packet| {
        let mut pieces = fragments(packet, 8);
        pieces.rotate_right(1);
        pieces
    }));
}

#[test]
fn frag_7_fragments_of_16_bytes_whose_second_half_is_overwritten() {
    let story = fragmented(|packet| {
        let whole = fragments(packet, 16).into_iter().enumerate();
        let pairs = whole.flat_map(|(at, piece)| {
            let overwrite = fragment(packet, 16 * at + 8, &[0; 8], false);
            if piece.len() == 20 + 16 { vec![piece, overwrite] } else { vec![piece] }
        });
        pairs.collect()
    });
    found_with(story, "fragment_overlap");
}

// Segments.

#[test]
fn tcp_3_segments_of_one_byte_each_twice() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.client(at, byte);
        story.client(at, byte);
    }
    found(story.answered());
}

#[test]
fn tcp_4_segments_of_one_byte_each_overwritten_behind() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.client(at, byte);
        story.client(at, &[0]);
    }
    found_with(story.answered(), "overlap_differs");
}

#[test]
fn tcp_5_segments_of_two_bytes_whose_second_is_sent_before_as_another() {
    let mut story = Story::opened();
    let pairs = REQUEST.chunks(2).enumerate();
    for (at, pair) in pairs {
        if pair.len() == 2 {
            story.client(2 + 2 * at, &[0]);
        }
        story.client(1 + 2 * at, pair);
    }
    let weirds = story.answered().told().table("weird");
    assert!(weirds.iter().any(|row| row["name"] == "overlap_differs"), "{weirds:?}");
}

#[test]
fn tcp_7_segments_of_one_byte_among_others_with_far_numbers() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.client(at, byte);
        story.client(at + (1 << 30) + 7 * at, &[0]);
    }
    found(story.answered());
}

#[test]
fn tcp_7_a_flood_of_far_numbers_before_the_request() {
    let mut story = Story::opened();
    story.client(1, &REQUEST[..10]);
    (0..400).for_each(|at| story.client((1 << 30) + 3 * at, &[0]));
    story.client(11, &REQUEST[10..]);
    found(story.answered());
}

#[test]
fn tcp_8_one_segment_out_of_order() {
    let mut story = Story::opened();
    let mut bytes: Vec<_> = byte_by_byte().collect();
    bytes.swap(7, 8);
    bytes.into_iter().for_each(|(at, byte)| story.client(at, byte));
    found(story.answered());
}

#[test]
fn tcp_9_segments_in_random_order() {
    let mut story = Story::opened();
    let mut bytes: Vec<_> = byte_by_byte().collect();
    let mut dice = Dice::new(9);
    (1..bytes.len()).rev().for_each(|at| bytes.swap(at, dice.below(at + 1)));
    bytes.into_iter().for_each(|(at, byte)| story.client(at, byte));
    found(story.answered());
}

// Connections.

#[test]
fn tcbc_2_segments_of_one_byte_among_syns() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.client(at, byte);
        story.segment(Segment::new(Client, SYN, 1_000_000 + 17 * signed(at), 0, &[]));
    }
    found(story.answered());
}

#[test]
fn tcbc_3_data_before_the_handshake() {
    let mut story = Story::new();
    let real = story.ends.origins;
    story.ends.origins.src = 77;
    (1..60).for_each(|at| story.client(at, &[0]));
    story.ends.origins = real;
    story.handshake();
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn tcbt_1_a_reset_and_a_new_handshake_with_other_numbers() {
    let mut story = Story::opened();
    story.segment(Segment::new(Client, RST, 1, 0, &[]));
    story.ends.origins.src = 2_500_000_000;
    story.ends.origins.dst = 900;
    story.handshake();
    byte_by_byte().for_each(|(at, byte)| story.client(at, byte));
    found(story.answered());
}

#[test]
fn a_port_used_again_after_a_second_gives_both_requests() {
    let mut story = Story::opened();
    story.client(1, REQUEST);
    let mut story = story.answered();
    story.wait(Duration::from_secs(1));
    story.ends.origins.src = 400_000;
    story.handshake();
    story.client(1, REQUEST);
    let replay = story.answered().told();
    let rows = replay.table("http");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0]["uri"], rows[1]["uri"]);
    assert_eq!(replay.table("flow").len(), 2);
    assert_ne!(rows[0]["uid"], rows[1]["uid"]);
}

#[test]
fn a_reset_outside_the_window_ends_nothing() {
    let mut story = Story::opened();
    story.segment(Segment::new(Client, RST, 1_000_000_000, 0, &[]));
    story.segment(Segment::new(Server, RST, -1_000_000_000, 0, &[]));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_forged_reset_hides_nothing_that_follows_at_once() {
    let mut story = Story::opened();
    story.segment(Segment::new(Server, RST | ACK, 1, 1, &[]));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_forged_reset_hides_nothing_that_follows_after_a_minute() {
    let mut story = Story::opened();
    story.segment(Segment::new(Server, RST | ACK, 1, 1, &[]));
    story.wait(Duration::from_secs(60));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn tcp_1_a_fin_and_a_reset_with_bad_checksums_end_nothing() {
    let mut story = Story::opened();
    for flags in [FIN | ACK, RST] {
        let segment = Segment::new(Client, flags, 1, 1, &[]);
        story.segment(Segment { checksum: Checksum::Bad, ..segment });
    }
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_fin_beyond_the_window_ends_nothing() {
    let mut story = Story::opened();
    story.client(1, &REQUEST[..20]);
    story.segment(Segment::new(Client, FIN | ACK, 500_000_000, 1, b"junk"));
    story.client(21, &REQUEST[20..]);
    found(story.answered());
}

#[test]
fn both_sides_open_at_once() {
    let mut story = Story::new();
    story.segment(Segment::new(Client, SYN, 0, 0, &[]));
    story.segment(Segment::new(Server, SYN, 0, 0, &[]));
    story.segment(Segment::new(Client, SYN | ACK, 0, 1, &[]));
    story.segment(Segment::new(Server, SYN | ACK, 0, 1, &[]));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_handshake_in_four_parts() {
    let mut story = Story::new();
    story.segment(Segment::new(Client, SYN, 0, 0, &[]));
    story.segment(Segment::new(Server, SYN, 0, 0, &[]));
    story.segment(Segment::new(Client, SYN | ACK, 0, 1, &[]));
    story.segment(Segment::new(Server, ACK, 1, 1, &[]));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_handshake_in_five_parts() {
    let mut story = Story::new();
    story.segment(Segment::new(Client, SYN, 0, 0, &[]));
    story.segment(Segment::new(Server, ACK, 0, 1, &[]));
    story.segment(Segment::new(Server, SYN, 0, 0, &[]));
    story.segment(Segment::new(Client, SYN | ACK, 0, 1, &[]));
    story.segment(Segment::new(Server, ACK, 1, 1, &[]));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_request_in_the_syn() {
    let mut story = Story::new();
    let asked = 1 + signed(REQUEST.len());
    story.segment(Segment::new(Client, SYN, 0, 0, REQUEST));
    story.segment(Segment::new(Server, SYN | ACK, 0, asked, &[]));
    story.segment(Segment::new(Client, ACK, asked, 1, &[]));
    found(story.answered());
}

#[test]
fn a_request_in_the_syn_that_is_sent_again() {
    let mut story = Story::new();
    story.segment(Segment::new(Client, SYN, 0, 0, REQUEST));
    story.segment(Segment::new(Server, SYN | ACK, 0, 1, &[]));
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_first_packet_without_a_handshake() {
    let mut story = Story::new();
    story.client(1, REQUEST);
    found(story.answered());
}

#[test]
fn a_handshake_of_which_the_server_is_not_seen() {
    let mut story = Story::new();
    story.segment(Segment::new(Client, SYN, 0, 0, &[]));
    story.segment(Segment::new(Client, ACK, 1, 1, &[]));
    story.client(1, REQUEST);
    let rows = story.told().table("http");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["uri"], "/secret?q=needle");
}

// What a receiver ignores, and what only looks odd.

#[test]
fn ins_2_segments_of_one_byte_with_bad_checksums() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.segment(Segment { checksum: Checksum::Bad, ..client(at, byte) });
    }
    let replay = found(story.answered());
    let bad: i64 = replay.table("flow").iter().filter_map(|r| r["bad_checksums"].as_i64()).sum();
    assert_eq!(bad, signed(REQUEST.len()));
}

#[test]
fn ins_2_chaff_with_bad_checksums_behind_each_byte() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.client(at, byte);
        story.segment(Segment { checksum: Checksum::Bad, ..client(at, &[0]) });
    }
    found(story.answered());
}

#[test]
fn ins_2_chaff_with_bad_checksums_before_each_byte() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.segment(Segment { checksum: Checksum::Bad, ..client(at, &[0]) });
        story.client(at, byte);
    }
    found(story.answered());
}

#[test]
fn ins_3_segments_of_one_byte_without_the_ack_flag() {
    let mut story = Story::opened();
    for (at, byte) in byte_by_byte() {
        story.segment(Segment { flags: PSH, ..client(at, byte) });
    }
    found(story.answered());
}

#[test]
fn urgent_pointers_move_nothing() {
    let mut story = Story::opened();
    for (at, bytes) in REQUEST.chunks(20).enumerate() {
        let segment = client(1 + 20 * at, bytes);
        story.segment(Segment { flags: ACK | URG, urgent: 20, ..segment });
    }
    found(story.answered());
}

#[test]
fn numbers_that_wrap_inside_the_request() {
    let mut story = Story::new();
    story.ends.origins.src = u32::MAX - 30;
    story.ends.origins.dst = u32::MAX - 10;
    story.handshake();
    let mut bytes: Vec<_> = byte_by_byte().collect();
    bytes.swap(28, 31);
    bytes.into_iter().for_each(|(at, byte)| story.client(at, byte));
    found(story.answered());
}

#[test]
fn an_acknowledgement_of_bytes_that_were_never_sent_skips_nothing() {
    let mut story = Story::opened();
    story.client(1, &REQUEST[..20]);
    story.segment(Segment::new(Server, ACK, 1, 90_000, &[]));
    story.client(21, &REQUEST[20..]);
    found(story.answered());
}

// What taps do.

/// An ordinary connection with its request and answer.
fn ordinary() -> Story {
    let mut story = Story::opened();
    story.client(1, REQUEST);
    story.answered()
}

#[test]
fn a_mirror_that_copies_every_packet_twice() {
    let mut story = ordinary();
    story.frames = story.frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
    found(story);
}

#[test]
fn a_mirror_whose_copies_come_later() {
    let mut story = ordinary();
    let late = story.frames.clone().into_iter().map(|frame| {
        let time = frame.time.after(Duration::from_micros(2_500));
        Frame { time, ..frame }
    });
    story.frames.extend(late.collect::<Vec<_>>());
    story.frames.sort_by_key(|frame| frame.time);
    found(story);
}

/// The ordinary connection with one side's packets moved by two milliseconds, which is two packets.
fn skewed(late: Direction) -> Story {
    let mut story = ordinary();
    for frame in &mut story.frames {
        let is_client = frame.bytes[26..28] == [10, 20];
        if is_client == (late == Client) {
            frame.time = frame.time.after(Duration::from_micros(2_500));
        }
    }
    story.frames.sort_by_key(|frame| frame.time);
    story
}

#[test]
fn a_tap_whose_server_side_is_late() {
    found(skewed(Server));
}

#[test]
fn a_tap_whose_client_side_is_late() {
    found(skewed(Client));
}

#[test]
fn a_tap_that_tags_each_side_with_its_own_vlan() {
    let mut story = ordinary();
    for frame in &mut story.frames {
        let tag = if frame.bytes[26..28] == [10, 20] { 10 } else { 20 };
        frame.bytes = Wrapping::Vlan(tag).frame(&frame.bytes[14..]);
        frame.wire_bytes += 4;
    }
    let config: Config = toml::from_str("[flow]\nvlan_in_key = \"none\"").expect("TOML");
    let replay = replays::run(&mut Frames::new(story.frames), &config, 1);
    let rows = replay.table("http");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["status"], 200);
}

// The same tricks around another protocol.

#[test]
fn dns_over_tcp_in_segments_of_one_byte_in_random_order_and_overwritten() {
    let query = b"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x06hidden\x04test\x00\x00\x10\x00\x01";
    let mut story = Story::new();
    story.ends.dst.set_port(53);
    story.handshake();
    let mut bytes: Vec<_> = query.chunks(1).enumerate().collect();
    let mut dice = Dice::new(53);
    (1..bytes.len()).rev().for_each(|at| bytes.swap(at, dice.below(at + 1)));
    for (at, byte) in bytes {
        story.client(1 + at, byte);
        story.client(1 + at, &[byte[0] ^ 1]);
    }
    let replay = story.told();
    let rows = replay.table("dns");
    assert_eq!(rows.len(), 1, "{:#?}", replay.lines);
    assert_eq!((&rows[0]["query"], &rows[0]["qtype"]), (&"hidden.test".into(), &"TXT".into()));
    assert!(replay.table("weird").iter().any(|row| row["name"] == "overlap_differs"));
}
