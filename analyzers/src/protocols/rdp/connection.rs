//! One RDP connection over TCP: negotiation, then either TLS, which others read, or the clear
//! description of client and server (MS-RDPBCGR §1.3.1.1, steps 1 and 2).
//!
//! In: the stream of both directions, from its beginning, from its middle, or of one direction
//! alone. Out: one [`RdpRecord`] at the end of the flow; where TLS begins, a hand-off to it.

use super::gcc::{ClientData, ServerData};
use super::logon;
use super::mcs::Connect;
use super::negotiation::{self, Answer, Request};
use super::record::RdpRecord;
use super::tpkt::{Kind, Message, Next};
use crate::direction::{Direction, PerDirection};
use crate::emitter::Emitter;
use crate::limits::RDP_MESSAGE_BYTES;
use crate::malformed::Malformed;
use crate::protocol::{self, Analyzer, Chunk, Finish, Gap, Step, StreamStart};
use crate::reader::Reader;
use crate::time::Timestamp;
use crate::weird::Weird;

/// The channel that Windows keeps for itself. Clients that ask for it attack CVE-2019-0708.
const INTERNAL_CHANNEL: &[u8] = b"MS_T120";

/// One flow.
pub(super) struct Connection {
    record: RdpRecord,
    /// Packet time of the first bytes.
    began: Option<Timestamp>,
    place: PerDirection<Place>,
    /// The client's direction, once a message tells it.
    client: Option<Direction>,
    /// Security protocols that the client asked for, as bits.
    requested: Option<u32>,
    /// The one that is spoken.
    selected: Option<u32>,
    /// Packet time of the server's answer, or of the first bytes that would not be without one.
    answered: Option<Timestamp>,
}

/// Where a direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The next byte begins a frame.
    InStep,
    /// Bytes are missing before the next, which may begin a frame or not.
    BehindGap,
    /// Nothing more is read.
    Over,
}

/// Whether all of a frame is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Cut,
}

/// A frame with what is known of it.
#[derive(Clone, Copy, Debug)]
struct Frame<'a> {
    direction: Direction,
    time: Timestamp,
    extent: Extent,
    bytes: &'a [u8],
}

impl Analyzer for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let &Chunk { direction, time, bytes, .. } = chunk;
        self.began.get_or_insert(time);
        let mut r = Reader::new(bytes);
        while *self.place.of(direction) != Place::Over {
            match Next::of(r.rest()) {
                Next::Frame(length) => {
                    let kept = length.min(RDP_MESSAGE_BYTES);
                    if r.remaining() < kept {
                        return wanted(&r, kept);
                    }
                    let extent = if kept < length { Extent::Cut } else { Extent::Whole };
                    let frame = Frame { direction, time, extent, bytes: r.sub_lax(kept).whole() };
                    self.frame(frame, emitter);
                    if extent == Extent::Cut {
                        emitter.weird(time, Weird::RdpMessageTooLong);
                        *self.place.of_mut(direction) = Place::Over;
                    }
                }
                Next::TlsRecord(length) => {
                    let next = length.saturating_add(1);
                    let fits = r.remaining() < next && next <= RDP_MESSAGE_BYTES;
                    if fits && self.answer_may_come(direction) {
                        return wanted(&r, next);
                    }
                    return self.hand_off(time, &r);
                }
                Next::Short(at_least) => return wanted(&r, at_least),
                // A hello of the oldest kind has no record around it.
                Next::Other if self.negotiated_tls() => return self.hand_off(time, &r),
                Next::Other => self.out_of_step(direction, time, emitter),
            }
        }
        if self.place == both(Place::Over) { Step::Done } else { Step::Consumed(bytes.len()) }
    }

    fn gap(&mut self, gap: &Gap<'_>, emitter: &mut Emitter) -> Step {
        self.cut_frame(gap.direction, gap.time, gap.rest, emitter);
        let place = self.place.of_mut(gap.direction);
        if *place == Place::InStep {
            *place = Place::BehindGap;
        }
        Step::Consumed(0)
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            self.cut_frame(direction, finish.time, finish.rest.of(direction), emitter);
        }
        self.record.requested_protocols = self.requested.map(negotiation::protocol_names);
        self.record.selected_protocol = self.selected.map(negotiation::protocol_name);
        self.record.auth_likely = self.auth_likely(finish);
        let record = std::mem::replace(&mut self.record, RdpRecord::new("tcp"));
        emitter.record(self.began.unwrap_or(finish.time), record);
    }
}

impl Connection {
    /// A flow that begins like that.
    pub(super) const fn new(start: StreamStart) -> Self {
        Self {
            record: RdpRecord::new("tcp"),
            began: None,
            place: both(match start {
                StreamStart::Beginning => Place::InStep,
                StreamStart::Midstream => Place::BehindGap,
            }),
            client: None,
            requested: None,
            selected: None,
            answered: None,
        }
    }

    /// Reads one frame.
    fn frame(&mut self, frame: Frame<'_>, emitter: &mut Emitter) {
        let message = match Message::read(frame.bytes) {
            Ok(message) => message,
            Err(malformed) => return complain(frame, Some(malformed), emitter),
        };
        complain(frame, message.malformed, emitter);
        *self.place.of_mut(frame.direction) = Place::InStep;
        match message.kind {
            Kind::ConnectionRequest => self.request(frame, message.user_data, emitter),
            Kind::ConnectionConfirm => self.answer(frame, message.user_data, emitter),
            Kind::DisconnectRequest => self.refused(frame),
            Kind::Data => self.connect(frame, message.user_data, emitter),
            Kind::Other => {}
        }
    }

    fn request(&mut self, frame: Frame<'_>, user_data: &[u8], emitter: &mut Emitter) {
        let request = Request::read(user_data);
        complain(frame, request.malformed, emitter);
        self.client = Some(frame.direction);
        self.record.cookie = self.record.cookie.take().or(request.cookie);
        self.requested = self.requested.or(request.protocols);
    }

    /// TLS is handed over where it begins, not here: a request that the capture holds behind its
    /// answer is still read.
    fn answer(&mut self, frame: Frame<'_>, user_data: &[u8], emitter: &mut Emitter) {
        self.client = Some(frame.direction.reversed());
        self.answered.get_or_insert(frame.time);
        match Answer::read(user_data) {
            Ok(Answer::Selected(selected)) => {
                self.selected = Some(selected);
                if self.requested.is_some_and(|requested| selected & !requested != 0) {
                    emitter.weird(frame.time, Weird::RdpProtocolNotRequested);
                }
                if self.negotiated_tls() {
                    self.record.result = "encrypted";
                }
            }
            Ok(Answer::Failure(code)) => {
                self.record.failure = Some(negotiation::failure_name(code));
                self.refused(frame);
            }
            Err(malformed) => complain(frame, Some(malformed), emitter),
        }
    }

    /// The server wants nothing of this client.
    fn refused(&mut self, frame: Frame<'_>) {
        self.answered.get_or_insert(frame.time);
        self.record.result = "failed";
        self.place = both(Place::Over);
    }

    /// Reads a message of T.125. One that is no connect message comes behind those.
    fn connect(&mut self, frame: Frame<'_>, user_data: &[u8], emitter: &mut Emitter) {
        *self.place.of_mut(frame.direction) = Place::Over;
        match Connect::read(user_data) {
            Ok(Some(Connect::Initial { user_data })) => {
                self.client = Some(frame.direction);
                self.selected.get_or_insert(0);
                self.describe_client(frame, ClientData::read(user_data), emitter);
            }
            Ok(Some(Connect::Response { result, user_data })) => {
                self.client = Some(frame.direction.reversed());
                self.selected.get_or_insert(0);
                self.answered.get_or_insert(frame.time);
                self.record.result = if result == 0 { "success" } else { "failed" };
                let server = ServerData::read(user_data);
                self.record.encryption_method =
                    server.encryption_method.map(ServerData::method_name);
                self.record.encryption_level = server.encryption_level.map(ServerData::level_name);
                complain(frame, server.malformed, emitter);
            }
            Ok(None) => {}
            Err(malformed) => complain(frame, Some(malformed), emitter),
        }
    }

    fn describe_client(&mut self, frame: Frame<'_>, client: ClientData, emitter: &mut Emitter) {
        complain(frame, client.malformed, emitter);
        let mut channels = client.channels.iter().flatten();
        if channels.any(|channel| channel.as_bytes().eq_ignore_ascii_case(INTERNAL_CHANNEL)) {
            emitter.weird(frame.time, Weird::RdpInternalChannel);
        }
        let record = &mut self.record;
        record.client_name = client.name;
        record.client_build = client.build.map(|build| build.to_string().into());
        record.keyboard_layout =
            client.keyboard_layout.map(|layout| format!("{layout:#010x}").into());
        record.desktop_width = client.desktop_width;
        record.desktop_height = client.desktop_height;
        record.product_id = client.product_id;
        record.channels = client.channels;
    }

    /// Whether the server's answer to this client is still to be expected. A capture of two taps
    /// may hold it behind the first TLS record that it allowed; another record of the client means
    /// that it is not in the capture at all.
    fn answer_may_come(&self, direction: Direction) -> bool {
        self.client == Some(direction)
            && self.answered.is_none()
            && *self.place.of(direction.reversed()) == Place::InStep
    }

    fn negotiated_tls(&self) -> bool {
        self.selected.is_some_and(|selected| selected != 0)
    }

    fn hand_off(&mut self, time: Timestamp, r: &Reader<'_>) -> Step {
        self.answered.get_or_insert(time);
        self.record.result = "encrypted";
        self.place = both(Place::Over);
        Step::HandOff { to: protocol::Next::Protocol("tls"), from: r.offset() }
    }

    fn out_of_step(&mut self, direction: Direction, time: Timestamp, emitter: &mut Emitter) {
        let place = self.place.of_mut(direction);
        if *place == Place::InStep {
            emitter.weird_with(time, Weird::RdpMalformed, "neither TPKT nor TLS".into());
        }
        *place = Place::Over;
    }

    /// Reads what there is of a frame whose end will never come.
    fn cut_frame(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        emitter: &mut Emitter,
    ) {
        let frame = Frame { direction, time, extent: Extent::Cut, bytes };
        if *self.place.of(direction) != Place::Over && matches!(Next::of(bytes), Next::Frame(_)) {
            self.frame(frame, emitter);
        }
    }

    fn auth_likely(&self, finish: &Finish<'_>) -> Option<bool> {
        let (client, answered) = (self.client?, self.answered?);
        if self.record.result == "failed" {
            return Some(false);
        }
        let traffic = logon::Traffic {
            client_bytes: *finish.payload_bytes.of(client),
            server_bytes: *finish.payload_bytes.of(client.reversed()),
            span: finish.time.since(answered),
            end: finish.reason,
        };
        logon::desktop_reached(self.selected.or(self.requested)?, &traffic)
    }
}

const fn both(place: Place) -> PerDirection<Place> {
    PerDirection { src: place, dst: place }
}

/// Tells what could not be read, unless the capture is to blame.
fn complain(frame: Frame<'_>, malformed: Option<Malformed>, emitter: &mut Emitter) {
    if let (Extent::Whole, Some(malformed)) = (frame.extent, malformed) {
        emitter.weird_with(frame.time, Weird::RdpMalformed, malformed.into());
    }
}

/// What was read is done with; of the rest `at_least` so many bytes are wanted.
fn wanted(r: &Reader<'_>, at_least: usize) -> Step {
    match r.offset() {
        0 => Step::NeedMore { at_least },
        consumed => Step::Consumed(consumed),
    }
}
