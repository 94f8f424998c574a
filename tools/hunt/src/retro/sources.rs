//! Where the archive holds what can be known: columns by what their values stand for, as records
//! declare it.

use analyzers::record::{Header, Meaning};
use analyzers::{Column, ColumnKind, Table};
use signatures::Kind;

use analyzers::tables;

/// Tables that hold findings, not observations.
const FINDINGS: [&str; 2] = ["alert", "stats"];

/// One column, or one value made of several, in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The table.
    pub(super) table: &'static str,
    /// The column, as evidence names it.
    pub(super) column: &'static str,
    /// The value, in SQL.
    pub(super) value: String,
    /// What it stands for.
    pub(super) seen: Seen,
    /// Whether it is a list of values.
    pub(super) shape: Shape,
}

/// What a value stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A name, or an address where a name could be.
    Name,
    /// An address that was the originator's.
    Address,
    /// An address that was contacted, with its port.
    Endpoint,
    /// A URL with its host.
    Url,
    /// A JA3 fingerprint.
    Ja3,
    /// A JA4 fingerprint.
    Ja4,
    /// SHA-1 of a certificate.
    CertificateSha1,
    /// SHA-256 of a certificate.
    CertificateSha256,
    /// SHA-256 of a file.
    FileSha256,
    /// A file's name or path.
    FileName,
    /// A user agent.
    UserAgent,
}

/// One value or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One.
    One,
    /// Several.
    List,
}

impl Seen {
    /// All of them.
    pub(super) const ALL: [Self; 11] = [
        Self::Name,
        Self::Address,
        Self::Endpoint,
        Self::Url,
        Self::Ja3,
        Self::Ja4,
        Self::CertificateSha1,
        Self::CertificateSha256,
        Self::FileSha256,
        Self::FileName,
        Self::UserAgent,
    ];

    /// Its name in the function that asks the matcher.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Endpoint => "endpoint",
            Self::Url => "url",
            Self::Ja3 => "ja3",
            Self::Ja4 => "ja4",
            Self::CertificateSha1 => "cert_sha1",
            Self::CertificateSha256 => "cert_sha256",
            Self::FileSha256 => "sha256",
            Self::FileName => "file_name",
            Self::UserAgent => "user_agent",
        }
    }

    /// Kinds of indicators that can match it.
    pub(super) const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Name => &[Kind::Domain, Kind::Address, Kind::Network],
            Self::Address => &[Kind::Address, Kind::Network],
            Self::Endpoint => &[Kind::Address, Kind::Network, Kind::Endpoint],
            Self::Url => &[Kind::Url],
            Self::Ja3 => &[Kind::Ja3],
            Self::Ja4 => &[Kind::Ja4],
            Self::CertificateSha1 => &[Kind::CertificateSha1],
            Self::CertificateSha256 => &[Kind::CertificateSha256],
            Self::FileSha256 => &[Kind::FileSha256],
            Self::FileName => &[Kind::FileName],
            Self::UserAgent => &[Kind::UserAgent],
        }
    }

    /// Whether the archive holds it in the form in which indicators are written, so that equality
    /// in SQL, which bloom filters answer, finds what the matcher finds.
    pub(super) const fn is_canonical(self) -> bool {
        !matches!(self, Self::Url | Self::FileName | Self::UserAgent)
    }
}

/// All places, table by table.
pub(super) fn all() -> Vec<Source> {
    let mut sources = Vec::new();
    for table in tables::all().into_iter().filter(|table| !FINDINGS.contains(&table.name)) {
        // The flow has the addresses of all that happened in it.
        let header = if table.name == "flow" { Header::TABLE.columns } else { &[] };
        let columns = header.iter().chain(table.columns);
        sources.extend(columns.filter_map(|column| source(table, column)));
    }
    sources
}

fn source(table: &'static Table, column: &'static Column) -> Option<Source> {
    let seen = match column.meaning {
        Meaning::Address if column.name == "dst_ip" => Seen::Endpoint,
        Meaning::Address => Seen::Address,
        // The best known name of a flow comes from rows that have it themselves.
        Meaning::Domain if table.name == "flow" => return None,
        Meaning::Domain => Seen::Name,
        // Other URLs are what a client says that it saw.
        Meaning::Url if column.name == "uri" => Seen::Url,
        Meaning::Ja3 => Seen::Ja3,
        Meaning::Ja4 => Seen::Ja4,
        Meaning::CertificateSha1 => Seen::CertificateSha1,
        Meaning::CertificateSha256 => Seen::CertificateSha256,
        Meaning::FileSha256 => Seen::FileSha256,
        Meaning::FileName => Seen::FileName,
        Meaning::UserAgent => Seen::UserAgent,
        Meaning::Url | Meaning::Plain | Meaning::Identifier | Meaning::ServerFingerprint => {
            return None;
        }
    };
    let shape = match column.kind {
        ColumnKind::Text => Shape::One,
        ColumnKind::TextList => Shape::List,
        _ => return None,
    };
    let value = match seen {
        // A proxy is asked for the whole URL.
        Seen::Url => "CASE WHEN strpos(uri, '://') > 0 THEN uri ELSE concat(host, uri) END".into(),
        _ => format!("\"{}\"", column.name),
    };
    Some(Source { table: table.name, column: column.name, value, seen, shape })
}
