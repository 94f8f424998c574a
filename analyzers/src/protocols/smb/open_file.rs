//! An open file or pipe, and what was read from and written to it.

use super::dcerpc::Call;
use super::status;
use super::table::{Weighed, weight};
use super::transaction::{AtClose, Envelope, Family};
use crate::limits::SMB_RPC_CONTEXTS;
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
    /// How long it is; `None` when that is not known, or its contents cannot be told any more.
    pub(super) size: Option<u64>,
    /// The DCE/RPC interfaces bound over it, by the ids of their contexts; the newest is the last.
    pub(super) contexts: Vec<(u16, Text)>,
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
            size: None,
            contexts: Vec::new(),
            reads: None,
            writes: None,
        }
    }

    /// The DCE/RPC interface that was bound last.
    pub(super) fn service(&self) -> Option<&Text> {
        self.contexts.last().map(|(_, interface)| interface)
    }

    /// Takes note of what was said to the program behind a pipe: of the interfaces that a bind
    /// names; of the one that a request calls.
    pub(super) fn hear(&mut self, call: Option<&Call>) {
        // It is a pipe, even where its tree was not seen: what passes there is no file.
        if call.is_some() {
            self.size = None;
        }
        match call {
            Some(Call::Bind(contexts)) => {
                for (id, interface) in contexts {
                    self.contexts.retain(|(known, _)| known != id);
                    self.contexts.push((*id, interface.clone()));
                }
                let spare = self.contexts.len().saturating_sub(SMB_RPC_CONTEXTS);
                self.contexts.drain(..spare);
            }
            Some(Call::Request { context, .. }) => {
                if let Some(at) = self.contexts.iter().position(|(known, _)| known == context) {
                    let called = self.contexts.remove(at);
                    self.contexts.push(called);
                }
            }
            None => {}
        }
    }
}

impl Weighed for OpenFile {
    fn text_bytes(&self) -> usize {
        let interfaces = self.contexts.iter().map(|(_, interface)| weight(Some(interface)));
        interfaces.fold(weight(self.path.as_ref()), usize::saturating_add)
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
