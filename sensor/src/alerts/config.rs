//! `[alerts]`: where alerts go, as the configuration says it.
//!
//! In: TOML. Out: [`AlertsConfig`]; keys that a kind of sink does not know are errors.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::alert::Level;
use super::formats::JsonFormat;
use crate::config::Size;

/// The least outbox: smaller ones would shed a single day's alerts.
const OUTBOX_BYTES_MIN: u64 = 1 << 20;

/// The largest outbox; its index takes some 50 bytes of memory an alert.
const OUTBOX_BYTES_MAX: u64 = 16 << 30;

/// `[alerts]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// Where alerts go. Each sink gets every alert of at least its `min_severity`, in order, at
    /// least once.
    #[serde(deserialize_with = "numbered_sinks")]
    pub sinks: Vec<SinkKind>,
    /// How much may wait for sinks that are down or slow, 1MiB to 16GiB. Beyond it the oldest of
    /// the least severe alerts are dropped, which is told.
    #[serde(deserialize_with = "outbox_size")]
    pub outbox: Size,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self { sinks: Vec::new(), outbox: Size(64 << 20) }
    }
}

/// Sinks, of which one that is wrong is named by its place.
fn numbered_sinks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SinkKind>, D::Error> {
    struct Sinks;

    impl<'de> Visitor<'de> for Sinks {
        type Value = Vec<SinkKind>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of sinks, as in [{ type = \"stdout\" }]")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<SinkKind>, A::Error> {
            let mut sinks = Vec::new();
            loop {
                let place = sinks.len() + 1;
                let wrong = |error| A::Error::custom(format!("sink {place}: {error}"));
                match seq.next_element().map_err(wrong)? {
                    Some(sink) => sinks.push(sink),
                    None => return Ok(sinks),
                }
            }
        }
    }

    deserializer.deserialize_seq(Sinks)
}

fn outbox_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
    let size = Size::deserialize(deserializer)?;
    if (OUTBOX_BYTES_MIN..=OUTBOX_BYTES_MAX).contains(&size.0) {
        Ok(size)
    } else {
        Err(D::Error::custom("an outbox has between \"1MiB\" and \"16GiB\""))
    }
}

/// One sink.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum SinkKind {
    /// JSON lines in a file.
    Jsonl(JsonlConfig),
    /// JSON lines on standard output.
    Stdout(StdoutConfig),
    /// A syslog receiver.
    Syslog(SyslogConfig),
    /// A server that takes JSON by POST.
    Webhook(WebhookConfig),
}

impl SinkKind {
    /// The name by which it is known across restarts: its own, or what it is and where.
    #[must_use]
    pub fn name(&self) -> String {
        let (name, place) = match self {
            Self::Jsonl(sink) => (&sink.name, format!("jsonl {}", sink.path.display())),
            Self::Stdout(sink) => (&sink.name, "stdout".to_owned()),
            Self::Syslog(sink) => (&sink.name, format!("syslog {}", sink.address)),
            Self::Webhook(sink) => (&sink.name, format!("webhook {}", sink.url)),
        };
        name.clone().unwrap_or(place)
    }

    /// The least severe alerts that it wants.
    #[must_use]
    pub const fn min_severity(&self) -> Level {
        match self {
            Self::Jsonl(sink) => sink.min_severity,
            Self::Stdout(sink) => sink.min_severity,
            Self::Syslog(sink) => sink.min_severity,
            Self::Webhook(sink) => sink.min_severity,
        }
    }
}

/// `{ type = "jsonl", … }`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JsonlConfig {
    /// The file.
    pub path: PathBuf,
    /// At which size the file is moved to `PATH.1` and a new one is begun.
    #[serde(default = "rotate")]
    pub rotate: Size,
    /// How many of the moved files are kept.
    #[serde(default = "keep")]
    pub keep: u32,
    /// The shape of the JSON: `serval`, `ecs` or `ocsf`.
    #[serde(default)]
    pub format: JsonFormat,
    /// `P0` to `P3`: less severe alerts do not go here.
    #[serde(default)]
    pub min_severity: Level,
    /// The name by which the sink is known, also after its place changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

const fn rotate() -> Size {
    Size(100 << 20)
}

const fn keep() -> u32 {
    10
}

/// `{ type = "stdout", … }`
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StdoutConfig {
    /// The shape of the JSON: `serval`, `ecs` or `ocsf`.
    pub format: JsonFormat,
    /// `P0` to `P3`: less severe alerts do not go here.
    pub min_severity: Level,
    /// The name by which the sink is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `{ type = "syslog", … }`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogConfig {
    /// `udp://HOST:PORT`, `tcp://HOST:PORT` or `tls://HOST:PORT`.
    pub address: Address,
    /// How messages are told apart on TCP: `octet` counts or `newline`. TLS is always `octet`.
    #[serde(default)]
    pub framing: Framing,
    /// What a message holds: `json`, `cef` or `leef`.
    #[serde(default)]
    pub body: SyslogBody,
    /// The shape of a JSON body: `serval`, `ecs` or `ocsf`.
    #[serde(default)]
    pub format: JsonFormat,
    /// `kern` to `local7`.
    #[serde(default)]
    pub facility: Facility,
    /// How it is known that alerts on TCP or TLS have arrived. `close`: from time to time the
    /// connection is ended, and the receiver ends it too when it has read everything; what it did
    /// not read is sent again. `none`: what the system took has arrived.
    #[serde(default)]
    pub confirm: Confirm,
    /// TLS: certificates (PEM) of those that may vouch for the receiver. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// TLS: the name in the receiver's certificate. Default: the host of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// TLS: the sensor's own certificate (PEM), with `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// TLS: the private key (PEM) of `cert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// `P0` to `P3`: less severe alerts do not go here.
    #[serde(default)]
    pub min_severity: Level,
    /// The name by which the sink is known, also after its address changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `{ type = "webhook", … }`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// `http://…` or `https://…`.
    #[serde(deserialize_with = "web_address")]
    pub url: String,
    /// Headers of the request: keys that the server wants.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// The shape of the JSON: `serval`, `ecs` or `ocsf`.
    #[serde(default)]
    pub format: JsonFormat,
    /// Certificates (PEM) of those that may vouch for the server. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// `P0` to `P3`: less severe alerts do not go here.
    #[serde(default)]
    pub min_severity: Level,
    /// The name by which the sink is known, also after its address changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn web_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let url = String::deserialize(deserializer)?;
    match ureq::http::Uri::try_from(&url) {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) => Ok(url),
        _ => Err(D::Error::custom(format!("{url:?} is no http:// or https:// address"))),
    }
}

/// What must not be printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl Secret {
    /// What is shown in its place.
    const HIDDEN: &str = "…";
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::HIDDEN)
    }
}

/// How messages are told apart on a stream (RFC 6587).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// Each is preceded by its length.
    #[default]
    Octet,
    /// Each ends with a newline.
    Newline,
}

/// What a syslog message holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SyslogBody {
    /// JSON.
    #[default]
    Json,
    /// Common Event Format, version 0.
    Cef,
    /// Log Event Extended Format, version 2.0.
    Leef,
}

/// How a receiver confirms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// By ending the connection when it has read everything.
    #[default]
    Close,
    /// Not at all.
    None,
}

/// Syslog's facilities (RFC 5424 table 1), in the order of their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum Facility {
    Kern,
    User,
    Mail,
    Daemon,
    Auth,
    Syslog,
    Lpr,
    News,
    Uucp,
    Cron,
    Authpriv,
    Ftp,
    Ntp,
    Audit,
    Alert,
    Clock,
    Local0,
    Local1,
    Local2,
    Local3,
    #[default]
    Local4,
    Local5,
    Local6,
    Local7,
}

/// How bytes reach a syslog receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Datagrams (RFC 5426).
    Udp,
    /// A stream (RFC 6587).
    Tcp,
    /// An encrypted stream (RFC 5425).
    Tls,
}

/// Where a syslog receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How bytes get there.
    pub carrier: Carrier,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.carrier {
            Carrier::Udp => "udp",
            Carrier::Tcp => "tcp",
            Carrier::Tls => "tls",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = || {
            format!(
                "{text:?} is not the address of a syslog receiver; write it as \
                 \"udp://HOST:514\", \"tcp://HOST:601\" or \"tls://HOST:6514\""
            )
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(refusal)?;
        let (carrier, usual_port) = match scheme {
            "udp" => (Carrier::Udp, 514),
            "tcp" => (Carrier::Tcp, 601),
            "tls" => (Carrier::Tls, 6514),
            _ => return Err(refusal()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(refusal)?)),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let port = port.map_or(Ok(usual_port), str::parse).map_err(|_| refusal())?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(is_host) || port == 0 {
            return Err(refusal());
        }
        Ok(Self { carrier, host: host.to_owned(), port })
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
