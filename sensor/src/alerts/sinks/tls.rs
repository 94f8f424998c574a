//! TLS for sinks: rustls with ring.
//!
//! In: certificates of those that are trusted, the sensor's own where the receiver wants one, a
//! connected socket. Out: an encrypted stream whose other side is who the configuration says.

use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::stream::read_to_end;
use crate::alerts::config::SyslogConfig;

/// Makes encrypted streams to one receiver.
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// An encrypted stream.
pub(super) struct Secured(StreamOwned<ClientConnection, TcpStream>);

impl Connector {
    /// # Errors
    /// A file of certificates or keys cannot be read or holds none, or the name is none.
    pub(super) fn new(config: &SyslogConfig) -> Result<Self, String> {
        let name = config.server_name.as_ref().unwrap_or(&config.address.host);
        let name = ServerName::try_from(name.clone())
            .map_err(|_| format!("`server_name`: {name:?} is no name of a server"))?;
        let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots(config.ca.as_deref())?);
        let config = match (&config.cert, &config.key) {
            (Some(cert), Some(key)) => {
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("`key`: {}: {error}", key.display()))?;
                builder
                    .with_client_auth_cert(certificates(cert, "cert")?, key)
                    .map_err(|error| format!("`cert` and `key` do not fit: {error}"))?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err("`cert` and `key` are given together or not at all".to_owned()),
        };
        Ok(Self { config: Arc::new(config), name })
    }

    /// Shakes hands over a connected socket.
    ///
    /// # Errors
    /// The receiver is not who it should be, or does not speak TLS.
    pub(super) fn connect(&self, stream: TcpStream) -> Result<Secured, String> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| error.to_string())?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| {
                format!("the TLS handshake with {} failed: {error}", self.name.to_str())
            })?;
        }
        Ok(Secured(stream))
    }
}

impl Secured {
    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// What the socket or TLS says.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Ends this side and waits until the other has read everything and ends, too.
    ///
    /// # Errors
    /// It did not.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.0.conn.send_close_notify();
        self.0.flush()?;
        while self.0.conn.wants_write() {
            self.0.conn.write_tls(&mut self.0.sock)?;
        }
        self.0.sock.shutdown(Shutdown::Write)?;
        // Whatever comes now, tickets or an alert, is the receiver's; only its end is of interest.
        read_to_end(&mut self.0.sock)
    }
}

fn certificates(path: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    let problem = |what: String| format!("`{key}`: {}: {what}", path.display());
    let found = read().map_err(|error| problem(error.to_string()))?;
    if found.is_empty() { Err(problem("no certificate in it".to_owned())) } else { Ok(found) }
}

/// The certificates of those that may vouch for a server: of the file, or of the system.
///
/// # Errors
/// The file cannot be read or holds none.
pub(super) fn trusted(ca: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, String> {
    match ca {
        Some(path) => certificates(path, "ca"),
        None => Ok(rustls_native_certs::load_native_certs().certs),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(trusted(ca)?);
    if added == 0 {
        return Err("there is no certificate to trust; name one with `ca`".to_owned());
    }
    Ok(roots)
}
