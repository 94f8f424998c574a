//! What an SMB 1 client and server never do, unless one of them is after the other's memory.
//!
//! In: every message of a flow, in order. Out: weirds. All messages of a transaction carry the same
//! process, multiplex, tree and user id, its secondaries are of its own family, and only a client
//! makes up multiplex ids (MS-CIFS 2.2.1.6, 3.2.4.1.5, 3.3.4.1). The leaked exploits of 2017 and
//! the implant that they leave break one of these rules each; what merely looks like them does not.

use super::{Block, Header, code};
use crate::emitter::{Detail, Emitter};
use crate::limits::{SMB_EARLY, SMB_SKEW, SMB1_ANSWERED, SMB1_EXCHANGES, SMB1_TRANSACTIONS};
use crate::malformed::Malformed;
use crate::protocol::StreamStart;
use crate::protocols::smb::status;
use crate::protocols::smb::table::{Bounds, Table, Weighed};
use crate::reader::Reader;
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// Multiplex ids that the implant answers with: the one that it was asked by, 65, and 16 more, then
/// a code for what came of it.
const IMPLANT_ANSWERS: std::ops::RangeInclusive<u16> = 81..=83;

/// A server that breaks a lock speaks first, and under this multiplex id (MS-CIFS 2.2.4.32.1).
const OPLOCK_BREAK: u16 = 0xffff;

/// The families of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Transaction,
    Transaction2,
    NtTransact,
}

/// Whether a message begins a transaction or goes on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Primary,
    Secondary,
}

/// A transaction, as its messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Id {
    /// Process and multiplex id.
    exchange: u64,
    tree: u16,
    user: u16,
}

/// A transaction whose parameters or data are not all sent.
#[derive(Debug)]
struct Open {
    family: Family,
    /// Bytes that its secondaries still owe.
    missing: u64,
    rename: Rename,
    /// How often it was begun: a server turns away the second of two under the same ids.
    begun: u32,
}

/// Whether a transaction is `NT_TRANSACT_RENAME`, and whether the server asked for the rest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rename {
    No,
    Unanswered,
    Answered,
}

impl Weighed for Open {
    fn text_bytes(&self) -> usize {
        0
    }
}

/// The command of a request.
impl Weighed for u16 {
    fn text_bytes(&self) -> usize {
        0
    }
}

/// Whether every request of the flow was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Whole,
    /// The flow began before the capture, a gap swallowed requests, or too many were open.
    Partial,
}

/// An answer to nothing that was asked, until the capture is given time to show the request after
/// all.
#[derive(Debug)]
struct Unasked {
    time: Timestamp,
    exchange: u64,
    weird: Weird,
}

/// What is remembered of a flow's messages.
#[derive(Debug)]
pub(in crate::protocols::smb) struct Invariants {
    sight: Sight,
    transactions: Table<Id, Open>,
    /// Requests without an answer.
    waiting: Table<u64, u16>,
    /// Requests with one: long answers come in several messages.
    answered: Table<u64, u16>,
    early: Vec<Unasked>,
}

impl Invariants {
    /// For a flow that begins so; boxed, since SMB 2 has no use for it.
    pub(in crate::protocols::smb) fn of(start: StreamStart) -> Box<Self> {
        const fn bounds(entries: usize) -> Bounds {
            Bounds { entries, text_bytes: 0 }
        }
        let sight = match start {
            StreamStart::Beginning => Sight::Whole,
            StreamStart::Midstream => Sight::Partial,
        };
        Box::new(Self {
            sight,
            transactions: Table::new(bounds(SMB1_TRANSACTIONS)),
            waiting: Table::new(bounds(SMB1_EXCHANGES)),
            answered: Table::new(bounds(SMB1_ANSWERED)),
            early: Vec::new(),
        })
    }

    /// Bytes are missing, and with them perhaps requests.
    pub(in crate::protocols::smb) const fn lost_sight(&mut self) {
        self.sight = Sight::Partial;
    }

    /// Takes one block of a request.
    pub(in crate::protocols::smb) fn request(
        &mut self,
        header: &Header,
        block: &Block<'_>,
        time: Timestamp,
        emitter: &mut Emitter,
    ) {
        let exchange = header.message;
        self.early
            .retain(|answer| answer.exchange != exchange || time.since(answer.time) > SMB_SKEW);
        self.tell_early(Some(time), emitter);
        let command = block.command.code;
        self.waiting.insert(exchange, command);
        while self.waiting.overflow().is_some() {
            self.sight = Sight::Partial;
            emitter.weird_with(time, Weird::SmbTableFull, "exchanges".into());
        }
        let id = Id { exchange, tree: header.tree, user: header.user };
        match transaction(command) {
            Some((family, Place::Primary)) => self.begins(id, family, block, time, emitter),
            Some((family, Place::Secondary)) => self.goes_on(id, family, block, time, emitter),
            None if command == code::WRITE_ANDX && self.transactions.get(&id).is_some() => {
                emitter.weird(time, Weird::Smb1WriteInTransaction);
            }
            None if is_unused(command) => {
                let detail = Text::from(format!("command 0x{command:02x}"));
                emitter.weird_with(time, Weird::Smb1UnusedCommand, Detail::Text(detail));
            }
            None => {}
        }
    }

    fn begins(
        &mut self,
        id: Id,
        family: Family,
        block: &Block<'_>,
        time: Timestamp,
        emitter: &mut Emitter,
    ) {
        let Ok(Beginning { missing, function }) = beginning(family, block.words) else { return };
        let mut rename = Rename::No;
        match (family, function) {
            (Family::Transaction2, Some(function)) if is_unused_trans2(function) => {
                let detail = Text::from(format!("TRANSACTION2 0x{function:04x}"));
                emitter.weird_with(time, Weird::Smb1UnusedSubcommand, Detail::Text(detail));
            }
            (Family::NtTransact, Some(nt_function::RENAME)) => {
                rename = Rename::Unanswered;
                emitter.weird(time, Weird::Smb1NtRenameTransaction);
            }
            (Family::NtTransact, Some(function)) if !nt_function::DEFINED.contains(&function) => {
                let detail = Text::from(format!("NT_TRANSACT 0x{function:04x}"));
                emitter.weird_with(time, Weird::Smb1UnusedNtFunction, Detail::Text(detail));
            }
            _ => {}
        }
        if let Some(open) = self.transactions.get_mut(&id) {
            open.begun = open.begun.saturating_add(1);
            return;
        }
        if missing == 0 && rename == Rename::No {
            return;
        }
        self.transactions.insert(id, Open { family, missing, rename, begun: 1 });
        while self.transactions.overflow().is_some() {
            emitter.weird_with(time, Weird::SmbTableFull, "transactions".into());
        }
    }

    fn goes_on(
        &mut self,
        id: Id,
        family: Family,
        block: &Block<'_>,
        time: Timestamp,
        emitter: &mut Emitter,
    ) {
        let Some(open) = self.transactions.get_mut(&id) else { return };
        if open.family != family {
            let detail = match (open.family, family) {
                (Family::NtTransact, Family::Transaction2) => "TRANSACTION2 in NT_TRANSACT",
                (Family::NtTransact, _) => "TRANSACTION in NT_TRANSACT",
                (Family::Transaction2, Family::NtTransact) => "NT_TRANSACT in TRANSACTION2",
                (Family::Transaction2, _) => "TRANSACTION in TRANSACTION2",
                (Family::Transaction, Family::NtTransact) => "NT_TRANSACT in TRANSACTION",
                (Family::Transaction, _) => "TRANSACTION2 in TRANSACTION",
            };
            emitter.weird_with(time, Weird::Smb1SecondaryOfOtherTransaction, detail.into());
        }
        if open.rename == Rename::Unanswered {
            emitter.weird(time, Weird::Smb1NtRenameSecondary);
        }
        let sent = secondary_bytes(family, block.words).unwrap_or_default();
        open.missing = open.missing.saturating_sub(sent);
        if open.missing == 0 {
            self.transactions.remove(&id);
        }
    }

    /// Takes the first block of a response.
    pub(in crate::protocols::smb) fn response(
        &mut self,
        header: &Header,
        block: &Block<'_>,
        time: Timestamp,
        emitter: &mut Emitter,
    ) {
        self.tell_early(Some(time), emitter);
        let exchange = header.message;
        let command = block.command.code;
        let id = Id { exchange, tree: header.tree, user: header.user };
        // An empty success is the interim answer to a transaction: send the rest (2.2.4.33.2).
        let interim = transaction(command).is_some()
            && header.status == status::SUCCESS
            && block.words_count == 0;
        if let Some(open) = self.transactions.get_mut(&id) {
            if !interim {
                open.begun = open.begun.saturating_sub(1);
            } else if open.rename == Rename::Unanswered {
                open.rename = Rename::Answered;
            }
            if open.begun == 0 {
                self.transactions.remove(&id);
            }
        }
        if let Some(asked) = self.waiting.remove(&exchange) {
            self.answered.insert(exchange, asked);
            while self.answered.overflow().is_some() {}
        } else if self.answered.get(&exchange).is_none()
            && let Some(weird) = self.unasked(header, command)
        {
            self.early.push(Unasked { time, exchange, weird });
            if self.early.len() > SMB_EARLY {
                let oldest = self.early.remove(0);
                emitter.weird(oldest.time, oldest.weird);
            }
        }
    }

    /// What an answer to nothing means, where enough was seen to say so.
    fn unasked(&self, header: &Header, command: u16) -> Option<Weird> {
        let multiplex = header.multiplex();
        if command == code::LOCKING_ANDX && multiplex == OPLOCK_BREAK {
            return None;
        }
        let of_process = |exchange: &u64| exchange >> 16 == header.message >> 16;
        let as_implant = command == code::TRANSACTION2 && IMPLANT_ANSWERS.contains(&multiplex);
        match self.sight {
            // The capture may hold the server's side alone.
            Sight::Whole if self.waiting.is_empty() && self.answered.is_empty() => None,
            Sight::Whole if as_implant => Some(Weird::Smb1ImplantAnswer),
            Sight::Whole => Some(Weird::Smb1UnaskedMultiplexId),
            // The implant leaves the transaction that it was asked by without an answer.
            Sight::Partial => (as_implant
                && self
                    .waiting
                    .any(|exchange, asked| of_process(exchange) && *asked == code::TRANSACTION2))
            .then_some(Weird::Smb1ImplantAnswer),
        }
    }

    /// Tells of the answers whose request does not come any more; at the end of the flow, of all.
    fn tell_early(&mut self, now: Option<Timestamp>, emitter: &mut Emitter) {
        let waits = |answer: &Unasked| now.is_some_and(|now| now.since(answer.time) <= SMB_SKEW);
        while let Some(answer) = self.early.first()
            && !waits(answer)
        {
            emitter.weird(answer.time, answer.weird);
            self.early.remove(0);
        }
    }

    /// The flow is over.
    pub(in crate::protocols::smb) fn finish(&mut self, emitter: &mut Emitter) {
        self.tell_early(None, emitter);
    }
}

const fn transaction(command: u16) -> Option<(Family, Place)> {
    Some(match command {
        code::TRANSACTION => (Family::Transaction, Place::Primary),
        code::TRANSACTION_SECONDARY => (Family::Transaction, Place::Secondary),
        code::TRANSACTION2 => (Family::Transaction2, Place::Primary),
        code::TRANSACTION2_SECONDARY => (Family::Transaction2, Place::Secondary),
        code::NT_TRANSACT => (Family::NtTransact, Place::Primary),
        code::NT_TRANSACT_SECONDARY => (Family::NtTransact, Place::Secondary),
        _ => return None,
    })
}

/// What a transaction's first message says of the whole.
struct Beginning {
    /// Bytes of parameters and data that it announces and does not bring.
    missing: u64,
    /// The sub-command or function; `None` where the words end before it.
    function: Option<u16>,
}

/// MS-CIFS 2.2.4.33.1, 2.2.4.46.1, 2.2.4.62.1.
fn beginning(family: Family, mut r: Reader<'_>) -> Result<Beginning, Malformed> {
    let (total, here) = if family == Family::NtTransact {
        r.skip(1 + 2, "maximum setup count, reserved")?;
        let total = wide_pair(&mut r, "totals")?;
        r.skip(4 + 4, "maximum counts")?;
        let parameters = u64::from(r.u32_le("parameter count")?);
        r.skip(4, "parameter offset")?;
        let data = u64::from(r.u32_le("data count")?);
        r.skip(4 + 1, "data offset, setup count")?;
        (total, parameters.saturating_add(data))
    } else {
        let total = pair(&mut r, "totals")?;
        r.skip(2 + 2 + 1 + 1 + 2 + 4 + 2, "maximum counts, flags, time-out")?;
        let parameters = u64::from(r.u16_le("parameter count")?);
        r.skip(2, "parameter offset")?;
        let data = u64::from(r.u16_le("data count")?);
        r.skip(2 + 1 + 1, "data offset, setup count")?;
        (total, parameters.saturating_add(data))
    };
    Ok(Beginning { missing: total.saturating_sub(here), function: r.u16_le("function").ok() })
}

/// Bytes that a secondary brings: MS-CIFS 2.2.4.34.1, 2.2.4.47.1, 2.2.4.63.1.
fn secondary_bytes(family: Family, mut r: Reader<'_>) -> Result<u64, Malformed> {
    let (parameters, data) = if family == Family::NtTransact {
        r.skip(3 + 4 + 4, "reserved, totals")?;
        let parameters = r.u32_le("parameter count")?;
        r.skip(4 + 4, "parameter offset, displacement")?;
        (parameters, r.u32_le("data count")?)
    } else {
        r.skip(2 + 2, "totals")?;
        let parameters = r.u16_le("parameter count")?;
        r.skip(2 + 2, "parameter offset, displacement")?;
        (u32::from(parameters), u32::from(r.u16_le("data count")?))
    };
    Ok(u64::from(parameters).saturating_add(u64::from(data)))
}

fn pair(r: &mut Reader<'_>, field: &'static str) -> Result<u64, Malformed> {
    Ok(u64::from(r.u16_le(field)?).saturating_add(u64::from(r.u16_le(field)?)))
}

fn wide_pair(r: &mut Reader<'_>, field: &'static str) -> Result<u64, Malformed> {
    Ok(u64::from(r.u32_le(field)?).saturating_add(u64::from(r.u32_le(field)?)))
}

/// Functions of `NT_TRANSACT` (MS-CIFS 2.2.2.2, MS-SMB 2.2.7).
mod nt_function {
    /// Defined, and carried out by no server.
    pub(super) const RENAME: u16 = 5;
    pub(super) const DEFINED: std::ops::RangeInclusive<u16> = 1..=8;
}

/// Sub-commands of `TRANSACTION2` that are reserved and carried out by no server (MS-CIFS 2.2.2.2):
/// FSCTL, IOCTL2, SESSION_SETUP, REPORT_DFS_INCONSISTENCY, and those without a name.
const fn is_unused_trans2(subcommand: u16) -> bool {
    matches!(subcommand, 0x09 | 0x0a | 0x0e | 0x0f | 0x11..)
}

/// Commands that MS-CIFS 2.2.2.1 marks as unused or as reserved and carried out by no server.
const fn is_unused(command: u16) -> bool {
    matches!(
        command,
        0x15..=0x19
            | 0x21
            | 0x28
            | 0x30
            | 0x31
            | 0x35..=0x5f
            | 0x76..=0x7d
            | 0x7f
            | 0x85..=0x9f
            | 0xa3
            | 0xa6..=0xbf
            | 0xc4..=0xcf
            | 0xd8..=0xfd
    )
}
