//! Feeds from servers. In: a URL and what the last answer said of itself. Out: a new copy beside
//! the good one, or word that nothing changed. HTTP/1.1 (RFC 9110, RFC 9112), conditional requests
//! by `ETag` and `Last-Modified` (RFC 9110 §13), TLS by rustls.
//!
//! A URL that ends with `manifest.json` is a MISP feed: its events are fetched, too, see
//! [`directory`].
//!
//! A copy is called good only after its indicators were read; until then it has another name, so
//! that the good one survives whatever a server sends.

mod directory;

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::settings::Fetch;
use crate::state;

/// Bytes of one feed. The largest public ones have some hundred megabytes; a server that never ends
/// would fill the disk.
const FEED_BYTES: u64 = 1 << 30;

/// Time for a connection, for the first line of an answer, and for all of it: a server that sends a
/// byte a minute holds nothing but its own feed.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(600);

/// Redirections that are followed.
const REDIRECTIONS: u32 = 5;

/// Bytes of a file of certificates.
const CERTIFICATES_BYTES: u64 = 4 * 1024 * 1024;

/// What the server said of the copy that is kept, and when it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    etag: Option<String>,
    last_modified: Option<String>,
    /// Second of the last good answer.
    asked: i64,
}

/// The last good copy of a feed, on disk: a file, or a directory for a MISP feed.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// The good one.
    pub(super) path: PathBuf,
    /// Where the next one is written; it stays there when it is refused, for a person to look at.
    pub(super) next: PathBuf,
    known_path: PathBuf,
    known: Known,
}

/// What a server answered.
pub(super) enum Answer {
    /// The copy is as good as new.
    Unchanged,
    /// There is another one in [`Copy::next`].
    Changed(Received),
}

/// A copy that nobody has looked at yet.
pub(super) struct Received(Known);

impl Copy {
    /// The copy of a feed in a directory; it need not be there.
    pub(super) fn of(fetch: &Fetch, name: &str, directory: &Path) -> Self {
        let hash = data_encoding::HEXLOWER.encode(&Sha1::digest(&fetch.url)[..4]);
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
        let stem: String = name.chars().map(plain).take(64).collect();
        let file = |ending: &str| directory.join(format!("{stem}-{hash}.{ending}"));
        let (path, known_path) = (file("feed"), file("json"));
        // Without the copy, what the server said of it is worth nothing.
        let known = if path.exists() { Known::load(&known_path) } else { Known::default() };
        Self { path, next: file("new"), known_path, known }
    }

    /// Second at which the server was last asked with success.
    pub(super) fn asked(&self) -> i64 {
        self.known.asked
    }

    /// Asks the server.
    pub(super) fn fetch(&mut self, fetch: &Fetch, now: i64) -> Result<Answer, String> {
        let agent = agent(fetch)?;
        let mut answer = get(&agent, fetch, &fetch.url, &self.known)?;
        match answer.status() {
            StatusCode::OK => {
                let known = Known { asked: now, ..Known::from(&answer) };
                let received = if directory::is_one(fetch) {
                    directory::receive_events(&agent, fetch, answer.body_mut(), self)
                } else {
                    receive(answer.body_mut(), &self.next, FEED_BYTES)
                        .map(|_| ())
                        .map_err(|error| error.to_string())
                };
                received?;
                Ok(Answer::Changed(Received(known)))
            }
            StatusCode::NOT_MODIFIED if self.known != Known::default() => {
                self.known.asked = now;
                self.remember().map_err(|error| error.to_string())?;
                Ok(Answer::Unchanged)
            }
            status => Err(format!("the server answered {status}")),
        }
    }

    /// Makes what was received the good copy.
    pub(super) fn accept(&mut self, received: Received) -> io::Result<()> {
        // A directory cannot be put over another one; a crash between the two costs a download.
        let old = self.path.with_extension("old");
        if self.path.is_dir() {
            fs::rename(&self.path, &old)?;
        }
        fs::rename(&self.next, &self.path)?;
        if old.is_dir() {
            fs::remove_dir_all(&old)?;
        }
        self.known = received.0;
        self.remember()
    }

    /// Remembers that the server was asked; what it sent is no good and is asked for again.
    pub(super) fn reject(&mut self, received: &Received) {
        self.known.asked = received.0.asked;
    }

    fn remember(&self) -> io::Result<()> {
        let next = self.known_path.with_extension("json.new");
        let mut file = File::create(&next)?;
        file.write_all(&serde_json::to_vec(&self.known)?)?;
        file.sync_all()?;
        fs::rename(&next, &self.known_path)
    }
}

impl Known {
    /// Of an earlier answer. Without it the server is asked for all of the feed again.
    fn load(path: &Path) -> Self {
        let Ok(bytes) = fs::read(path) else { return Self::default() };
        serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            state::set_aside(path, &error.to_string());
            Self::default()
        })
    }
}

impl From<&Response<Body>> for Known {
    fn from(answer: &Response<Body>) -> Self {
        let header = |name| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Self { etag: header("etag"), last_modified: header("last-modified"), asked: 0 }
    }
}

/// Asks for a URL, unless it is still what is known of it.
fn get(agent: &Agent, fetch: &Fetch, url: &str, known: &Known) -> Result<Response<Body>, String> {
    let mut request = agent.get(url);
    for (name, value) in &fetch.headers {
        request = request.header(name, &value.0);
    }
    if let Some(etag) = &known.etag {
        request = request.header("If-None-Match", etag);
    }
    if let Some(date) = &known.last_modified {
        request = request.header("If-Modified-Since", date);
    }
    request.call().map_err(|error| error.to_string())
}

/// Writes an answer to a file; how many bytes it had.
fn receive(body: &mut Body, path: &Path, most: u64) -> io::Result<u64> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = File::create(path)?;
    // One byte more than there may be, so that the end of what is allowed is no end of file.
    let mut bytes = body.with_config().limit(u64::MAX).reader().take(most + 1);
    let length = io::copy(&mut bytes, &mut file)?;
    if length > most {
        return Err(io::Error::other(format!("the feed is longer than {most} bytes")));
    }
    file.sync_all()?;
    Ok(length)
}

fn agent(fetch: &Fetch) -> Result<Agent, String> {
    let mut tls = TlsConfig::builder();
    if let Some(path) = &fetch.ca {
        tls =
            tls.root_certs(authorities(path).map_err(|why| format!("{}: {why}", path.display()))?);
    }
    let config = Agent::config_builder()
        .user_agent(concat!("serval/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(REDIRECTIONS)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_global(Some(WHOLE))
        .tls_config(tls.build())
        .build();
    Ok(config.new_agent())
}

fn authorities(path: &Path) -> Result<RootCerts, String> {
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(CERTIFICATES_BYTES).read_to_end(&mut pem))
        .map_err(|error| format!("cannot be read: {error}"))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    if certificates.is_empty() {
        return Err("holds no certificate in PEM".to_owned());
    }
    Ok(RootCerts::from(certificates))
}
