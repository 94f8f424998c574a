//! Syslog messages on a stream: TCP, or TLS over it.
//!
//! In: alerts. Out: messages, told apart by their length or by newlines (RFC 6587). That the
//! system took bytes does not say that the receiver read them. The only word that syslog has for
//! it is the end: this side closes its half of the connection, and the receiver closes the other
//! when it has read everything. So from time to time a connection is ended, and the next one is
//! opened when there is something to send.

use std::io::{self, Read as _, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::syslog::Encoder;
use super::tls::{Connector, Secured};
use super::{Confirmation, Letter, Sink, Taken};
use crate::alerts::config::{Address, Carrier, Confirm, Framing, SyslogConfig};

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long a receiver may take no bytes, or not answer, before the connection is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// Bytes that are held back before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// The sink.
pub(super) struct Stream {
    address: Address,
    framing: Framing,
    confirm: Confirm,
    encoder: Encoder,
    connector: Option<Connector>,
    connection: Option<Connection>,
    buffer: Vec<u8>,
}

/// What is connected.
enum Connection {
    Plain(TcpStream),
    Secured(Box<Secured>),
}

impl Stream {
    /// # Errors
    /// What TLS needs cannot be read.
    pub(super) fn new(config: &SyslogConfig, encoder: Encoder) -> Result<Self, String> {
        let is_secured = config.address.carrier == Carrier::Tls;
        Ok(Self {
            address: config.address.clone(),
            // RFC 5425 knows nothing else.
            framing: if is_secured { Framing::Octet } else { config.framing },
            confirm: config.confirm,
            encoder,
            connector: if is_secured { Some(Connector::new(config)?) } else { None },
            connection: None,
            buffer: Vec::new(),
        })
    }

    fn connect(&self) -> Result<Connection, String> {
        let mut last = format!("the name {} has no address", self.address.host);
        for remote in resolve(&self.address)? {
            let connected = TcpStream::connect_timeout(&remote, CONNECTING).and_then(|stream| {
                stream.set_read_timeout(Some(SILENCE))?;
                stream.set_write_timeout(Some(SILENCE))?;
                stream.set_nodelay(true)?;
                Ok(stream)
            });
            match connected {
                Ok(stream) => {
                    return match &self.connector {
                        None => Ok(Connection::Plain(stream)),
                        Some(connector) => {
                            connector.connect(stream).map(Box::new).map(Connection::Secured)
                        }
                    };
                }
                Err(error) => last = format!("cannot reach {}: {error}", self.address),
            }
        }
        Err(last)
    }

    fn send_buffer(&mut self) -> Result<(), String> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let sent = match &mut connection {
            Connection::Plain(stream) => stream.write_all(&self.buffer),
            Connection::Secured(secured) => secured.write_all(&self.buffer),
        };
        sent.map_err(|error| self.broken(&error))?;
        self.buffer.clear();
        self.connection = Some(connection);
        Ok(())
    }

    fn broken(&self, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                format!("{} has taken nothing for {} s", self.address, SILENCE.as_secs())
            }
            _ => format!("the connection to {} broke: {error}", self.address),
        }
    }

    fn end(&self, connection: Connection) -> Result<(), String> {
        let ended = match connection {
            Connection::Plain(mut stream) => {
                stream.shutdown(Shutdown::Write).and_then(|()| read_to_end(&mut stream))
            }
            Connection::Secured(secured) => secured.end(),
        };
        ended.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!(
                "{} did not end a connection within {} s, as a receiver does that has read \
                 everything; if it never does, set `confirm = \"none\"`",
                self.address,
                SILENCE.as_secs()
            ),
            _ => format!("{} ended a connection without reading everything: {error}", self.address),
        })
    }
}

impl Sink for Stream {
    fn write(&mut self, letter: &Letter<'_>) -> Result<Taken, String> {
        let message = self.encoder.whole(letter);
        match self.framing {
            Framing::Octet => {
                self.buffer.extend(format!("{} ", message.len()).as_bytes());
                self.buffer.extend(message);
            }
            Framing::Newline => {
                self.buffer.extend(message);
                self.buffer.push(b'\n');
            }
        }
        if self.buffer.len() >= BUFFER_BYTES {
            self.send_buffer()?;
        }
        Ok(Taken::Whole)
    }

    fn flush(&mut self) -> Result<(), String> {
        self.send_buffer()
    }

    fn confirmation(&self) -> Confirmation {
        match self.confirm {
            Confirm::Close => Confirmation::Asked,
            Confirm::None => Confirmation::AtOnce,
        }
    }

    fn confirm(&mut self) -> Result<(), String> {
        match (self.confirm, self.connection.take()) {
            (Confirm::Close, Some(connection)) => self.end(connection),
            (_, connection) => {
                self.connection = connection;
                Ok(())
            }
        }
    }

    fn reset(&mut self) {
        self.connection = None;
        self.buffer.clear();
    }
}

/// The addresses of a receiver.
pub(super) fn resolve(address: &Address) -> Result<Vec<SocketAddr>, String> {
    let found = (address.host.as_str(), address.port).to_socket_addrs();
    found
        .map(Iterator::collect)
        .map_err(|error| format!("the name {} cannot be resolved: {error}", address.host))
}

/// Reads until the other side ends; what it says is of no interest.
pub(super) fn read_to_end(stream: &mut TcpStream) -> io::Result<()> {
    let mut bytes = [0; 1024];
    // A receiver that talks without end is given up after so much.
    for _ in 0..1024 {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(()),
            // A signal: a debugger, or a stop of the whole program, came in between.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => _ = read?,
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
