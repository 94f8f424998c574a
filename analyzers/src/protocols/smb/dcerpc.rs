//! DCE/RPC over a pipe: which interfaces a bind asks for, and which operation a request calls.
//!
//! In: the first bytes of what is written to a pipe. Out: a [`Call`]. C706 12.6.4.3 (`bind`),
//! 12.6.4.1 (`alter_context`), 12.6.4.9 (`request`); MS-RPCE 2.2.2.13.

use super::table::{Weighed, weight};
use crate::limits::SMB_RPC_CONTEXTS;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// Bytes of a write that are looked at: the fixed part of a bind and its first two contexts.
pub(super) const BIND_BYTES: usize = 128;

const REQUEST: u8 = 0;
const BIND: u8 = 11;
const ALTER_CONTEXT: u8 = 14;

/// Flag of a request's first fragment: the others say nothing new.
const FIRST_FRAGMENT: u8 = 1;

/// The sender's byte order, in the high nibble of its data representation.
const LITTLE_ENDIAN: u8 = 0x10;

/// Interfaces with a name of their own, by UUID.
const INTERFACES: &[(&str, &str)] = &[
    ("12345678-1234-abcd-ef00-0123456789ab", "spoolss"),
    ("12345678-1234-abcd-ef00-01234567cffb", "netlogon"),
    ("12345778-1234-abcd-ef00-0123456789ab", "lsarpc"),
    ("12345778-1234-abcd-ef00-0123456789ac", "samr"),
    ("17fdd703-1827-4e34-79d4-24a55c53bb37", "msgsvc"),
    ("1ff70682-0a51-30e8-076d-740be8cee98b", "atsvc"),
    ("300f3532-38cc-11d0-a3f0-0020af6b0add", "trkwks"),
    ("338cd001-2244-31f1-aaaa-900038001003", "winreg"),
    ("367abb81-9844-35f1-ad32-98f038001003", "svcctl"),
    ("378e52b0-c0a9-11cf-822d-00aa0051e40f", "sasec"),
    ("3919286a-b10c-11d0-9ba8-00c04fd92ef5", "dssetup"),
    ("4b324fc8-1670-01d3-1278-5a47bf6ee188", "srvsvc"),
    ("4fc742e0-4a10-11cf-8273-00aa004ae673", "netdfs"),
    ("6bffd098-a112-3610-9833-012892020162", "browser"),
    ("6bffd098-a112-3610-9833-46c3f87e345a", "wkssvc"),
    ("76f03f96-cdfd-44fc-a22c-64950a001209", "iremotewinspool"),
    ("82273fdc-e32a-18c3-3f78-827929dc23ea", "eventlog"),
    ("86d35949-83c9-4740-b424-db363231fd0c", "itaskschedulerservice"),
    ("894de0c0-0d55-11d3-a322-00c04fa321a1", "initshutdown"),
    ("8d9f4e40-a03d-11ce-8f69-08003e30051b", "ntsvcs"),
    ("99fcfec4-5260-101b-bbcb-00aa0021347a", "iobjectexporter"),
    ("a8e0653c-2744-4389-a61d-7373df8b2292", "fssagentrpc"),
    ("afa8bd80-7d8a-11c9-bef4-08002b102989", "mgmt"),
    ("c681d488-d850-11d0-8c52-00c04fd90f7e", "efsrpc"),
    ("ccd8c074-d0e5-4a40-92b4-d074faa6ba28", "witness"),
    ("e1af8308-5d1f-11c9-91a4-08002b14a0fa", "epmapper"),
    ("e3514235-4b06-11d1-ab04-00c04fc2dcd2", "drsuapi"),
    ("f5cc59b4-4264-101a-8c59-08002b2f8426", "frsrpc"),
];

/// What is said to the program behind a pipe.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    /// The interfaces that are bound, by the ids of their contexts.
    Bind(Vec<(u16, Text)>),
    /// An operation of the interface that is bound as `context`.
    Request {
        /// Id of the context.
        context: u16,
        /// Number of the operation.
        opnum: u16,
    },
}

impl Weighed for Call {
    fn text_bytes(&self) -> usize {
        match self {
            Self::Bind(contexts) => contexts.iter().map(|(_, name)| weight(Some(name))).sum(),
            Self::Request { .. } => 0,
        }
    }
}

/// The call that begins with `data`; `None` when this is none, or more of an earlier one.
pub(super) fn call(data: &[u8]) -> Option<Call> {
    read(&mut Reader::new(data)).ok().flatten()
}

/// Integers in the sender's byte order.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, r: &mut Reader<'_>, field: &'static str) -> Result<u16, Malformed> {
        match self {
            Self::Little => r.u16_le(field),
            Self::Big => r.u16(field),
        }
    }

    fn u32(self, r: &mut Reader<'_>, field: &'static str) -> Result<u32, Malformed> {
        match self {
            Self::Little => r.u32_le(field),
            Self::Big => r.u32(field),
        }
    }
}

fn read(r: &mut Reader<'_>) -> Result<Option<Call>, Malformed> {
    let [major, minor, kind, flags] = r.array("version, type, flags")?;
    let [representation, ..] = r.array::<4>("data representation")?;
    let order = if representation & 0xf0 == LITTLE_ENDIAN { Order::Little } else { Order::Big };
    if major != 5 || minor > 1 {
        return Ok(None);
    }
    r.skip(8, "fragment length, authentication length, call")?;
    match kind {
        BIND | ALTER_CONTEXT => bind(r, order),
        REQUEST if flags & FIRST_FRAGMENT != 0 => {
            r.skip(4, "allocation hint")?;
            let context = order.u16(r, "context")?;
            Ok(Some(Call::Request { context, opnum: order.u16(r, "operation")? }))
        }
        _ => Ok(None),
    }
}

/// Reads as many contexts as are there: the first is what matters, and more are often cut.
fn bind(r: &mut Reader<'_>, order: Order) -> Result<Option<Call>, Malformed> {
    r.skip(8, "fragment sizes, association group")?;
    let count = usize::from(r.u8("context count")?);
    r.skip(3, "reserved")?;
    let mut contexts: Vec<(u16, Text)> = Vec::new();
    for _ in 0..count.min(SMB_RPC_CONTEXTS) {
        match context(r, order) {
            Ok(context) => contexts.push(context),
            Err(malformed) if contexts.is_empty() => return Err(malformed),
            Err(_) => break,
        }
    }
    // The same interface stands there once for each transfer syntax that is offered.
    contexts.reverse();
    Ok((!contexts.is_empty()).then_some(Call::Bind(contexts)))
}

fn context(r: &mut Reader<'_>, order: Order) -> Result<(u16, Text), Malformed> {
    let id = order.u16(r, "context id")?;
    let syntaxes = usize::from(r.u8("transfer syntax count")?);
    r.skip(1, "reserved")?;
    let low = order.u32(r, "interface")?;
    let mid = order.u16(r, "interface")?;
    let high = order.u16(r, "interface")?;
    let [i, j, k, l, m, n, o, p] = r.array("interface")?;
    let uuid = format!(
        "{low:08x}-{mid:04x}-{high:04x}-{i:02x}{j:02x}-{k:02x}{l:02x}{m:02x}{n:02x}{o:02x}{p:02x}"
    );
    r.sub_lax(syntaxes.saturating_mul(20).saturating_add(4));
    let named = INTERFACES.iter().find(|(known, _)| *known == uuid);
    Ok((id, named.map_or_else(|| Text::from(uuid), |(_, name)| Text::Word(name))))
}
