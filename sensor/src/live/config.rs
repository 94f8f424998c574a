//! The sections of the configuration that are about a sensor that runs.

use std::time::Duration;

use analyzers::Span;
use serde::{Deserialize, Deserializer};

use crate::capture::interface::mirror::Mirror;
use crate::capture::{Method, Promiscuity};
use crate::config::{Size, Switch};

/// `[capture]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaptureConfig {
    /// Interfaces that `serval watch` listens to.
    pub interfaces: Vec<String>,
    /// Ports that mirrors send to, as `vxlan:4789`.
    #[serde(deserialize_with = "mirrors")]
    pub listen: Vec<Mirror>,
    /// Only packets that this BPF expression matches.
    pub filter: Option<String>,
    /// Memory of each interface's ring; by default an eighth of the budget.
    pub ring: Option<Size>,
    /// Whether frames to other hosts are asked for: `on` or `off`.
    pub promiscuous: Switch,
    /// How packets are had: `auto`, `ring` or `libpcap`.
    pub method: MethodWord,
}

fn mirrors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Mirror>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let mirrors = texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom));
    mirrors.collect()
}

/// How packets are had, as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MethodWord {
    /// By what is best on the system.
    #[default]
    Auto,
    /// By a packet socket with a ring, on Linux.
    Ring,
    /// By libpcap.
    Libpcap,
}

impl From<MethodWord> for Method {
    fn from(word: MethodWord) -> Self {
        match word {
            MethodWord::Auto => Self::BEST,
            MethodWord::Ring => Self::Ring,
            MethodWord::Libpcap => Self::Libpcap,
        }
    }
}

impl From<Switch> for Promiscuity {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::On => Self::On,
            Switch::Off => Self::Off,
        }
    }
}

/// `[stats]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatsConfig {
    /// How often a running sensor writes a row of the table `stats`.
    pub interval: Span,
    /// Share of packets lost, in percent, above which the sensor says that it does not see all.
    pub loss_alert: f64,
}

/// `[metrics]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port where a running sensor answers `/metrics`, `/health`, `/ready` and
    /// `/status`; `off` for none.
    pub listen: Option<String>,
}

impl MetricsConfig {
    /// Where the sensor answers unless it is said.
    const DEFAULT: &str = "127.0.0.1:9417";

    /// Where the sensor answers.
    #[must_use]
    pub fn address(&self) -> &str {
        self.listen.as_deref().unwrap_or(Self::DEFAULT)
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text` or `json`.
    pub format: LogFormat,
    /// From which level on: `error`, `warn`, `info`, `debug`, or directives of rooms.
    pub level: String,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object of JSON a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".to_owned() }
    }
}

impl Default for StatsConfig {
    fn default() -> Self {
        Self { interval: Span(Duration::from_secs(60)), loss_alert: 0.1 }
    }
}

/// `[privileges]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrivilegesConfig {
    /// Who to be after the start as root: a name of `/etc/passwd`, or a number.
    pub user: Option<String>,
    /// Whether paths and system calls are confined: `on` or `off`.
    pub sandbox: Switch,
}
