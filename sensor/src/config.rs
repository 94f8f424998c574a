//! The configuration: what a TOML file says, with a default for everything.
//!
//! In: a path. Out: a [`Config`], or an error that names file, line and key. Unknown keys are
//! errors: a setting that is misspelt must not be silently without effect.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use analyzers::scene::assets::Network;
use analyzers::scene::{Assets, HomeNetworks, schedule};
use analyzers::{FileHashing, Span, detectors};
use jiff::SpanRelativeTo;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::alerts::config::AlertsConfig;
use crate::archive::Limits;
use crate::enrich::geo::GeoConfig;
use crate::flow::expiry::Timeouts;
use crate::flow::{FlowSettings, VlanInKey};
use crate::intel::IntelConfig;
use crate::live::{CaptureConfig, LogConfig, MetricsConfig, PrivilegesConfig, StatsConfig};
use crate::state;

/// Share of the memory budget for the flow table, in flows: about a kibibyte each, a quarter of
/// all.
const BUDGET_BYTES_PER_FLOW: u64 = 4 * 1024;

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who and where the sensor is.
    pub sensor: SensorConfig,
    /// Network interfaces.
    pub capture: CaptureConfig,
    /// Flows.
    pub flow: FlowConfig,
    /// The archive.
    pub archive: ArchiveConfig,
    /// Memory.
    pub memory: MemoryConfig,
    /// Files inside flows.
    pub files: FilesConfig,
    /// Indicators and allow-lists.
    pub intel: IntelConfig,
    /// Countries and autonomous systems.
    pub geoip: GeoConfig,
    /// Hosts with a part to play.
    pub assets: Assets,
    /// When people work, and who may log on when.
    pub schedule: schedule::Settings,
    /// What becomes of findings.
    pub watch: WatchConfig,
    /// Knobs of the detectors.
    pub detect: detectors::Knobs,
    /// Where alerts go.
    pub alerts: AlertsConfig,
    /// What a running sensor tells about itself.
    pub stats: StatsConfig,
    /// Where it answers questions.
    pub metrics: MetricsConfig,
    /// What it says on standard error.
    pub log: LogConfig,
    /// What it may still do once it has started.
    pub privileges: PrivilegesConfig,
}

/// `[sensor]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensorConfig {
    /// The name that every row carries.
    pub name: String,
    /// The networks that the sensor guards.
    pub home_networks: Vec<Network>,
    /// Where it is, by the name of an IANA time zone: work hours are local.
    pub timezone: String,
    /// Directory of what is kept over a restart: the outbox, copies of feeds, baselines.
    pub state: PathBuf,
}

/// `[flow]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowConfig {
    /// How long a flow lasts before it gives an interim row.
    pub interim: Span,
    /// How long an open TCP connection may be silent.
    pub tcp_timeout: Span,
    /// How long a SYN may wait for an answer.
    pub tcp_attempt_timeout: Span,
    /// How long a closed TCP connection is kept for stragglers.
    pub tcp_closed_timeout: Span,
    /// How long a UDP flow may be silent.
    pub udp_timeout: Span,
    /// How long any other flow may be silent.
    pub other_timeout: Span,
    /// Which VLAN tag parts flows: `first` or `none`.
    pub vlan_in_key: VlanWord,
    /// Flows in the table; by default a share of the memory budget.
    pub max: Option<usize>,
}

/// `[archive]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Directory; no archive is written without one.
    pub path: Option<PathBuf>,
    /// What a running sensor lets it hold.
    pub retention: RetentionConfig,
}

/// `retention` below `[archive]`: beyond any of them the oldest hours go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// How long ago an hour may have ended.
    pub age: Option<Age>,
    /// How many bytes all files may have.
    pub bytes: Option<Size>,
    /// How many bytes the file system must have free.
    pub free: Option<Size>,
}

impl From<RetentionConfig> for Limits {
    fn from(config: RetentionConfig) -> Self {
        let RetentionConfig { age, bytes, free } = config;
        Self { age: age.map(|age| age.0), bytes: bytes.map(|b| b.0), free: free.map(|f| f.0) }
    }
}

/// How old something may become, written as `90d`, `2w` or `36h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .ok()
            .and_then(|age| Duration::try_from(age).ok())
            .filter(|age| !age.is_zero())
            .map(Self)
            .ok_or_else(|| {
                format!("{text:?} is not an age; write it as \"90d\", \"2w\" or \"36h\"")
            })
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `[memory]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// What all tables and buffers may take together.
    pub budget: Size,
}

/// `[watch]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchConfig {
    /// Detectors that are not run, by name.
    pub off: Vec<String>,
    /// How long one finding is one alert; what comes later is a new one.
    pub suppress: Span,
    /// How long a new alert below P1 waits for what follows, so that one story is one message.
    pub hold: Span,
    /// Findings less likely than that are not told.
    pub min_confidence: f64,
    /// File of what login detectors learn; by default in the state directory. A replay reads one
    /// only if it is named here.
    pub baseline: Option<PathBuf>,
}

impl WatchConfig {
    /// Whether a detector runs.
    #[must_use]
    pub fn runs(&self, detector: &str) -> bool {
        !self.off.iter().any(|name| name == detector)
    }

    /// Whether a finding is likely enough to be told.
    #[must_use]
    pub fn tells(&self, confidence: f64) -> bool {
        confidence >= self.min_confidence
    }
}

/// `[files]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    /// Whether bodies are hashed and their type is sniffed: `on` or `off`.
    pub hash: Switch,
}

/// A switch, as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Done.
    #[default]
    On,
    /// Not done.
    Off,
}

impl Default for SensorConfig {
    fn default() -> Self {
        Self {
            name: "serval".to_owned(),
            home_networks: HomeNetworks::default().networks().map(Network).collect(),
            timezone: "UTC".to_owned(),
            state: PathBuf::from("state"),
        }
    }
}

impl Default for FlowConfig {
    fn default() -> Self {
        let settings = FlowSettings::default();
        Self {
            interim: Span(settings.interim),
            tcp_timeout: Span(settings.timeouts.tcp),
            tcp_attempt_timeout: Span(settings.timeouts.tcp_attempt),
            tcp_closed_timeout: Span(settings.timeouts.tcp_closed),
            udp_timeout: Span(settings.timeouts.udp),
            other_timeout: Span(settings.timeouts.other),
            vlan_in_key: VlanWord::First,
            max: None,
        }
    }
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            suppress: Span::seconds(24 * 3_600),
            hold: Span::seconds(5),
            min_confidence: 0.25,
            baseline: None,
        }
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { budget: Size(512 * 1024 * 1024) }
    }
}

/// Which VLAN tag parts flows, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VlanWord {
    /// The first tag.
    First,
    /// None.
    None,
}

/// A number of bytes, written as `512MiB`, `2GiB` or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_size(text)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a size; write it as \"512MiB\" or \"2GiB\""))
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let units =
            [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
        let fits = |(_, unit): &&(&str, u64)| self.0.is_multiple_of(*unit);
        let (name, unit) = units.iter().find(fits).copied().unwrap_or(("B", 1));
        serializer.collect_str(&format_args!("{}{name}", self.0 / unit))
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(text.trim().len());
    let (number, unit) = text.trim().split_at_checked(digits)?;
    let unit: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {error}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not a valid configuration; the text names line and column.
    #[error("the configuration {path} is not valid: {error}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        error: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads a file, or gives the defaults where none is named.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has unknown keys or values that mean nothing.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let path = path.to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(ConfigError::Read { path, error }),
        };
        toml::from_str(&text).map_err(|error| ConfigError::Parse { path, error: Box::new(error) })
    }

    /// From settings that are in no file.
    ///
    /// # Errors
    /// They have unknown keys, or values that mean nothing.
    pub fn from_table(table: toml::Table) -> Result<Self, toml::de::Error> {
        Self::deserialize(table)
    }

    /// The file of what login detectors learn.
    #[must_use]
    pub fn baseline(&self) -> PathBuf {
        self.watch.baseline.clone().unwrap_or_else(|| state::baseline(&self.sensor.state))
    }

    /// What the flow table needs of it.
    #[must_use]
    pub fn flow_settings(&self) -> FlowSettings {
        let flow = &self.flow;
        let share = self.memory.budget.0 / BUDGET_BYTES_PER_FLOW;
        FlowSettings {
            timeouts: Timeouts {
                tcp: flow.tcp_timeout.0,
                tcp_attempt: flow.tcp_attempt_timeout.0,
                tcp_closed: flow.tcp_closed_timeout.0,
                udp: flow.udp_timeout.0,
                other: flow.other_timeout.0,
            },
            interim: flow.interim.0,
            flows_max: flow.max.unwrap_or(usize::try_from(share).unwrap_or(usize::MAX)),
            vlan_in_key: match flow.vlan_in_key {
                VlanWord::First => VlanInKey::First,
                VlanWord::None => VlanInKey::None,
            },
            hashing: match self.files.hash {
                Switch::On => FileHashing::On,
                Switch::Off => FileHashing::Off,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(parse(""), Ok(Config::default()));
        assert_eq!(Config::default().flow_settings(), FlowSettings::default());
    }

    #[test]
    fn reads_spans_sizes_and_words() {
        let config = parse(
            "[flow]\ninterim = \"1h 30m\"\nvlan_in_key = \"none\"\n[memory]\nbudget = \"1GiB\"\n\
             [archive]\nretention = { age = \"2w 1d\", bytes = \"2TiB\" }",
        )
        .unwrap();
        let limits = Limits::from(config.archive.retention);
        assert_eq!(limits.age, Some(Duration::from_secs(15 * 24 * 3_600)));
        assert_eq!((limits.bytes, limits.free), (Some(1 << 41), None));
        let settings = config.flow_settings();
        assert_eq!(settings.interim, Duration::from_secs(5_400));
        assert_eq!(settings.vlan_in_key, VlanInKey::None);
        assert_eq!(settings.flows_max, 262_144);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, expected) in [
            ("[archive]\nretention = { age = \"3 moons\" }", "not an age"),
            ("[archive]\nretention = { age = \"0d\" }", "not an age"),
            ("[archive]\nretention = { size = \"1GiB\" }", "line 2"),
            ("[sensor]\nnmae = \"x\"", "line 2"),
            ("[flow]\n\ninterim = \"soon\"", "not a span of time"),
            ("[flow]\ninterim = \"0s\"", "not a span of time"),
            ("[memory]\nbudget = \"12 parsecs\"", "not a size"),
            ("[memory\n", "line 1"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
