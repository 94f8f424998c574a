//! The user data of T.124 §8.7 in the connect messages: blocks in which client and server describe
//! themselves (MS-RDPBCGR §2.2.1.3.1 to §2.2.1.3.4, §2.2.1.4.1 to §2.2.1.4.4).
//!
//! In: the user data of a T.125 connect message, possibly cut. Out: what the blocks say, as far as
//! they can be read, and the first thing that could not.

use crate::limits::RDP_CHANNELS;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// Block types.
const CLIENT_CORE: u16 = 0xc001;
const CLIENT_NETWORK: u16 = 0xc003;
const SERVER_SECURITY: u16 = 0x0c02;

/// Bytes of a block's header, which its length counts.
const BLOCK_HEADER_BYTES: u16 = 4;

/// Bytes of a channel's name.
const CHANNEL_NAME_BYTES: usize = 8;

/// Keys that stand before the blocks of a client and of a server.
const CLIENT_KEY: &[u8] = b"Duca";
const SERVER_KEY: &[u8] = b"McDn";

/// How deep in the user data a key may stand: behind the conference's name and node, whose packed
/// encoding differs between programs.
const KEY_DEPTH_BYTES: usize = 64;

/// What a client says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientData {
    /// Width of its screen in pixels.
    pub(super) desktop_width: Option<u16>,
    /// Height of its screen in pixels.
    pub(super) desktop_height: Option<u16>,
    /// Its keyboard layout's identifier.
    pub(super) keyboard_layout: Option<u32>,
    /// Its build number.
    pub(super) build: Option<u32>,
    /// Its computer's name.
    pub(super) name: Option<Text>,
    /// Its product identifier.
    pub(super) product_id: Option<Text>,
    /// The static virtual channels it asks for.
    pub(super) channels: Option<Vec<Text>>,
    /// What could not be read.
    pub(super) malformed: Option<Malformed>,
}

impl ClientData {
    /// Reads the user data of a client's connect message.
    pub(super) fn read(user_data: &[u8]) -> Self {
        let mut client = Self::default();
        client.malformed = each_block(user_data, CLIENT_KEY, |kind, block| match kind {
            CLIENT_CORE => client.core(block),
            CLIENT_NETWORK => client.network(block),
            _ => Ok(()),
        })
        .err();
        client
    }

    fn core(&mut self, mut r: Reader<'_>) -> Result<(), Malformed> {
        r.skip(4, "client version")?;
        self.desktop_width = Some(r.u16_le("desktop width")?);
        self.desktop_height = Some(r.u16_le("desktop height")?);
        r.skip(4, "colour depth and access sequence")?;
        self.keyboard_layout = Some(r.u32_le("keyboard layout")?);
        self.build = Some(r.u32_le("client build")?);
        self.name = utf16(r.take(32, "client name")?);
        r.skip(12, "keyboard type")?;
        r.skip(64, "input method file name")?;
        // Each version of the protocol added fields behind these; a client may stop after any.
        let tail = r.skip(14, "colours, product, serial number, early capabilities");
        if tail.is_ok() {
            self.product_id = r.take(64, "product identifier").ok().and_then(utf16);
        }
        Ok(())
    }

    fn network(&mut self, mut r: Reader<'_>) -> Result<(), Malformed> {
        let count = usize::try_from(r.u32_le("channel count")?).unwrap_or(usize::MAX);
        let channels = self.channels.insert(Vec::new());
        for _ in 0..count.min(RDP_CHANNELS) {
            let name = r.take(CHANNEL_NAME_BYTES, "channel name")?;
            r.skip(4, "channel options")?;
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            if !name.is_empty() {
                channels.push(Text::wire(name));
            }
        }
        if count > RDP_CHANNELS {
            return Err(Malformed::limit("channel count", 0));
        }
        Ok(())
    }
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerData {
    /// The cipher of standard RDP security.
    pub(super) encryption_method: Option<u32>,
    /// How much of the traffic it covers.
    pub(super) encryption_level: Option<u32>,
    /// What could not be read.
    pub(super) malformed: Option<Malformed>,
}

impl ServerData {
    /// Reads the user data of a server's connect message.
    pub(super) fn read(user_data: &[u8]) -> Self {
        let mut server = Self::default();
        server.malformed = each_block(user_data, SERVER_KEY, |kind, mut r| {
            if kind == SERVER_SECURITY {
                server.encryption_method = Some(r.u32_le("encryption method")?);
                server.encryption_level = Some(r.u32_le("encryption level")?);
            }
            Ok(())
        })
        .err();
        server
    }

    /// The cipher's name (MS-RDPBCGR §2.2.1.4.3), else its hex number.
    pub(super) fn method_name(method: u32) -> Text {
        Text::Word(match method {
            0x00 => "none",
            0x01 => "40bit",
            0x02 => "128bit",
            0x08 => "56bit",
            0x10 => "fips",
            other => return Text::from(format!("0x{other:x}")),
        })
    }

    /// The level's name (MS-RDPBCGR §2.2.1.4.3), else its number.
    pub(super) fn level_name(level: u32) -> Text {
        Text::Word(match level {
            0 => "none",
            1 => "low",
            2 => "client_compatible",
            3 => "high",
            4 => "fips",
            other => return Text::from(other.to_string()),
        })
    }
}

/// Whether user data is that of an RDP client or server, as far as can be seen.
pub(super) fn has_key(user_data: &[u8]) -> bool {
    key_end(user_data, CLIENT_KEY).is_some() || key_end(user_data, SERVER_KEY).is_some()
}

fn key_end(user_data: &[u8], key: &[u8]) -> Option<usize> {
    let head = user_data.get(..user_data.len().min(KEY_DEPTH_BYTES))?;
    memchr::memmem::find(head, key)?.checked_add(key.len())
}

/// Shows each block behind `key`, without its header. One that cannot be read does not hide the
/// next; the first error is told.
fn each_block(
    user_data: &[u8],
    key: &'static [u8],
    mut read: impl FnMut(u16, Reader<'_>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut r = Reader::new(user_data);
    let missing = Malformed::bad_value("conference key", 0);
    r.seek(key_end(user_data, key).ok_or(missing)?, "conference key")?;
    let first_length_byte = r.u8("user data length")?;
    if first_length_byte & 0x80 != 0 {
        r.skip(1, "user data length")?;
    }
    let mut outcome = Ok(());
    while !r.is_empty() {
        let kind = r.u16_le("block type")?;
        let offset = r.offset();
        let length = r.u16_le("block length")?;
        let Some(length) = length.checked_sub(BLOCK_HEADER_BYTES).map(usize::from) else {
            return outcome.and(Err(Malformed::bad_length("block length", offset)));
        };
        let cut = length > r.remaining();
        let read = read(kind, r.sub_lax(length));
        outcome = outcome.and(read);
        if cut {
            return outcome.and(Err(Malformed::bad_length("block length", offset)));
        }
    }
    outcome
}

/// A name in a field of UTF-16LE, up to its first NUL; `None` when empty. A lone surrogate keeps
/// the three bytes of generalised UTF-8, which sinks escape like any other odd byte.
fn utf16(field: &[u8]) -> Option<Text> {
    let mut r = Reader::new(field);
    let units = std::iter::from_fn(|| r.u16_le("unit").ok().filter(|&unit| unit != 0));
    let mut name = Vec::with_capacity(field.len());
    for c in char::decode_utf16(units) {
        match c {
            Ok(c) => name.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let [high, low] = lone.unpaired_surrogate().to_be_bytes();
                let middle = 0x80 | ((high & 0x0f) << 2) | (low >> 6);
                name.extend_from_slice(&[0xe0 | (high >> 4), middle, 0x80 | (low & 0x3f)]);
            }
        }
    }
    (!name.is_empty()).then(|| Text::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conference header as Windows writes it, key, packed length, blocks.
    fn conference(key: &[u8], blocks: &[u8]) -> Vec<u8> {
        let header = b"\x00\x05\x00\x14\x7c\x00\x01\x81\x2a\x00\x08\x00\x10\x00\x01\xc0\x00";
        let length = u16::try_from(blocks.len()).unwrap() | 0x8000;
        [header, key, &length.to_be_bytes(), blocks].concat()
    }

    fn block(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap() + 4;
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
    }

    fn channels(count: usize) -> Vec<u8> {
        let mut body = u32::try_from(count).unwrap().to_le_bytes().to_vec();
        for _ in 0..count {
            body.extend_from_slice(b"rdpdr\0xx\0\0\x80\x80");
        }
        block(CLIENT_NETWORK, &body)
    }

    fn core(name: &[u16]) -> Vec<u8> {
        let mut body = vec![4, 0, 8, 0, 0, 5, 0, 4, 1, 0xca, 3, 0xaa, 9, 4, 0, 0, 0x28, 0x0a, 0, 0];
        body.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        body.resize(20 + 32 + 12 + 64, 0);
        body
    }

    #[test]
    fn a_client_of_the_oldest_kind_has_no_product_identifier() {
        let name: Vec<_> = "PC-7".encode_utf16().collect();
        let client = ClientData::read(&conference(b"Duca", &block(CLIENT_CORE, &core(&name))));
        assert_eq!(client.malformed, None);
        assert_eq!(client.name.unwrap().escaped(), "PC-7");
        assert_eq!((client.desktop_width, client.desktop_height), (Some(1280), Some(1024)));
        assert_eq!((client.keyboard_layout, client.build), (Some(0x409), Some(2600)));
        assert_eq!(client.product_id, None);
    }

    #[test]
    fn the_tail_may_stop_after_any_field() {
        let mut body = core(&[]);
        body.extend_from_slice(&[0; 14]);
        body.extend("55274-OEM".encode_utf16().flat_map(u16::to_le_bytes));
        body.resize(128 + 14 + 64, 0);
        let end_of_product_id = body.len();
        body.extend_from_slice(&[0, 0]);
        for len in 128..=body.len() {
            let data = conference(b"Duca", &block(CLIENT_CORE, &body[..len]));
            let client = ClientData::read(&data);
            assert_eq!((client.malformed, client.name), (None, None));
            assert_eq!(client.product_id.is_some(), len >= end_of_product_id);
        }
    }

    #[test]
    fn channels_are_kept_up_to_their_bound() {
        for (count, kept, whole) in [(0, 0, true), (31, 31, true), (32, 31, false)] {
            let client = ClientData::read(&conference(b"Duca", &channels(count)));
            let names = client.channels.unwrap();
            assert_eq!((names.len(), client.malformed.is_none()), (kept, whole));
            assert!(names.iter().all(|name| name.escaped() == "rdpdr"));
        }
    }

    #[test]
    fn a_block_that_cannot_be_read_does_not_hide_the_next() {
        let blocks = [block(CLIENT_CORE, &[4, 0]), channels(1)].concat();
        let client = ClientData::read(&conference(b"Duca", &blocks));
        assert_eq!(client.malformed.unwrap().field, "client version");
        assert_eq!(client.channels.unwrap().len(), 1);
    }

    #[test]
    fn contradicting_lengths_are_told_and_what_is_there_is_read() {
        let whole = conference(b"Duca", &channels(2));
        for (missing, kept) in [(1, 1), (12, 1), (13, 0), (24, 0)] {
            let client = ClientData::read(&whole[..whole.len() - missing]);
            assert_eq!(client.channels.map(|names| names.len()), Some(kept), "{missing}");
            assert!(client.malformed.is_some());
        }
        for length in 0..4 {
            let client = ClientData::read(&conference(b"Duca", &[3, 0xc0, length, 0, 1, 0, 0, 0]));
            assert_eq!(client.malformed.unwrap().field, "block length");
        }
        assert_eq!(ClientData::read(b"no key").malformed.unwrap().field, "conference key");
        assert_eq!(ClientData::read(b"Duca").malformed.unwrap().field, "user data length");
    }

    #[test]
    fn a_server_tells_its_encryption() {
        let security = block(SERVER_SECURITY, &[2, 0, 0, 0, 3, 0, 0, 0]);
        let blocks = [block(0x0c01, &[4, 0, 8, 0]), security].concat();
        let server = ServerData::read(&conference(b"McDn", &blocks));
        assert_eq!((server.encryption_method, server.encryption_level), (Some(2), Some(3)));
        assert_eq!(server.malformed, None);
        assert_eq!(ServerData::method_name(2), Text::Word("128bit"));
        assert_eq!(ServerData::level_name(3), Text::Word("high"));
        assert_eq!(ServerData::method_name(4).escaped(), "0x4");
        assert_eq!(ServerData::level_name(5).escaped(), "5");
    }

    #[test]
    fn names_end_at_a_nul_and_keep_lone_surrogates() {
        for (units, expected) in [
            (&[][..], None),
            (&[0, 0x41], None),
            (&[0x41, 0, 0x42], Some("A")),
            (&[0x72ee], Some("狮")),
            (&[0xd83e, 0xdd81], Some("🦁")),
            (&[0xd83e, 0x41], Some("\\xed\\xa0\\xbeA")),
        ] {
            let field: Vec<_> = units.iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
            let name = utf16(&field).map(|name| name.escaped().into_owned());
            assert_eq!(name.as_deref(), expected);
        }
        assert_eq!(utf16(b"A\0B").unwrap().escaped(), "A");
    }

    #[test]
    fn the_key_is_looked_for_near_the_beginning_only() {
        for (before, found) in [(0, true), (60, true), (61, false)] {
            let data = [&vec![0; before][..], b"Duca"].concat();
            assert_eq!(has_key(&data), found, "{before}");
        }
        assert!(has_key(b"McDn") && !has_key(b"MCDN"));
    }
}
