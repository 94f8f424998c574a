//! Alerts to a syslog receiver: RFC 5424 messages with a JSON, CEF or LEEF body.
//!
//! In: alerts. Out: datagrams (RFC 5426), or messages on a stream (RFC 6587, and RFC 5425 over
//! TLS, in [`super::stream`]). A datagram holds at most [`DATAGRAM_BYTES_MAX`]: optional columns
//! are left out for it. UDP tells nobody what is lost; what can be told, a refusal by the
//! receiver's host, is waited for.

use std::net::UdpSocket;
use std::time::Duration;

use super::stream::Stream;
use super::{Confirmation, Letter, Sink, Taken};
use crate::alerts::config::{Address, Carrier, Facility, SyslogConfig};
use crate::alerts::formats::{self, Format};

/// What a receiver should take at least (RFC 5426, section 3.2, which says 2048 should do).
const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Datagrams between two pauses, and the pause: nothing else keeps a burst from overrunning the
/// receiver's buffer. Together they allow some 3,000 alerts a second.
const DATAGRAMS_AT_ONCE: usize = 16;
const DATAGRAM_PAUSE: Duration = Duration::from_millis(5);

/// Makes the sink.
///
/// # Errors
/// It can never work as it is configured.
pub(super) fn make(config: &SyslogConfig) -> Result<Box<dyn Sink>, String> {
    let encoder =
        Encoder { facility: config.facility, format: Format::of_body(config.body, config.format) };
    Ok(match config.address.carrier {
        Carrier::Udp => {
            Box::new(Datagrams { address: config.address.clone(), encoder, socket: None })
        }
        Carrier::Tcp | Carrier::Tls => Box::new(Stream::new(config, encoder)?),
    })
}

/// Makes messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoder {
    facility: Facility,
    format: Format,
}

impl Encoder {
    /// The message.
    pub(super) fn whole(&self, letter: &Letter<'_>) -> Vec<u8> {
        self.within(letter, usize::MAX).0
    }

    /// The message in at most `bytes`, and how many columns were left out.
    fn within(&self, letter: &Letter<'_>, bytes: usize) -> (Vec<u8>, usize) {
        let header = formats::Header { facility: self.facility };
        let message = |body: &[u8], left_out| {
            formats::message(header, letter.sequence, letter.alert, body, left_out)
        };
        // A header that says what is left out is the longest.
        let room = bytes.saturating_sub(message(b"", 9).len());
        let (body, left_out) = self.format.render_within(letter, room);
        (message(&body, left_out), left_out)
    }
}

/// Over UDP.
struct Datagrams {
    address: Address,
    encoder: Encoder,
    socket: Option<UdpSocket>,
}

impl Datagrams {
    fn connect(&self) -> Result<UdpSocket, String> {
        let problem = |error| format!("cannot reach {}: {error}", self.address);
        let mut last = format!("the name {} has no address", self.address.host);
        for remote in super::stream::resolve(&self.address)? {
            let local = if remote.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
            let socket = UdpSocket::bind(local).map_err(problem)?;
            match socket.connect(remote) {
                Ok(()) => return Ok(socket),
                Err(error) => last = problem(error),
            }
        }
        Err(last)
    }
}

impl Sink for Datagrams {
    fn write(&mut self, letter: &Letter<'_>) -> Result<Taken, String> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => self.connect()?,
        };
        let (message, left_out) = self.encoder.within(letter, DATAGRAM_BYTES_MAX);
        if let Err(error) = socket.send(&message) {
            return Err(format!("{} does not take datagrams: {error}", self.address));
        }
        self.socket = Some(socket);
        Ok(if left_out == 0 { Taken::Whole } else { Taken::Shortened })
    }

    fn flush(&mut self) -> Result<(), String> {
        let Some(socket) = &self.socket else { return Ok(()) };
        std::thread::sleep(DATAGRAM_PAUSE);
        match socket.take_error() {
            Ok(None) => Ok(()),
            Ok(Some(error)) | Err(error) => {
                Err(format!("{} does not take datagrams: {error}", self.address))
            }
        }
    }

    fn batch(&self) -> usize {
        DATAGRAMS_AT_ONCE
    }

    fn confirmation(&self) -> Confirmation {
        Confirmation::AtOnce
    }

    fn reset(&mut self) {
        self.socket = None;
    }
}
