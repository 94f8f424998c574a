//! `[intel]`: which feeds and allow-lists there are. In: what the configuration says. Out: what
//! `signatures` is told about each feed.
//!
//! ```toml
//! [intel]
//! feeds = [
//!     { path = "feeds/c2.csv" },                                    # a file or a directory
//!     { path = "feeds/names.txt", type = "domain", subdomains = true },
//!     { path = "feeds/soc.csv", columns = { value = "ioc", family = "malware" } },
//!     { url = "https://intel.example/c2.json", every = "1h", headers = { Auth-Key = "…" } },
//! ]
//! allow = ["allow.toml"]
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use signatures::feeds::{Column, Feed, Format};
use signatures::{Kind, Scope};

use analyzers::Span;

/// How often a feed is fetched unless it says so itself, in seconds.
const EVERY_SECONDS: u64 = 3_600;

/// Seconds below which no feed is fetched again: public servers block who asks more often.
const EVERY_LEAST_SECONDS: u64 = 60;

/// `[intel]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntelConfig {
    /// Feeds of indicators.
    pub feeds: Vec<FeedConfig>,
    /// Allow-lists of our own (TOML).
    pub allow: Vec<PathBuf>,
    /// Lists that say what values are (MISP's warning lists, or folders of them).
    pub lists: Vec<PathBuf>,
    /// Whether the allow-list that comes along is used, too.
    pub default_allow: bool,
    /// How often files are asked whether they changed.
    pub poll: Span,
}

impl Default for IntelConfig {
    fn default() -> Self {
        Self {
            feeds: Vec::new(),
            allow: Vec::new(),
            lists: Vec::new(),
            default_allow: true,
            poll: Span(std::time::Duration::from_secs(5)),
        }
    }
}

/// A feed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "WrittenFeed")]
pub struct FeedConfig {
    /// Where it comes from.
    pub source: FeedSource,
    /// Its name in alerts.
    pub name: String,
    /// How it is written; told by its content when absent.
    pub format: Option<Format>,
    /// What its values are where it does not say.
    pub kind: Option<Kind>,
    /// How far its names reach.
    pub names: Scope,
    /// Columns of a CSV feed whose names are not the usual ones.
    pub columns: Vec<(Column, String)>,
}

/// Where a feed comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedSource {
    /// A file, or a directory of files.
    Path(PathBuf),
    /// A server.
    Url(Box<Fetch>),
}

/// How a feed is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// `http` or `https`.
    pub url: String,
    /// How often.
    pub every: Span,
    /// Headers of the request: keys that servers want.
    pub headers: Vec<(String, Secret)>,
    /// Certificates (PEM) that are trusted for this feed instead of the public authorities.
    pub ca: Option<PathBuf>,
}

/// What must not be printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"…\"")
    }
}

/// A feed as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFeed {
    path: Option<PathBuf>,
    url: Option<String>,
    name: Option<String>,
    format: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    subdomains: bool,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    every: Option<Span>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    ca: Option<PathBuf>,
}

impl TryFrom<WrittenFeed> for FeedConfig {
    type Error = String;

    fn try_from(written: WrittenFeed) -> Result<Self, String> {
        let format = written.format.as_deref().map(format_named).transpose()?.flatten();
        let kind = written.kind.as_deref().map(kind_named).transpose()?;
        let columns =
            written.columns.iter().map(|(column, name)| Ok((column_named(column)?, name.clone())));
        let columns = columns.collect::<Result<Vec<_>, String>>()?;
        let (source, usual_name) = source(&written)?;
        Ok(Self {
            source,
            name: written.name.unwrap_or(usual_name),
            format,
            kind,
            names: if written.subdomains { Scope::Beneath } else { Scope::Exact },
            columns,
        })
    }
}

/// Where a feed comes from, and what it is called when nobody named it.
fn source(written: &WrittenFeed) -> Result<(FeedSource, String), String> {
    match (&written.path, &written.url) {
        (Some(path), None) => {
            let remote = [
                ("every", written.every.is_some()),
                ("headers", !written.headers.is_empty()),
                ("ca", written.ca.is_some()),
            ];
            if let Some((key, _)) = remote.into_iter().find(|(_, given)| *given) {
                return Err(format!("`{key}` is for feeds with a `url`; files are read on change"));
            }
            Ok((FeedSource::Path(path.clone()), Feed::at(path).name))
        }
        (None, Some(url)) => {
            let rest = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
            let host = rest.and_then(|rest| rest.split(['/', '?']).next());
            let Some(host) = host.filter(|host| !host.is_empty()) else {
                return Err(format!("{url:?} is no http:// or https:// address"));
            };
            let every =
                written.every.unwrap_or(Span(std::time::Duration::from_secs(EVERY_SECONDS)));
            if every.0.as_secs() < EVERY_LEAST_SECONDS {
                return Err(format!("`every` is less than {EVERY_LEAST_SECONDS}s"));
            }
            let headers = written.headers.clone().into_iter().collect();
            let fetch = Fetch { url: url.clone(), every, headers, ca: written.ca.clone() };
            Ok((FeedSource::Url(Box::new(fetch)), host.to_owned()))
        }
        _ => Err("a feed has either a `path` or a `url`".to_owned()),
    }
}

impl FeedConfig {
    /// The feed as `signatures` reads it, from a file.
    #[must_use]
    pub fn at(&self, path: PathBuf) -> Feed {
        Feed {
            path,
            name: self.name.clone(),
            format: self.format,
            kind: self.kind,
            names: self.names,
            columns: self.columns.clone(),
        }
    }

    /// Where it comes from, for a person.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.source {
            FeedSource::Path(path) => path.display().to_string(),
            FeedSource::Url(fetch) => fetch.url.clone(),
        }
    }
}

/// The format of that name; none for `auto`.
pub(super) fn format_named(name: &str) -> Result<Option<Format>, String> {
    if name == "auto" {
        return Ok(None);
    }
    Format::parse(name).map(Some).ok_or_else(|| {
        let names = Format::ALL.map(Format::name).join(", ");
        format!("unknown format {name:?}; there are auto, {names}")
    })
}

/// The kind of that name.
pub(super) fn kind_named(name: &str) -> Result<Kind, String> {
    Kind::parse(name).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::name).join(", ");
        format!("unknown type {name:?}; there are {names}")
    })
}

/// The column of that name.
pub(super) fn column_named(name: &str) -> Result<Column, String> {
    Column::parse(name.trim()).ok_or_else(|| {
        let names = Column::NAMES.map(|(_, names)| names[0]).join(", ");
        format!("unknown column {name:?}; there are {names}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<IntelConfig, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn feeds_are_named_by_their_file_or_host() {
        let config = parse(
            r#"
            default_allow = false
            feeds = [
                { path = "feeds/c2.csv" },
                { path = "names.txt", format = "auto", type = "domain", subdomains = true },
                { path = "soc.csv", name = "soc", format = "csv", columns = { value = "ioc" } },
                { url = "https://intel.example/c2?x", every = "2h", headers = { Auth-Key = "k" } },
            ]
            "#,
        )
        .unwrap();
        let names: Vec<_> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
        assert_eq!(names, ["c2", "names", "soc", "intel.example"]);
        assert_eq!(config.feeds[1].names, Scope::Beneath);
        assert_eq!(config.feeds[2].columns, [(Column::Value, "ioc".to_owned())]);
        let FeedSource::Url(fetch) = &config.feeds[3].source else { panic!() };
        assert_eq!(fetch.every.0.as_secs(), 7_200);
        assert!(!format!("{fetch:?}").contains("\"k\""));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (feed, expected) in [
            ("{ }", "either a `path` or a `url`"),
            ("{ path = \"a\", url = \"http://b\" }", "either a `path` or a `url`"),
            ("{ path = \"a\", every = \"1h\" }", "`every` is for feeds with a `url`"),
            ("{ path = \"a\", format = \"xml\" }", "unknown format \"xml\"; there are auto, plain"),
            ("{ path = \"a\", type = \"thing\" }", "unknown type \"thing\"; there are domain"),
            ("{ path = \"a\", columns = { ioc = \"b\" } }", "unknown column \"ioc\""),
            ("{ path = \"a\", colour = 1 }", "unknown field `colour`"),
            ("{ url = \"ftp://b\" }", "is no http:// or https://"),
            ("{ url = \"https:///b\" }", "is no http:// or https://"),
            ("{ url = \"http://b\", every = \"1s\" }", "less than 60s"),
        ] {
            let error = parse(&format!("\nfeeds = [{feed}]")).unwrap_err();
            assert!(error.contains(expected) && error.contains("line 2"), "{feed}: {error}");
        }
    }
}
