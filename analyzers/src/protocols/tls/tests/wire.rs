//! Bytes for the tests: hellos, messages, envelopes and flights as programs send them, and a stream
//! that shows them to an analyzer as the contract says.

use crate::direction::{Direction, PerDirection};
use crate::emitter::{Emission, Emitter};
use crate::flow_id::{Endpoint, Transport};
use crate::protocol::{
    Analyzer, Chunk, FileHashing, Finish, FinishReason, FlowContext, Gap, Protocol, Step,
    StreamStart,
};
use crate::record::{Record, Row, Value};
use crate::time::Timestamp;
use crate::weird::Weird;

/// The ClientHello of RFC 9001 appendix A.2, as a handshake message.
pub(crate) const RFC_9001_HELLO: &str = "
    010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000
    c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c70
    6e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994
    ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c000240010039003204
    08ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ff
    ff";

/// A self-signed certificate of ours: CN=Lynx.example, O=\"Serval, Ltd\", C=CN, two DNS names.
pub(crate) const CERTIFICATE: &str = "
    308201b63082015ca003020102020408bb00ee300a06082a8648ce3d040302303a310b30090603550406130243
    4e31143012060355040a0c0b53657276616c2c204c74643115301306035504030c0c4c796e782e6578616d706c
    65301e170d3236313132323131323132345a170d3336313131393131323132345a303a310b3009060355040613
    02434e31143012060355040a0c0b53657276616c2c204c74643115301306035504030c0c4c796e782e6578616d
    706c653059301306072a8648ce3d020106082a8648ce3d03010703420004f4a5af4e70c05b567890491e5dc4d0
    7a8cc56642256818162e17b61e10f94300178391f018784af1d23e9b85c19d140a8360e9c4a0c8aa2817b59595
    8ce5aa90a350304e302d0603551d1104263024820c4c796e782e4578616d706c65820e2a2e6c796e782e657861
    6d706c658704c0000201301d0603551d0e04160414ab0bdbe57fa65d774ae3bbcbd9afdc5cf53f54dc300a0608
    2a8648ce3d0403020348003045022040b7a3969a7b9b89167c00ad7f463820c63dfd63b07769def1bb047f4eee
    ed3d022100880aadde7ba87c76d1986fd8e3ece8addc5a893642d56fa6ca83150682bc2783";

/// Bytes from hexadecimal digits, white space aside.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// A list with its length in two bytes before it.
pub(crate) fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

/// 16-bit numbers one after the other.
pub(crate) fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

/// One extension.
pub(crate) fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    [numbers(&[number]), sized(body)].concat()
}

/// A `server_name` extension.
pub(crate) fn server_name(name: &str) -> Vec<u8> {
    extension(0, &sized(&[&[0][..], &sized(name.as_bytes())].concat()))
}

/// An ALPN extension.
pub(crate) fn protocols(names: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> =
        names.iter().flat_map(|name| [&[name.len() as u8][..], name].concat()).collect();
    extension(16, &sized(&list))
}

/// A ClientHello message of `version`.
pub(crate) fn client_hello(version: u16, ciphers: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    message(1, &client_body(version, &[], ciphers, extensions))
}

/// A ClientHello's body; `cookie` stands behind the session id, with its length, in DTLS.
pub(crate) fn client_body(
    version: u16,
    cookie: &[u8],
    ciphers: &[u16],
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let session_id = [&[32][..], &[0x51; 32]].concat();
    let head = [numbers(&[version]), vec![0xab; 32], session_id, cookie.to_vec()].concat();
    let lists = [sized(&numbers(ciphers)), vec![1, 0], sized(&extensions.concat())].concat();
    [head, lists].concat()
}

/// What a server says to be asked again (RFC 8446 §4.1.3).
pub(crate) const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello message.
pub(crate) fn server_hello(
    version: u16,
    random: [u8; 32],
    session_id: &[u8],
    cipher: u16,
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let head = [&numbers(&[version])[..], &random, &[session_id.len() as u8], session_id].concat();
    let tail = [&numbers(&[cipher])[..], &[0], &sized(&extensions.concat())].concat();
    message(2, &[head, tail].concat())
}

/// A Certificate message with these certificates.
pub(crate) fn certificates(list: &[&[u8]]) -> Vec<u8> {
    let sized_24 = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat();
    let list: Vec<u8> = list.iter().flat_map(|der| sized_24(der)).collect();
    message(11, &sized_24(&list))
}

/// One envelope of TLS.
pub(crate) fn envelope(content: u8, body: &[u8]) -> Vec<u8> {
    [&[content, 3, 1][..], &sized(body)].concat()
}

/// Something that nobody here can read.
pub(crate) const SECRET: [u8; 40] = [0xee; 40];

/// What an end of a TLS 1.2 connection sends to finish.
pub(crate) fn finish_12() -> Vec<u8> {
    [envelope(20, &[1]), envelope(22, &SECRET)].concat()
}

/// The client's hello of [`full_12`] and [`abbreviated_12`].
pub(crate) fn hello_12() -> Vec<u8> {
    let extensions = [server_name("Lynx.Example"), protocols(&[b"h2", b"http/1.1"])];
    client_hello(0x0303, &[0x0a0a, 0xc02f, 0x009c], &extensions)
}

/// A whole handshake of TLS 1.2 with application data behind it.
pub(crate) fn full_12() -> Vec<(Direction, Vec<u8>)> {
    let der = unhex(CERTIFICATE);
    let server = [
        server_hello(0x0303, [7; 32], &[0x77; 32], 0xc02f, &[protocols(&[b"h2"])]),
        certificates(&[&der, &der]),
        message(12, &[1; 300]),
        message(14, &[]),
    ];
    vec![
        (Direction::SrcToDst, envelope(22, &hello_12())),
        (Direction::DstToSrc, envelope(22, &server.concat())),
        (Direction::SrcToDst, [envelope(22, &message(16, &[4; 66])), finish_12()].concat()),
        (Direction::DstToSrc, finish_12()),
        (Direction::SrcToDst, envelope(23, &SECRET)),
    ]
}

/// A session that is resumed with TLS 1.2.
pub(crate) fn abbreviated_12() -> Vec<(Direction, Vec<u8>)> {
    let server = server_hello(0x0303, [7; 32], &[0x51; 32], 0xc02f, &[]);
    vec![
        (Direction::SrcToDst, envelope(22, &hello_12())),
        (Direction::DstToSrc, [envelope(22, &server), finish_12()].concat()),
        (Direction::SrcToDst, finish_12()),
    ]
}

/// A handshake of TLS 1.3 in which the server asks for another key share first.
pub(crate) fn retried_13() -> Vec<(Direction, Vec<u8>)> {
    let chosen = extension(43, &[3, 4]);
    let ask = server_hello(0x0303, RETRY, &[0x51; 32], 0x1301, std::slice::from_ref(&chosen));
    let server = server_hello(0x0303, [7; 32], &[0x51; 32], 0x1301, &[chosen]);
    let hello = unhex(RFC_9001_HELLO);
    vec![
        (Direction::SrcToDst, envelope(22, &hello)),
        (Direction::DstToSrc, [envelope(22, &ask), envelope(20, &[1])].concat()),
        (Direction::SrcToDst, [envelope(20, &[1]), envelope(22, &hello)].concat()),
        (Direction::DstToSrc, [envelope(22, &server), envelope(23, &SECRET)].concat()),
        (Direction::SrcToDst, envelope(23, &SECRET)),
    ]
}

/// What an analyzer said: rows as text, by column, and weirds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) rows: Vec<Vec<(&'static str, String)>>,
    pub(crate) weirds: Vec<Weird>,
    pub(crate) is_done: bool,
}

impl Said {
    /// The value of a column in the only row; `None` where it is null.
    pub(crate) fn value(&self, column: &str) -> Option<&str> {
        assert_eq!(self.rows.len(), 1, "{self:?}");
        self.rows[0].iter().find(|(name, _)| *name == column).map(|(_, value)| value.as_str())
    }
}

/// Takes what was said out of an emitter.
pub(crate) fn said(emitter: &mut Emitter) -> Said {
    let mut said = Said::default();
    for emission in emitter.drain() {
        match emission {
            Emission::Weird { weird, .. } => said.weirds.push(weird),
            Emission::Record { ts, record } => {
                let mut row = vec![("ts", ts.nanos().to_string())];
                row.extend(cells(record.as_ref()));
                said.rows.push(row);
            }
        }
    }
    said
}

fn cells(record: &dyn Record) -> Vec<(&'static str, String)> {
    struct Words(Vec<Option<String>>);
    impl Row for Words {
        fn put(&mut self, value: Value<'_>) {
            self.0.push(match value {
                Value::Null => None,
                Value::Text(text) => Some(text.escaped().into_owned()),
                Value::Str(text) => Some(text.to_owned()),
                Value::Bool(value) => Some(value.to_string()),
                Value::I32(value) => Some(value.to_string()),
                Value::StatedTime(time) => Some(time.micros().to_string()),
                Value::TextList(list) => {
                    Some(list.iter().map(|text| text.escaped()).collect::<Vec<_>>().join(" "))
                }
                other => panic!("no column has {other:?}"),
            });
        }
    }
    let mut words = Words(Vec::new());
    record.cells(&mut words);
    let columns = record.table().columns.iter().map(|column| column.name);
    columns.zip(words.0).filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A flow as analyzers are told of it.
pub(crate) fn flow(transport: Transport) -> FlowContext {
    let end = |port| Endpoint { ip: std::net::Ipv4Addr::LOCALHOST.into(), port };
    FlowContext {
        src: end(50_000),
        dst: end(443),
        transport,
        start: StreamStart::Beginning,
        hashing: FileHashing::Off,
    }
}

/// The flow's stream: keeps what is not consumed and counts the time by chunks.
pub(crate) struct Feed {
    analyzer: Box<dyn Analyzer>,
    emitter: Emitter,
    kept: PerDirection<Vec<u8>>,
    needed: PerDirection<usize>,
    clock: i64,
    is_done: bool,
}

impl Feed {
    /// A flow that `protocol` was recognised in.
    pub(crate) fn new(protocol: &Protocol, transport: Transport) -> Self {
        let make = protocol.analyzer.unwrap();
        Self {
            analyzer: make(&flow(transport)),
            emitter: Emitter::default(),
            kept: PerDirection::default(),
            needed: PerDirection::default(),
            clock: 0,
            is_done: false,
        }
    }

    /// Bytes of a stream.
    pub(crate) fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        self.clock += 1;
        let kept = self.kept.of_mut(direction);
        kept.extend_from_slice(bytes);
        if self.is_done || kept.is_empty() || kept.len() < *self.needed.of(direction) {
            return;
        }
        let shown = std::mem::take(kept);
        let taken = match self.show(direction, &shown) {
            Step::Consumed(taken) => taken,
            Step::NeedMore { at_least } => {
                assert!(at_least > shown.len(), "an honest need");
                *self.needed.of_mut(direction) = at_least;
                *self.kept.of_mut(direction) = shown;
                return;
            }
            Step::Done | Step::NotMine => {
                self.is_done = true;
                return;
            }
            Step::HandOff { .. } => panic!("TLS hands nothing off"),
        };
        *self.needed.of_mut(direction) = 0;
        *self.kept.of_mut(direction) = shown[taken..].to_vec();
    }

    /// A datagram.
    pub(crate) fn datagram(&mut self, direction: Direction, bytes: &[u8]) {
        self.clock += 1;
        if !self.is_done {
            self.is_done = self.show(direction, bytes) == Step::Done;
        }
    }

    fn show(&mut self, direction: Direction, bytes: &[u8]) -> Step {
        let time = Timestamp::from_nanos(self.clock);
        let chunk = Chunk { direction, time, bytes, wire_bytes: bytes.len() };
        self.analyzer.data(&chunk, &mut self.emitter)
    }

    /// Bytes that the capture lost.
    pub(crate) fn gap(&mut self, direction: Direction, missing: u64) {
        if self.is_done {
            return;
        }
        let rest = std::mem::take(self.kept.of_mut(direction));
        *self.needed.of_mut(direction) = 0;
        let time = Timestamp::from_nanos(self.clock);
        let gap = Gap { direction, time, missing, rest: &rest };
        self.analyzer.gap(&gap, &mut self.emitter);
    }

    /// The end of the flow, and everything that was said.
    pub(crate) fn finish(mut self) -> Said {
        if !self.is_done {
            let finish = Finish {
                reason: FinishReason::Fin,
                time: Timestamp::from_nanos(self.clock),
                rest: PerDirection { src: &self.kept.src, dst: &self.kept.dst },
                payload_bytes: PerDirection::default(),
            };
            self.analyzer.finish(&finish, &mut self.emitter);
        }
        Said { is_done: self.is_done, ..said(&mut self.emitter) }
    }
}
