//! What is known of one handshake, whichever way it came: the state behind one row.
//!
//! In: handshake messages, and that a side began to encrypt. Out: the row, and whether it is
//! complete. Any part may be missing: one-sided captures, captures that begin late, gaps.

use crate::direction::{Direction, PerDirection};
use crate::emitter::{Detail, Emitter};
use crate::limits;
use crate::malformed::Malformed;
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

use super::carrier::Carrier;
use super::certificate::Chain;
use super::ciphers::cipher_name;
use super::fingerprint;
use super::hello::{ClientHello, ServerHello};
use super::host;
use super::messages::{Extent, Message, kind};
use super::record::TlsRecord;
use super::version::Version;

/// What is kept of the client's hello.
#[derive(Debug)]
struct Client {
    server_name: Option<Text>,
    protocols: Vec<Text>,
    encrypted_hello: bool,
    session_id: Box<[u8]>,
    ja3: Option<String>,
    ja4: Option<String>,
}

/// What is kept of the server's hello.
#[derive(Debug)]
struct Server {
    version: Version,
    cipher: Option<u16>,
    protocol: Option<Text>,
    session_id: Box<[u8]>,
    pre_shared_key: bool,
    ja3s: Option<String>,
}

/// How the server went on after its hello, up to TLS 1.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flight {
    /// Not seen.
    #[default]
    Unknown,
    /// With keys and certificates, up to its ServerHelloDone.
    Full,
    /// At once with ChangeCipherSpec: it resumes a session.
    Abbreviated,
}

/// One handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    carrier: Carrier,
    started: Option<Timestamp>,
    /// Who sent the client's hello, or did not send the server's.
    client_side: Option<Direction>,
    client: Option<Client>,
    /// A HelloRetryRequest, until the real hello comes.
    retry: Option<Server>,
    server: Option<Server>,
    chain: Option<Chain>,
    flight: Flight,
    heard: PerDirection<bool>,
    protected: PerDirection<bool>,
}

impl Handshake {
    /// Nothing seen yet.
    pub(crate) fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            started: None,
            client_side: None,
            client: None,
            retry: None,
            server: None,
            chain: None,
            flight: Flight::Unknown,
            heard: PerDirection::default(),
            protected: PerDirection::default(),
        }
    }

    /// Whether a message of this kind starts another handshake than this one.
    pub(crate) const fn is_followed_by(&self, message_kind: u8) -> bool {
        message_kind == kind::CLIENT_HELLO && self.client.is_some() && self.server.is_some()
    }

    /// Takes a message that `sender` sent; its first byte came at `time`.
    pub(crate) fn message(
        &mut self,
        sender: Direction,
        time: Timestamp,
        message: Message<'_>,
        emitter: &mut Emitter,
    ) {
        self.started.get_or_insert(time);
        if message.extent == Extent::TooLong {
            emitter.weird(time, Weird::TlsMessageTooLong);
        }
        match message.kind {
            kind::CLIENT_HELLO => self.client_hello(sender, time, message, emitter),
            kind::SERVER_HELLO => self.server_hello(sender, time, message, emitter),
            kind::CERTIFICATE if self.is_server(sender) => {
                self.certificate(time, message, emitter);
            }
            kind::SERVER_HELLO_DONE if self.is_server(sender) => self.flight = Flight::Full,
            kind::DRAFT_RETRY if self.client_side.is_none() => {
                self.client_side = Some(sender.reversed());
            }
            _ => {}
        }
        *self.heard.of_mut(sender) = true;
    }

    fn is_server(&self, sender: Direction) -> bool {
        sender != self.client_side.unwrap_or(Direction::SrcToDst)
    }

    fn client_hello(
        &mut self,
        sender: Direction,
        time: Timestamp,
        message: Message<'_>,
        emitter: &mut Emitter,
    ) {
        // The second hello, after a retry or a cookie, repeats the first.
        if self.client.is_some() {
            return;
        }
        let hello = ClientHello::read(message.body, self.carrier.cookie());
        report(hello.problem, message.extent, time, emitter);
        if hello.protocols.len() > limits::TLS_PROTOCOLS {
            emitter.weird(time, Weird::TlsTooManyNames);
        }
        self.client_side = Some(sender);
        let is_whole = message.extent == Extent::Whole;
        self.client = Some(Client {
            server_name: hello.server_name.map(host),
            protocols: hello
                .protocols
                .iter()
                .take(limits::TLS_PROTOCOLS)
                .map(|name| Text::wire(name))
                .collect(),
            encrypted_hello: hello.encrypted_hello,
            session_id: hello.session_id.into(),
            ja3: is_whole.then(|| fingerprint::ja3(&hello)),
            ja4: is_whole.then(|| fingerprint::ja4(&hello, self.carrier)),
        });
    }

    /// Takes a client's hello in the form of SSL 2.0, which neither JA3 nor JA4 knows.
    pub(crate) fn old_hello(
        &mut self,
        sender: Direction,
        time: Timestamp,
        hello: &ClientHello<'_>,
    ) {
        self.started.get_or_insert(time);
        self.client_side = Some(sender);
        self.client.get_or_insert_with(|| Client {
            server_name: None,
            protocols: Vec::new(),
            encrypted_hello: false,
            session_id: hello.session_id.into(),
            ja3: None,
            ja4: None,
        });
    }

    fn server_hello(
        &mut self,
        sender: Direction,
        time: Timestamp,
        message: Message<'_>,
        emitter: &mut Emitter,
    ) {
        if self.server.is_some() {
            return;
        }
        let hello = ServerHello::read(message.body);
        report(hello.problem, message.extent, time, emitter);
        self.client_side = Some(sender.reversed());
        let is_whole = message.extent == Extent::Whole;
        let server = Server {
            version: hello.negotiated(),
            cipher: hello.cipher,
            protocol: hello.protocol.map(Text::wire),
            session_id: hello.session_id.into(),
            pre_shared_key: hello.pre_shared_key,
            ja3s: hello.cipher.filter(|_| is_whole).map(|cipher| fingerprint::ja3s(&hello, cipher)),
        };
        let place = if hello.is_retry { &mut self.retry } else { &mut self.server };
        *place = Some(server);
    }

    fn certificate(&mut self, time: Timestamp, message: Message<'_>, emitter: &mut Emitter) {
        if self.chain.is_some() {
            return;
        }
        let chain = Chain::read(message.body);
        report(chain.problem, message.extent, time, emitter);
        if let Some(leaf) = &chain.leaf {
            match &leaf.fields {
                None => emitter.weird(time, Weird::TlsCertificateMalformed),
                Some(fields) if fields.more_names => emitter.weird(time, Weird::TlsTooManyNames),
                Some(_) => {}
            }
        }
        self.flight = Flight::Full;
        self.chain = Some(chain);
    }

    /// Learns that `sender` changes to the keys that were agreed (up to TLS 1.2).
    pub(crate) fn change_cipher(&mut self, sender: Direction) {
        let is_older = self.server.as_ref().is_some_and(|s| !s.version.encrypts_handshake());
        if is_older && self.is_server(sender) && self.flight == Flight::Unknown {
            self.flight = Flight::Abbreviated;
        }
    }

    /// Learns that bytes of `sender` are missing, so that its flight cannot be judged by what is
    /// absent.
    pub(crate) fn gap(&mut self, sender: Direction) {
        if self.is_server(sender) && self.flight == Flight::Unknown {
            self.flight = Flight::Full;
        }
    }

    /// Learns that `sender` sent something encrypted: its Finished or application data.
    pub(crate) fn protected(&mut self, sender: Direction) {
        // A client's early data says nothing of the handshake yet.
        let is_early = self.client_side == Some(sender) && !*self.heard.of(sender.reversed());
        if !is_early {
            *self.protected.of_mut(sender) = true;
        }
        *self.heard.of_mut(sender) = true;
    }

    /// Whether both sides finished.
    pub(crate) const fn is_established(&self) -> bool {
        self.protected.src && self.protected.dst
    }

    /// Whether both hellos are known, so that nothing more is wanted of TLS 1.3.
    pub(crate) const fn has_both_hellos(&self) -> bool {
        self.client.is_some() && self.server.is_some()
    }

    /// Whether the version encrypts everything after the hellos.
    pub(crate) fn encrypts_handshake(&self) -> bool {
        self.server.as_ref().or(self.retry.as_ref()).is_some_and(|s| s.version.encrypts_handshake())
    }

    /// Whether there is anything that makes a row.
    pub(crate) const fn is_known(&self) -> bool {
        self.client.is_some() || self.server.is_some() || self.retry.is_some()
    }

    /// Says the row, where anything is known, and starts afresh.
    pub(crate) fn emit(&mut self, quic_version: Option<Text>, emitter: &mut Emitter) {
        let done = std::mem::replace(self, Self::new(self.carrier));
        if let Some(started) = done.started.filter(|_| done.is_known()) {
            emitter.record(started, done.row(quic_version));
        }
    }

    fn resumed(&self) -> Option<bool> {
        let server = self.server.as_ref()?;
        if server.version.encrypts_handshake() {
            return Some(server.pre_shared_key);
        }
        match self.flight {
            Flight::Full => Some(false),
            Flight::Abbreviated => Some(true),
            Flight::Unknown => {
                let client = self.client.as_ref()?;
                let echoed = client.session_id == server.session_id;
                (echoed && !server.session_id.is_empty()).then_some(true)
            }
        }
    }

    fn row(self, quic_version: Option<Text>) -> TlsRecord {
        let established = self.is_established();
        let resumed = self.resumed();
        let client = self.client;
        let server = self.server.or(self.retry);
        let cert_count = self.chain.as_ref().map(|chain| chain.count);
        let leaf = self.chain.and_then(|chain| chain.leaf);
        let fields = leaf.as_ref().and_then(|leaf| leaf.fields.clone());
        let (ja3, ja4, server_name, ech, alpn) = match client {
            Some(c) => {
                (c.ja3, c.ja4, c.server_name, Some(c.encrypted_hello), some_list(c.protocols))
            }
            None => (None, None, None, None, None),
        };
        TlsRecord {
            transport: self.carrier.name(),
            version: server.as_ref().map(|server| server.version.name()),
            quic_version,
            sni: server_name,
            ech,
            alpn,
            cipher: server.as_ref().and_then(|server| server.cipher).map(cipher_name),
            alpn_selected: server.as_ref().and_then(|server| server.protocol.clone()),
            ja3,
            ja3s: server.and_then(|server| server.ja3s),
            ja4,
            established,
            resumed,
            subject: fields.as_ref().and_then(|fields| fields.subject.clone()),
            issuer: fields.as_ref().and_then(|fields| fields.issuer.clone()),
            serial: fields.as_ref().map(|fields| fields.serial.clone()),
            not_before: fields.as_ref().map(|fields| fields.not_before),
            not_after: fields.as_ref().map(|fields| fields.not_after),
            self_signed: fields.as_ref().map(|fields| fields.self_signed),
            san: fields.and_then(|fields| some_list(fields.names)),
            cert_sha256: leaf.as_ref().map(|leaf| leaf.sha256.clone()),
            cert_sha1: leaf.map(|leaf| leaf.sha1),
            cert_count,
        }
    }
}

fn some_list(list: Vec<Text>) -> Option<Vec<Text>> {
    (!list.is_empty()).then_some(list)
}

/// Says what is wrong with a message. That it is cut short is not, where the capture or a limit cut
/// it.
fn report(problem: Option<Malformed>, extent: Extent, time: Timestamp, emitter: &mut Emitter) {
    let is_expected = |malformed: &Malformed| malformed.is_truncated() && extent != Extent::Whole;
    if let Some(malformed) = problem.filter(|malformed| !is_expected(malformed)) {
        emitter.weird_with(time, Weird::TlsMalformed, Detail::from(malformed));
    }
}
