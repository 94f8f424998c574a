//! DCE/RPC over a pipe: which interface a bind asks for.
//!
//! In: the first bytes of what is written to a pipe. Out: the interface's name, or its UUID.
//! C706 12.6.4.3 (`bind`), 12.6.4.1 (`alter_context`); MS-RPCE 2.2.2.13.

use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// Bytes of a write that are looked at: the fixed part of a bind and its first context, with room.
pub(super) const BIND_BYTES: usize = 128;

const BIND: u8 = 11;
const ALTER_CONTEXT: u8 = 14;

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

/// The interface that the first context of a bind names; `None` when this is no bind.
pub(super) fn bound_interface(data: &[u8]) -> Option<Text> {
    bind(&mut Reader::new(data)).ok().flatten()
}

fn bind(r: &mut Reader<'_>) -> Result<Option<Text>, Malformed> {
    let [major, minor, kind, _flags] = r.array("version, type, flags")?;
    let [representation, ..] = r.array::<4>("data representation")?;
    if major != 5 || minor > 1 || !matches!(kind, BIND | ALTER_CONTEXT) {
        return Ok(None);
    }
    r.skip(8, "fragment length, authentication length, call")?;
    r.skip(8, "fragment sizes, association group")?;
    if r.u8("context count")? == 0 {
        return Ok(None);
    }
    r.skip(3, "reserved")?;
    r.skip(4, "context, transfer syntaxes")?;
    let [a, b, c, d, e, f, g, h, node @ ..] = r.array::<16>("interface")?;
    // The first three fields follow the sender's byte order, which the high nibble tells.
    let (low, mid, high) = if representation & 0xf0 == 0x10 {
        (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]))
    } else {
        (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]), u16::from_be_bytes([g, h]))
    };
    let [i, j, k, l, m, n, o, p] = node;
    let uuid = format!(
        "{low:08x}-{mid:04x}-{high:04x}-{i:02x}{j:02x}-{k:02x}{l:02x}{m:02x}{n:02x}{o:02x}{p:02x}"
    );
    let named = INTERFACES.iter().find(|(known, _)| *known == uuid);
    Ok(Some(named.map_or_else(|| Text::from(uuid), |(_, name)| Text::Word(name))))
}
