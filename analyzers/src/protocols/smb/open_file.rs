//! An open file or pipe, and what was read from and written to it.

use super::status;
use super::table::{Weighed, weight};
use super::transaction::{AtClose, Envelope, Family};
use crate::text::Text;
use crate::time::Timestamp;

/// An open file or pipe.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) family: Family,
    pub(super) session: u64,
    pub(super) tree: u32,
    /// The message that opened it, by which the rest of its compound names it.
    pub(super) opened_by: Option<u64>,
    /// `None` when its opening was not seen, and for the share's root.
    pub(super) path: Option<Text>,
    pub(super) at_close: AtClose,
    /// The DCE/RPC interface bound over it.
    pub(super) service: Option<Text>,
    pub(super) reads: Option<Sum>,
    pub(super) writes: Option<Sum>,
}

impl OpenFile {
    /// A file met by `envelope`, its opening unseen.
    pub(super) const fn unseen(envelope: &Envelope) -> Self {
        Self {
            family: envelope.command.family,
            session: envelope.session,
            tree: envelope.tree,
            opened_by: Some(envelope.message),
            path: None,
            at_close: AtClose::Keep,
            service: None,
            reads: None,
            writes: None,
        }
    }

    /// Takes note of an interface, where a message bound one.
    pub(super) fn bind(&mut self, service: Option<Text>) {
        if service.is_some() {
            self.service = service;
        }
    }
}

impl Weighed for OpenFile {
    fn text_bytes(&self) -> usize {
        weight(self.path.as_ref()).saturating_add(weight(self.service.as_ref()))
    }
}

/// The sum of a file's reads or of its writes.
#[derive(Debug)]
pub(super) struct Sum {
    /// Packet time of the first one.
    pub(super) first: Timestamp,
    /// Whether any of them was signed.
    pub(super) signed: bool,
    /// Success when any succeeded, else the last failure; `None` when none was answered.
    pub(super) status: Option<u32>,
    /// Bytes of all; `None` when no message told.
    pub(super) bytes: Option<u64>,
}

impl Sum {
    /// Adds one read or write to `sum`.
    pub(super) fn add(
        sum: &mut Option<Self>,
        envelope: &Envelope,
        status: Option<u32>,
        bytes: Option<u64>,
    ) {
        let sum = sum.get_or_insert(Self {
            first: envelope.time,
            signed: false,
            status: None,
            bytes: None,
        });
        sum.signed |= envelope.signed;
        if !sum.status.is_some_and(status::is_success) {
            sum.status = status.or(sum.status);
        }
        if let Some(bytes) = bytes {
            sum.bytes = Some(sum.bytes.unwrap_or_default().saturating_add(bytes));
        }
    }
}
