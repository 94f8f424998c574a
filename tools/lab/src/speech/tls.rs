//! TLS 1.3 as it is seen from outside (RFC 8446): hellos in the clear, then records of noise.
//!
//! A client is known by the lists in its hello, which stay the same for one program: its JA4.

use std::time::Duration;

use super::noise;
use crate::dice::Dice;
use crate::talk::Talk;

/// A program that speaks TLS: what its hello lists.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Cipher suites.
    pub ciphers: &'static [u16],
    /// Extensions in their order, without the server's name, which stands first.
    pub extensions: &'static [u16],
    /// What it would speak inside.
    pub alpn: &'static [&'static str],
    /// Signature algorithms.
    pub signatures: &'static [u16],
}

/// A browser.
pub const BROWSER: Client = Client {
    ciphers: &[
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
        0x009c, 0x009d, 0x002f, 0x0035,
    ],
    extensions: &[23, 0xff01, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27],
    alpn: &["h2", "http/1.1"],
    signatures: &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
};

/// Another browser.
pub const OTHER_BROWSER: Client = Client {
    ciphers: &[
        0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009,
        0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
    ],
    extensions: &[23, 0xff01, 10, 11, 35, 16, 5, 34, 51, 43, 13, 45, 28],
    alpn: &["h2", "http/1.1"],
    signatures: &[0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601],
};

/// Windows' own library, which updates and agents use, and whatever an implant calls.
pub const SYSTEM: Client = Client {
    ciphers: &[
        0x1302, 0x1301, 0xc02c, 0xc02b, 0xc030, 0xc02f, 0xc024, 0xc023, 0xc028, 0xc027, 0xc00a,
        0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f,
    ],
    extensions: &[5, 10, 11, 13, 35, 23, 0xff01, 43, 45, 51],
    alpn: &[],
    signatures: &[0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0201, 0x0403, 0x0503, 0x0203],
};

/// Programs in Go: many agents, and many implants.
pub const GO: Client = Client {
    ciphers: &[
        0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x1301,
        0x1302, 0x1303,
    ],
    extensions: &[11, 0xff01, 23, 18, 5, 10, 13, 16, 43, 51],
    alpn: &["h2", "http/1.1"],
    signatures: &[0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503],
};

/// OpenSSL by way of curl, Python and devices.
pub const OPENSSL: Client = Client {
    ciphers: &[
        0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc02b, 0xc02f, 0xc024, 0xc028,
        0xc023, 0xc027, 0x00ff,
    ],
    extensions: &[11, 10, 35, 22, 23, 13, 43, 45, 51],
    alpn: &[],
    signatures: &[0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0401],
};

fn sized_8(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).expect("a short list")][..], bytes].concat()
}

fn sized_16(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("a short list").to_be_bytes()[..], bytes].concat()
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().to_vec(), sized_16(body)].concat()
}

/// A record of some content.
#[must_use]
pub fn record(content: u8, version: u16, body: &[u8]) -> Vec<u8> {
    [&[content][..], &version.to_be_bytes(), &sized_16(body)].concat()
}

/// Application data: `length` bytes that nobody can read, in as many records as they need.
#[must_use]
pub fn data(mut length: usize) -> Vec<u8> {
    /// Encrypted bytes of a record.
    const MOST: usize = 16_384 + 17;
    let mut bytes = Vec::with_capacity(length + 5);
    loop {
        let part = length.clamp(17, MOST);
        bytes.extend(record(23, 0x0303, &noise(part)));
        length = length.saturating_sub(part);
        if length == 0 {
            return bytes;
        }
    }
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short message").to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

impl Client {
    /// Its hello to a server of that name.
    #[must_use]
    pub fn hello(&self, name: Option<&str>, dice: &mut Dice) -> Vec<u8> {
        let mut extensions = Vec::with_capacity(256);
        if let Some(name) = name {
            let entry = [&[0][..], &sized_16(name.as_bytes())].concat();
            extensions.extend(extension(0, &sized_16(&entry)));
        }
        for &number in self.extensions {
            extensions.extend(extension(number, &self.extension_body(number, dice)));
        }
        let mut body = vec![3, 3];
        body.extend(dice.token(32));
        body.extend(sized_8(&dice.token(32)));
        body.extend(sized_16(&numbers(self.ciphers)));
        body.extend([1, 0]);
        body.extend(sized_16(&extensions));
        record(22, 0x0301, &handshake(1, &body))
    }

    fn extension_body(&self, number: u16, dice: &mut Dice) -> Vec<u8> {
        const X25519: u16 = 29;
        match number {
            5 => vec![1, 0, 0, 0, 0],
            10 => sized_16(&numbers(&[X25519, 23, 24])),
            11 => vec![1, 0],
            13 => sized_16(&numbers(self.signatures)),
            16 => {
                let names = self.alpn.iter().flat_map(|name| sized_8(name.as_bytes()));
                sized_16(&names.collect::<Vec<_>>())
            }
            27 => vec![2, 0, 2],
            28 => vec![0x40, 0x01],
            34 => sized_16(&numbers(&[0x0403, 0x0503, 0x0603])),
            43 => sized_8(&numbers(&[0x0304, 0x0303])),
            45 => vec![1, 1],
            51 => {
                let share = [X25519.to_be_bytes().to_vec(), sized_16(&dice.token(32))].concat();
                sized_16(&share)
            }
            0xff01 => vec![0],
            _ => Vec::new(),
        }
    }
}

/// What a server of TLS 1.3 answers to a hello: its own, then what is encrypted already.
#[must_use]
pub fn server_flight(encrypted: usize, dice: &mut Dice) -> Vec<u8> {
    let share = [29u16.to_be_bytes().to_vec(), sized_16(&dice.token(32))].concat();
    let extensions = [extension(43, &[3, 4]), extension(51, &share)].concat();
    let mut body = vec![3, 3];
    body.extend(dice.token(32));
    body.extend(sized_8(&dice.token(32)));
    body.extend([0x13, 0x01, 0]);
    body.extend(sized_16(&extensions));
    [
        record(22, 0x0303, &handshake(2, &body)),
        record(20, 0x0303, &[1]),
        record(23, 0x0303, &noise(encrypted)),
    ]
    .concat()
}

/// What a client sends to finish.
#[must_use]
pub fn client_finish() -> Vec<u8> {
    [record(20, 0x0303, &[1]), record(23, 0x0303, &noise(53))].concat()
}

/// One request over TLS: its size, that of the answer and how long the server thinks.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// Bytes of the request, encrypted.
    pub request: usize,
    /// Bytes of the answer, encrypted.
    pub answer: usize,
    /// Between them, beside the round trip.
    pub thinking: Duration,
}

/// Puts a handshake and one request into a conversation.
#[must_use]
pub fn request(
    talk: Talk,
    client: &Client,
    name: Option<&str>,
    exchange: Exchange,
    dice: &mut Dice,
) -> Talk {
    let soon = Duration::from_micros(400);
    let asked = [client_finish(), data(exchange.request)].concat();
    talk.asks(soon, client.hello(name, dice))
        .answers(soon, server_flight(900, dice))
        .asks(soon, asked)
        .answers(exchange.thinking, data(exchange.answer))
}
