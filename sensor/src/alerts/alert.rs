//! An alert on its way out: read back from the JSON that the outbox holds.
//!
//! In: the JSON object of an alert row, whose columns are the contract of the table. Out: an
//! [`Alert`] with the columns that the formats of SIEMs ask for. What an older or newer Serval
//! wrote is read as far as it goes: a column that is missing is empty.

use analyzers::text::escape;
use serde::{Deserialize, Serialize};

/// How severe: GB/T 20986—2023's four levels. Sorted from the most severe.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
pub enum Level {
    /// Special.
    P0,
    /// Major.
    P1,
    /// Larger.
    P2,
    /// Ordinary.
    #[default]
    P3,
}

impl Level {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// All, the most severe first.
    pub(super) const ALL: [Self; Self::COUNT] = [Self::P0, Self::P1, Self::P2, Self::P3];

    /// The name, as the table has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Its place, the most severe first.
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// An alert's columns, as text that is safe to print.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Alert {
    pub(super) ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) src_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) src_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dst_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dst_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proto: Option<String>,
    pub(super) sensor: String,
    pub(super) alert_id: String,
    pub(super) detector: String,
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) severity: Level,
    pub(super) severity_number: u8,
    pub(super) confidence: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) technique: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) indicator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) indicator_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) intel_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_ts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hunt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<String>,
}

/// A column that a reader can do without, and how it is left out.
type Optional = (&'static str, fn(&mut Alert));

/// Those columns, in the order in which they are left out where there is little room, the longest
/// and most easily looked up first.
const OPTIONAL: [Optional; 8] = [
    ("evidence", |alert| alert.evidence = None),
    ("hunt", |alert| alert.hunt = None),
    ("description", |alert| alert.description = None),
    ("intel_source", |alert| alert.intel_source = None),
    ("technique", |alert| alert.technique.clear()),
    ("indicator", |alert| alert.indicator = None),
    ("family", |alert| alert.family = None),
    ("incident", |alert| alert.incident = None),
];

impl Alert {
    /// Reads the JSON of an alert row.
    ///
    /// # Errors
    /// The text is no such object.
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// An instant of a column in milliseconds since the Unix epoch.
    pub(super) fn millis(text: &str) -> Option<i64> {
        text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    }

    /// What `render` makes of it in at most `bytes`: columns are left out one after the other, then
    /// the title is cut between two characters. The columns left out come with it.
    pub(super) fn fit(
        &self,
        bytes: usize,
        mut render: impl FnMut(&Self, &[&'static str]) -> Vec<u8>,
    ) -> (Vec<u8>, usize) {
        let mut alert = self.clone();
        let mut left_out = Vec::new();
        let mut text = render(&alert, &left_out);
        for (name, leave_out) in OPTIONAL {
            if text.len() <= bytes {
                break;
            }
            leave_out(&mut alert);
            left_out.push(name);
            text = render(&alert, &left_out);
        }
        if text.len() <= bytes || alert.title.is_empty() {
            return (text, left_out.len());
        }
        // A shape may hold the title more than once, so how much of it fits is searched for.
        left_out.push("title");
        let title = std::mem::take(&mut alert.title);
        let (mut fits, mut too_long) = (0, title.len());
        text = render(&alert, &left_out);
        while too_long - fits > 1 {
            let middle = usize::midpoint(fits, too_long);
            alert.title = title[..title.floor_char_boundary(middle)].to_owned();
            let longer = render(&alert, &left_out);
            if longer.len() <= bytes {
                (fits, text) = (middle, longer);
            } else {
                too_long = middle;
            }
        }
        (text, left_out.len())
    }
}

/// Text in one line without control characters, whatever it was.
pub(super) fn line(text: &str) -> std::borrow::Cow<'_, str> {
    escape(text.as_bytes())
}
