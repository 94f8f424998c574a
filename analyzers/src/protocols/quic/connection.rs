//! The state machine of a flow that speaks QUIC: opens Initial packets until both hellos are known,
//! then only watches first bytes.

use crate::direction::{Direction, PerDirection};
use crate::emitter::{Detail, Emitter};
use crate::limits;
use crate::protocol::{Analyzer, Chunk, Finish, Gap, Step};
use crate::protocols::tls::carrier::Carrier;
use crate::protocols::tls::handshake::Handshake;
use crate::protocols::tls::messages::Messages;
use crate::protocols::tls::pieces::Pieces;
use crate::reader::Reader;
use crate::time::Timestamp;
use crate::weird::Weird;

use super::frame;
use super::keys::Keys;
use super::packet::{self, Initial, Packet};
use super::version::Version;

/// One flow of QUIC. Its connections follow each other.
pub(super) struct Quic {
    handshake: Handshake,
    sides: PerDirection<Side>,
    secrets: Option<Secrets>,
    /// Version of the newest hello.
    version: Version,
    /// Whether the row of the connection that the keys belong to was said.
    is_said: bool,
    /// Connection ids whose keys opened nothing.
    failures: u8,
}

/// One direction's handshake bytes.
#[derive(Default)]
struct Side {
    pieces: Pieces,
    /// How many of the known bytes were cut into messages already.
    taken: usize,
    messages: Messages,
}

/// The keys of a connection and where they come from.
struct Secrets {
    client_side: Direction,
    connection_id: Box<[u8]>,
    version: Version,
    keys: Keys,
}

/// What opening a packet gave.
enum Opened {
    /// Its frames.
    Payload(Vec<u8>),
    /// Its frames, and keys that are those of a new connection or of one that was asked to retry.
    WithNewKeys(Vec<u8>, Secrets),
    /// Nothing.
    No,
}

impl Quic {
    /// Nothing seen yet.
    pub(super) fn new() -> Self {
        Self {
            handshake: Handshake::new(Carrier::Quic),
            sides: PerDirection::default(),
            secrets: None,
            version: Version::default(),
            is_said: false,
            failures: 0,
        }
    }
}

impl Analyzer for Quic {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let mut r = Reader::new(chunk.bytes);
        while !r.is_empty() {
            match Packet::read(&mut r) {
                Ok(Packet::Initial(initial)) => self.initial(chunk, &initial, emitter),
                Ok(Packet::Long) => {}
                Ok(Packet::Last) => {
                    if packet::is_google(chunk.bytes) {
                        return Step::Done;
                    }
                    break;
                }
                Ok(Packet::Short) => {
                    self.short(chunk.direction, emitter);
                    break;
                }
                Err(malformed) => {
                    // What follows a packet may be padding of any kind.
                    if r.offset() == 0 || chunk.bytes.len() == chunk.wire_bytes {
                        emitter.weird_with(chunk.time, Weird::QuicMalformed, malformed.into());
                    }
                    break;
                }
            }
        }
        Step::Consumed(chunk.bytes.len())
    }

    fn gap(&mut self, gap: &Gap<'_>, _emitter: &mut Emitter) -> Step {
        Step::Consumed(gap.rest.len())
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            if let Some(cut) = self.sides.of(direction).messages.unfinished() {
                self.handshake.message(direction, finish.time, cut, emitter);
            }
        }
        self.say(emitter);
    }
}

impl Quic {
    fn initial(&mut self, chunk: &Chunk<'_>, initial: &Initial<'_>, emitter: &mut Emitter) {
        let opened = match self.open(chunk.direction, initial) {
            Ok(opened) => opened,
            Err(malformed) => {
                emitter.weird_with(chunk.time, Weird::QuicMalformed, malformed.into());
                return;
            }
        };
        let payload = match opened {
            Opened::Payload(payload) => payload,
            Opened::WithNewKeys(payload, secrets) => {
                self.change_keys(secrets, emitter);
                payload
            }
            Opened::No => {
                emitter.weird(chunk.time, Weird::QuicUndecryptable);
                return;
            }
        };
        if self.is_said || self.handshake.has_both_hellos() {
            return;
        }
        self.version = initial.version;
        if let Err(detail) = self.frames(chunk.direction, chunk.time, &payload, emitter) {
            emitter.weird_with(chunk.time, Weird::QuicMalformed, detail);
        }
    }

    /// Opens a packet with the keys of its connection, or with those that its connection id gives.
    fn open(
        &mut self,
        sender: Direction,
        initial: &Initial<'_>,
    ) -> Result<Opened, crate::Malformed> {
        if let Some(secrets) = &mut self.secrets {
            secrets.follow(initial.version);
            let is_client = secrets.client_side == sender;
            let keys = if is_client { &secrets.keys.client } else { &secrets.keys.server };
            if let Some(payload) = keys.open(initial)? {
                return Ok(Opened::Payload(payload));
            }
            if !is_client {
                return Ok(Opened::No);
            }
        }
        if self.failures >= limits::QUIC_KEY_FAILURES {
            return Ok(Opened::No);
        }
        for family in initial.version.families() {
            let keys = Keys::derive(family, initial.destination);
            if let Some(payload) = keys.client.open(initial)? {
                let connection_id = initial.destination.into();
                let version = initial.version;
                let secrets = Secrets { client_side: sender, connection_id, version, keys };
                return Ok(Opened::WithNewKeys(payload, secrets));
            }
        }
        self.failures = self.failures.saturating_add(1);
        Ok(Opened::No)
    }

    /// Goes on with other keys: after a Retry in the same handshake, else in a new one.
    fn change_keys(&mut self, secrets: Secrets, emitter: &mut Emitter) {
        if self.handshake.has_both_hellos() {
            self.say(emitter);
        }
        self.sides = PerDirection::default();
        self.is_said = false;
        self.secrets = Some(secrets);
    }

    /// Takes the handshake's pieces out of a packet; those before a bad frame count.
    fn frames(
        &mut self,
        sender: Direction,
        time: Timestamp,
        payload: &[u8],
        emitter: &mut Emitter,
    ) -> Result<(), Detail> {
        let side = self.sides.of_mut(sender);
        let result = side.take(&mut Reader::new(payload));
        while let Some(message) = side.messages.next() {
            self.handshake.message(sender, time, message, emitter);
        }
        result
    }

    fn short(&mut self, sender: Direction, emitter: &mut Emitter) {
        if self.is_said || !self.handshake.has_both_hellos() {
            return;
        }
        self.handshake.protected(sender);
        if self.handshake.is_established() {
            self.say(emitter);
        }
    }

    fn say(&mut self, emitter: &mut Emitter) {
        self.is_said = true;
        self.handshake.emit(Some(self.version.name()), emitter);
        self.sides = PerDirection::default();
    }
}

impl Side {
    fn take(&mut self, frames: &mut Reader<'_>) -> Result<(), Detail> {
        let result = self.pieces(frames);
        let known = self.pieces.known();
        self.messages.push(known.get(self.taken..).unwrap_or_default());
        self.taken = known.len();
        result
    }

    fn pieces(&mut self, frames: &mut Reader<'_>) -> Result<(), Detail> {
        while let Some(crypto) = frame::next_crypto(frames)? {
            if self.pieces.put(crypto.offset, crypto.bytes).is_err() {
                return Err(Detail::Word("more of the handshake than is kept"));
            }
        }
        Ok(())
    }
}

impl Secrets {
    /// Takes the keys of another version that the ends agreed on; the connection id stays (RFC 9368
    /// §4).
    fn follow(&mut self, version: Version) {
        if let ([family, ..], true) = (version.families(), version != self.version) {
            self.keys = Keys::derive(family, &self.connection_id);
            self.version = version;
        }
    }
}
