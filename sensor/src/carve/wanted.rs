//! Which flows are wanted, and which of them were found.
//!
//! In: uids and Community IDs as text; flows as they are opened. Out: whether a packet's flow is
//! wanted. The table grows with the flows that are found, which the user named.

use std::collections::HashMap;
use std::fmt;

use analyzers::{FlowId, Timestamp, Uid};
use data_encoding::BASE64;

use crate::flow::community_id::community_id;

/// Bytes of the hash in a Community ID.
const COMMUNITY_BYTES: usize = 20;

/// The names that were given.
#[derive(Debug)]
pub(super) struct Wanted {
    names: Vec<Name>,
    flows: HashMap<Uid, Found>,
    /// Uids of those in the order in which they were opened.
    opened: Vec<Uid>,
}

/// A name of flows.
#[derive(Debug)]
struct Name {
    text: String,
    kind: NameKind,
    was_found: bool,
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameKind {
    /// Of one flow.
    Uid,
    /// Of all flows between the same ends.
    CommunityId,
}

/// A flow that is wanted.
#[derive(Debug)]
pub(super) struct Found {
    flow: FlowId,
    packets: u64,
    span: Option<(Timestamp, Timestamp)>,
}

impl Wanted {
    /// Reads names.
    ///
    /// # Errors
    /// One is neither a uid nor a Community ID.
    pub(super) fn parse(names: &[String]) -> Result<Self, String> {
        let mut wanted = Self { names: Vec::new(), flows: HashMap::new(), opened: Vec::new() };
        for text in names.iter().map(|name| name.trim()) {
            let kind = kind(text).ok_or_else(|| {
                format!(
                    "{text:?} names no flow: a uid is C and sixteen letters or digits, a \
                     Community ID 1: and 28 digits of Base64; copy it from a row or an alert"
                )
            })?;
            if wanted.names.iter().all(|name| name.text != text) {
                wanted.names.push(Name { text: text.to_owned(), kind, was_found: false });
            }
        }
        Ok(wanted)
    }

    /// A flow was opened.
    pub(super) fn opened(&mut self, flow: &FlowId) {
        let uid = flow.uid.text();
        let mut community = None;
        let mut is_wanted = false;
        for name in &mut self.names {
            let is_it = match name.kind {
                NameKind::Uid => name.text.as_bytes() == uid,
                NameKind::CommunityId => {
                    let ends = || community_id(flow.src, flow.dst, flow.transport);
                    *community.get_or_insert_with(ends) == name.text
                }
            };
            name.was_found |= is_it;
            is_wanted |= is_it;
        }
        if is_wanted {
            self.opened.push(flow.uid);
            self.flows.insert(flow.uid, Found { flow: *flow, packets: 0, span: None });
        }
    }

    /// The flow of that uid, if it is wanted.
    pub(super) fn flow(&mut self, uid: Uid) -> Option<&mut Found> {
        self.flows.get_mut(&uid)
    }

    /// The flows that were found, in order.
    pub(super) fn found(&self) -> Vec<&Found> {
        self.opened.iter().filter_map(|uid| self.flows.get(uid)).collect()
    }

    /// The names that no flow had.
    pub(super) fn missing(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter(|name| !name.was_found).map(|name| name.text.as_str())
    }
}

fn kind(text: &str) -> Option<NameKind> {
    if let Some(digits) = text.strip_prefix('C') {
        let is_uid = text.len() == Uid::default().text().len()
            && digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
        return is_uid.then_some(NameKind::Uid);
    }
    let hash = BASE64.decode(text.strip_prefix("1:")?.as_bytes()).ok()?;
    (hash.len() == COMMUNITY_BYTES).then_some(NameKind::CommunityId)
}

impl Found {
    /// Counts packets, of which the last came at `time`.
    pub(super) fn note(&mut self, time: Timestamp, packets: u64) {
        self.packets += packets;
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlowId { uid, src, dst, transport } = self.flow;
        let (from, to) = self.span.unwrap_or_default();
        let [from, to] = [from, to]
            .map(|time| jiff::Timestamp::from_microsecond(time.micros()).unwrap_or_default());
        write!(
            f,
            "{uid}  {transport}  {} {} → {} {}  {} packets  {from:.6} to {to:.6}",
            src.ip, src.port, dst.ip, dst.port, self.packets
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_everything_else_is_refused() {
        for (text, expected) in [
            ("CPnbDGRBwnR5LaTHk", Some(NameKind::Uid)),
            ("1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Some(NameKind::CommunityId)),
            ("", None),
            ("C", None),
            ("CPnbDGRBwnR5LaTH", None),
            ("CPnbDGRBwnR5LaTHk1", None),
            ("CPnbDGRBwnR5LaTH-", None),
            ("cPnbDGRBwnR5LaTHk", None),
            ("1:", None),
            ("1:LQU9qZlK+B5F3KDmev6m5PMibrg", None),
            ("2:LQU9qZlK+B5F3KDmev6m5PMibrg=", None),
            ("1:LQU9qZlK+B5F3KDmev6m5PMi", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(kind(text), expected, "{text:?}");
        }
    }
}
