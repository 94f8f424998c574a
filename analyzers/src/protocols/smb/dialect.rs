//! Which SMB a flow speaks. MS-SMB2 2.2.4 (DialectRevision), MS-CIFS 2.2.4.52 (dialect strings).

use super::transaction::{Chosen, Family};
use crate::text::Text;

/// "Some SMB 2, negotiate again": the answer to SMB 1's negotiate. It is no dialect yet.
const WILDCARD: u16 = 0x02ff;

/// A negotiated dialect.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dialect {
    /// As a row says it.
    pub(super) name: Text,
    /// Whether it is SMB 3.
    version: &'static str,
}

impl Dialect {
    /// The dialect that a response chose, from the request's list where it has one.
    pub(super) fn chosen(chosen: Chosen, offered: &[Text]) -> Option<Self> {
        match chosen {
            Chosen::Revision(WILDCARD) => None,
            Chosen::Revision(revision) => Some(Self {
                name: revision_name(revision),
                version: if revision < 0x0300 { "2" } else { "3" },
            }),
            Chosen::Place(place) => {
                let name =
                    offered.get(usize::from(place)).filter(|name| !name.as_bytes().is_empty());
                name.map(|name| Self { name: name.clone(), version: "1" })
            }
        }
    }
}

/// The `version` of a row.
pub(super) fn version(family: Family, dialect: Option<&Dialect>) -> &'static str {
    match (family, dialect) {
        (Family::Smb1, _) => "1",
        (Family::Smb2, Some(Dialect { version: "3", .. })) => "3",
        (Family::Smb2, _) => "2",
    }
}

fn revision_name(revision: u16) -> Text {
    Text::Word(match revision {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0311 => "3.1.1",
        _ => return Text::from(format!("{revision:#06x}")),
    })
}
