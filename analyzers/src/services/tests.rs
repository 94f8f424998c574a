//! Each service's true first bytes and false ones, and the first bytes of the recorded captures.

mod upgrades;

use crate::direction::Direction;
use crate::flow_id::{Endpoint, Transport};
use crate::protocol::{FlowContext, Probe, Protocol, StreamStart, Verdict};
use crate::protocols;
use std::net::{IpAddr, Ipv4Addr};

const ODD_PORT: u16 = 47_111;

pub(super) fn flow(transport: Transport, src_port: u16, dst_port: u16) -> FlowContext {
    let end = |last, port| Endpoint { ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), port };
    FlowContext {
        src: end(1, src_port),
        dst: end(2, dst_port),
        transport,
        start: StreamStart::Beginning,
        hashing: crate::protocol::FileHashing::Off,
    }
}

/// The first protocol that is certain, those asked first whose port the flow uses.
fn ask(flow: &FlowContext, bytes: &[u8]) -> Option<&'static Protocol> {
    let usual = |protocol: &&Protocol| protocol.ports.iter().any(|port| flow.has_port(*port));
    let all = || protocols::ALL.iter().copied().filter(|p| p.transports.contains(&flow.transport));
    let probe = Probe { flow, direction: Direction::SrcToDst, bytes };
    all()
        .filter(usual)
        .chain(all().filter(|protocol| !usual(protocol)))
        .find(|protocol| (protocol.probe)(&probe) == Verdict::Certain)
}

/// What bytes are taken for: a datagram whole, a stream as it arrives, byte after byte.
fn recognise(flow: &FlowContext, bytes: &[u8]) -> Option<&'static str> {
    let shortest = if flow.transport == Transport::TCP { 1 } else { bytes.len() };
    (shortest..=bytes.len()).find_map(|len| ask(flow, &bytes[..len])).map(|found| found.name)
}

fn check(transport: Transport, cases: &[(&str, u16, &[u8])]) {
    for (name, port, bytes) in cases {
        let wanted = Some(*name).filter(|name| !name.is_empty());
        let flow = flow(transport, 50_000, *port);
        assert_eq!(recognise(&flow, bytes), wanted, "{port} {}", bytes.escape_ascii());
        // What a whole segment shows must not differ from what its bytes show one by one.
        if transport == Transport::TCP
            && let Some(found) = ask(&flow, bytes)
        {
            assert_eq!(Some(found.name), wanted, "whole: {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn text_services_are_named_by_their_words() {
    check(
        Transport::TCP,
        &[
            ("ssh", ODD_PORT, b"SSH-2.0-OpenSSH_9.2p1\r\n"),
            ("ssh", ODD_PORT, b"SSH-1.99-x\r\n"),
            ("", 22, b"SSH is great\r\n"),
            ("smtp", ODD_PORT, b"220 mail.example.test ESMTP Postfix\r\n"),
            ("smtp", ODD_PORT, b"220 mail.example.test\r\n250-SIZE\r\n"),
            ("smtp", 25, b"220 mail.example.test\r\n"),
            ("smtp", ODD_PORT, b"ehlo me\r\n"),
            ("smtp", ODD_PORT, b"MAIL FROM:<a@example.test>\r\n"),
            ("", ODD_PORT, b"220 mail.example.test\r\n"),
            ("ftp", ODD_PORT, b"220 (vsFTPd 3.0.3)\r\n"),
            ("ftp", ODD_PORT, b"220-hello\r\n220 there\r\n331 Password?\r\n"),
            ("ftp", 21, b"220 hello\r\n"),
            ("ftp", ODD_PORT, b"USER anna\r\nPASS x\r\nSYST\r\n"),
            ("ftp", 21, b"USER anna\r\n"),
            ("", ODD_PORT, b"USER anna\r\n"),
            ("smtp", 21, b"220 ftp.example.test ESMTP\r\n"),
            ("pop3", ODD_PORT, b"+OK POP3 ready\r\n"),
            ("pop3", ODD_PORT, b"+OK ready\r\n-ERR what\r\n"),
            ("pop3", 110, b"+OK ready\r\n"),
            ("pop3", ODD_PORT, b"CAPA\r\n"),
            ("", ODD_PORT, b"+OK ready\r\n"),
            ("imap", ODD_PORT, b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
            ("imap", ODD_PORT, b"a1 LOGIN anna x\r\n"),
            ("imap", 143, b"* OK ready\r\n"),
            ("", ODD_PORT, b"* OK ready\r\n"),
            ("", 143, b"a1 b2 c3\r\n"),
            ("nntp", ODD_PORT, b"200 news.example.test InterNetNews NNRP server ready\r\n"),
            ("nntp", 119, b"200 hello\r\n"),
            ("", ODD_PORT, b"200 hello\r\n"),
            ("irc", ODD_PORT, b":irc.example.test NOTICE * :*** Looking up\r\n"),
            ("irc", ODD_PORT, b"USER a b c :A B\r\n"),
            ("irc", ODD_PORT, b"PASS x\r\nNICK anna\r\n"),
            ("", ODD_PORT, b"USER a b c\r\n"),
            ("", ODD_PORT, b": comment 12 x\r\n"),
            (
                "xmpp",
                ODD_PORT,
                b"<stream:stream to='x' xmlns:stream='http://etherx.jabber.org/streams'>",
            ),
            ("", 5_222, b"<?xml version='1.0'?><soap:Envelope>"),
            ("sip", ODD_PORT, b"OPTIONS sip:a@example.test SIP/2.0\r\n"),
            ("sip", ODD_PORT, b"SIP/2.0 200 OK\r\n"),
            ("", 5_060, b"OPTIONS sip:a@example.test SIP/3.0\r\n"),
            ("rtsp", ODD_PORT, b"DESCRIBE rtsp://example.test/a RTSP/1.0\r\n"),
            ("redis", ODD_PORT, b"*1\r\n$4\r\nPING\r\n"),
            ("redis", ODD_PORT, b"+PONG\r\n"),
            ("redis", 6_379, b"PING\r\n"),
            ("", ODD_PORT, b"*1\r\n:4\r\n"),
            ("", ODD_PORT, b"PING\r\n"),
            ("memcached", ODD_PORT, b"set fruit 0 60 5\r\napple\r\n"),
            ("memcached", ODD_PORT, b"VALUE fruit 0 5\r\n"),
            ("", ODD_PORT, b"set fruit to apple\r\n"),
            ("rsync", ODD_PORT, b"@RSYNCD: 31.0\n"),
            ("git", ODD_PORT, b"0032git-upload-pack /a.git\0host=example.test\0"),
            ("", 9_418, b"0032git-upload-park /a.git\0"),
            ("syslog", ODD_PORT, b"<34>1 2026-01-02T03:04:05Z host app - - - hi\n"),
            ("syslog", ODD_PORT, b"64 <34>Jan  2 03:04:05 host app: hello there\n"),
            ("", 514, b"<192>1 2026-01-02T03:04:05Z host app - - - hi\n"),
            ("", ODD_PORT, b"<34>whatever it is, it is long enough\n"),
            ("zabbix", ODD_PORT, b"ZBXD\x01\x0a\0\0\0\0\0\0\0agent.ping"),
            ("amqp", ODD_PORT, b"AMQP\0\0\x09\x01"),
            ("", 5_672, b"AMQP rules"),
            ("bittorrent", ODD_PORT, b"\x13BitTorrent protocol\0\0\0\0"),
            ("", 6_881, b"\x12BitTorrent protocol\0\0\0\0"),
            ("", ODD_PORT, b"hello world\r\n"),
            ("", ODD_PORT, b""),
        ],
    );
}

#[test]
fn a_line_without_an_end_is_waited_for_up_to_its_limit() {
    let greeting = |bytes: usize| [&b"220 mail ESMTP "[..], &vec![b'a'; bytes - 15]].concat();
    check(
        Transport::TCP,
        &[
            ("", ODD_PORT, &greeting(1_023)),
            ("smtp", ODD_PORT, &greeting(1_024)),
            ("smtp", ODD_PORT, &greeting(1_025)),
        ],
    );
}

#[test]
fn binary_services_are_named_by_their_heads() {
    let mysql_answer = [b"\x20\0\0\x01\x8c\xaa\xbf\0\0\0\0\x01\x21", &[0; 23][..]].concat();
    let connect: &[u8] =
        b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc1\x02\x01\0\xc2\x02\x01\x02\xc0\x01\x0a";
    let nfs: &[u8] = b"\0\x01\x86\xa3\0\0\0\x03";
    let call = [b"\x80\0\0\x28\0\0\0\x01\0\0\0\0\0\0\0\x02", nfs, &[0; 4]].concat();
    check(
        Transport::TCP,
        &[
            ("telnet", ODD_PORT, b"\xff\xfd\x18\xff\xfd\x20"),
            ("telnet", 23, b"\xff\xfd\x25"),
            ("", ODD_PORT, b"\xff\xfd\x25"),
            ("", 23, b"\xff\xfd\xf0"),
            ("rfb", ODD_PORT, b"RFB 003.008\n"),
            ("", 5_900, b"RFB 003.00x\n"),
            ("x11", ODD_PORT, b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\0"),
            ("x11", ODD_PORT, b"B\0\0\x0b\0\0\0\0\0\0\0\0"),
            ("", 6_000, b"l\0\x0c\0\0\0\0\0\0\0\0\0"),
            ("mysql", ODD_PORT, b"\x4a\0\0\0\x0a5.5.5-10.11\0\x01\0\0\0"),
            ("mysql", ODD_PORT, b"\x45\0\0\0\xff\x6a\x04Host 'x' is not allowed"),
            ("mysql", ODD_PORT, &mysql_answer),
            ("", 3_306, b"\x4a\0\0\0\x0aversion\0\x01\0\0\0"),
            ("postgresql", ODD_PORT, b"\0\0\0\x08\x04\xd2\x16\x2f"),
            ("postgresql", ODD_PORT, b"\0\0\0\x3b\0\x03\0\0user\0anna\0"),
            ("postgresql", ODD_PORT, b"R\0\0\0\x0c\0\0\0\x05salt"),
            ("", 5_432, b"\0\0\0\x08\0\xff\0\xff"),
            ("", 5_432, b"R\0\0\0\x0d\0\0\0\x05salt"),
            ("mssql", ODD_PORT, b"\x12\x01\0\x2f\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01"),
            ("", 1_433, b"\x12\x01\0\x2f\0\0\x01\0\0\0\x1b\0\x06\x01\0\x20\0\x01"),
            ("oracle", ODD_PORT, b"\0\xc8\0\0\x01\0\0\0\x01\x39\x01\x2c\0\0"),
            ("", 1_521, b"\0\xc8\0\0\x01\0\0\0\x02\x39\x01\x2c\0\0"),
            ("memcached", ODD_PORT, b"\x80\0\0\x05\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0fruit"),
            (
                "mongodb",
                ODD_PORT,
                b"\x35\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x20\0\0\0\x10",
            ),
            ("mongodb", ODD_PORT, b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0admin.$cmd\0"),
            ("", 27_017, b"\x35\0\0\0\x01\0\0\0\0\0\0\0\xdc\x07\0\0\0\0\0\0\0\x20\0\0\0\x10"),
            ("mqtt", ODD_PORT, b"\x10\x25\0\x04MQTT\x04\xc2"),
            ("mqtt", ODD_PORT, b"\x10\xa5\x01\0\x06MQIsdp\x03"),
            ("mqtt", 1_883, b"\x20\x02\0\0"),
            ("", ODD_PORT, b"\x20\x02\0\0"),
            ("modbus", ODD_PORT, b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x0a"),
            ("modbus", ODD_PORT, b"\0\x01\0\0\0\x03\x01\x83\x02"),
            ("", 502, b"\0\x01\0\x01\0\x06\x01\x03\0\0\0\x0a"),
            ("", ODD_PORT, b"\0\x01\0\0\0\x07\x01\x03\0\0\0\x0a\0"),
            ("dnp3", ODD_PORT, b"\x05\x64\x05\xc0\x01\0\0\x04\xe9\x21"),
            ("", 20_000, b"\x05\x64\x05\xc0\x01\0\0\x04\xe9\x22"),
            ("s7comm", ODD_PORT, &[connect, b"\x03\0\0\x19\x02\xf0\x80\x32\x01"].concat()),
            ("", 102, connect),
            ("dcerpc", ODD_PORT, b"\x05\0\x0b\x03\x10\0\0\0\x48\0\0\0\x01\0\0\0"),
            ("", 135, b"\x05\0\x0b\x03\x10\0\0\0\x0f\0\0\0\x01\0\0\0"),
            ("nfs", ODD_PORT, &call),
            ("ldap", ODD_PORT, b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"),
            ("ldap", ODD_PORT, b"\x30\x84\0\0\0\x2d\x02\x01\x02\x63\x84\0\0\0\x24\x04\0\x0a"),
            ("", 389, b"\x30\x0c\x02\x01\x01\x60\x07\x04\x01\x03\x04\0\x80\0"),
            ("kerberos", ODD_PORT, b"\0\0\0\xb8\x6a\x81\xb5\x30\x81\xb2\xa1\x03\x02\x01\x05\xa2"),
            ("", ODD_PORT, b"\0\0\0\xb8\x6a\x81\xb5\x30\x81\xb2\xa1\x03\x02\x01\x04\xa2"),
            ("stun", ODD_PORT, b"\0\x03\0\x08\x21\x12\xa4\x42abcdefghijkl"),
            ("", 3_478, b"\0\x03\0\x09\x21\x12\xa4\x42abcdefghijkl"),
            ("openvpn", ODD_PORT, b"\0\x0e\x38session!\0\0\0\0\0"),
            ("", 1_194, b"\0\x0e\x38session!\0\0\0\0\x01"),
            ("socks", ODD_PORT, b"\x05\x02\0\x02"),
            ("socks", ODD_PORT, b"\x04\x01\0\x50\x0a\0\0\x01anna\0"),
            ("socks", ODD_PORT, b"\x04\x01\0\x50\0\0\0\x01\0www.example.test\0"),
            ("", 1_080, b"\x05\0\0\0"),
            ("", 1_080, b"\x04\x01\0\0\x0a\0\0\x01anna\0"),
        ],
    );
}

#[test]
fn datagrams_are_named_by_their_heads() {
    let dhcp = |cookie: &[u8]| {
        let mut bytes = vec![0; 240];
        bytes[..4].copy_from_slice(&[1, 1, 6, 0]);
        bytes[236..].copy_from_slice(cookie);
        bytes
    };
    let wireguard = |kind: u8, len: usize| {
        let mut bytes = vec![0x5a; len];
        bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
        bytes
    };
    let ntp = |first: u8, stratum: u8| {
        let mut bytes = vec![0xee; 48];
        bytes[..2].copy_from_slice(&[first, stratum]);
        bytes
    };
    let call = |kind: u8| {
        let mut bytes = vec![4, 0, kind, 0, 0x10, 0, 0];
        bytes.resize(82, 0);
        bytes[74] = 2;
        bytes
    };
    check(
        Transport::UDP,
        &[
            ("ntp", ODD_PORT, &ntp(0x24, 2)),
            ("ntp", 123, &ntp(0x23, 0)),
            ("", ODD_PORT, &ntp(0x23, 0)),
            ("", 123, &ntp(0x24, 17)),
            ("dhcp", ODD_PORT, &dhcp(b"\x63\x82\x53\x63")),
            ("", 67, &dhcp(b"\x63\x82\x53\x64")),
            ("dhcp", 547, b"\x01\xaa\xbb\xcc\0\x01\0\x02\x01\x02\0\x08\0\0"),
            ("", 547, b"\x01\xaa\xbb\xcc\0\x01\0\x03\x01\x02"),
            ("", ODD_PORT, b"\x01\xaa\xbb\xcc\0\x01\0\x02\x01\x02\0\x08\0\0"),
            ("snmp", ODD_PORT, b"\x30\x0d\x02\x01\x01\x04\x06public\xa0\0"),
            ("", 161, b"\x30\x0d\x02\x01\x01\x04\x06public\xb0\0"),
            ("", 161, b"\x30\x0e\x02\x01\x01\x04\x06public\xa0\0"),
            ("syslog", ODD_PORT, b"<13>Jan  2 03:04:05 host app: hi"),
            ("syslog", 514, b"<13>host app: hi"),
            ("", 514, b"<13host app: hi"),
            ("radius", ODD_PORT, b"\x01\x02\0\x1a0123456789abcdef\x01\x03a\x02\x03b"),
            ("", ODD_PORT, b"\x01\x02\0\x1a0123456789abcdef\x01\x03a\x02\x04b"),
            ("", 1_812, b"\x01\x02\0\x1b0123456789abcdef\x01\x03a\x02\x03b"),
            ("ssdp", ODD_PORT, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250\r\n"),
            ("", 1_900, b"M-SEARCH / HTTP/1.1\r\n"),
            ("netbios-dgm", ODD_PORT, b"\x11\x0a\0\x01\x0a\0\0\x01\0\x8a\0\x02\0\0ab"),
            ("", 138, b"\x11\x0a\0\x01\x0a\0\0\x01\0\x8b\0\x02\0\0ab"),
            ("tftp", ODD_PORT, b"\0\x01kernel.img\0octet\0"),
            ("tftp", ODD_PORT, b"\0\x06tsize\0\x32\0"),
            ("tftp", 69, b"\0\x01\0octet\0"),
            ("", 69, b"\0\x01kernel.img\0octal\0"),
            ("", ODD_PORT, b"\0\x01kernel.img\0octet"),
            ("kerberos", ODD_PORT, b"\x7e\x0e\x30\x0c\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e"),
            ("", ODD_PORT, b"\x7e\x0e\x30\x0c\xa1\x03\x02\x01\x05\xa1\x03\x02\x01\x1e"),
            ("ldap", ODD_PORT, b"\x30\x25\x02\x01\x01\x63\x20\x04\0\x0a\x01\0"),
            ("memcached", ODD_PORT, b"\0\x01\0\0\0\x01\0\0get fruit\r\n"),
            ("", 11_211, b"\0\x01\0\0\0\x01\0\x01get fruit\r\n"),
            ("dnp3", ODD_PORT, b"\x05\x64\x05\xc0\x01\0\0\x04\xe9\x21"),
            ("bacnet", ODD_PORT, b"\x81\x0b\0\x08\x01\x20\xff\xff"),
            ("", 47_808, b"\x81\x0b\0\x09\x01\x20\xff\xff"),
            ("coap", 5_683, b"\x40\x01\x12\x34\xb4test"),
            ("", 5_683, b"\x40\x01\x12\x34\xb5test"),
            ("", ODD_PORT, b"\x40\x01\x12\x34\xb4test"),
            ("dcerpc", ODD_PORT, &call(0)),
            ("", 135, &call(0)[..81]),
            (
                "portmap",
                ODD_PORT,
                b"\0\0\0\x01\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02\0\0\0\x03",
            ),
            ("sunrpc", ODD_PORT, b"\0\0\0\x01\0\0\0\0\0\0\0\x02\0\x01\x86\xa5\0\0\0\x02\0\0\0\x03"),
            ("", 111, b"\0\0\0\x01\0\0\0\0\0\0\0\x03\0\x01\x86\xa0\0\0\0\x02\0\0\0\x03"),
            ("sip", ODD_PORT, b"SIP/2.0 100 Trying\r\n"),
            ("stun", ODD_PORT, b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl"),
            ("stun", 3_478, b"\0\x01\0\x04cookabcdefghijkl\0\x03\0\0"),
            ("", ODD_PORT, b"\0\x01\0\0cookabcdefghijkl"),
            (
                "bittorrent-dht",
                ODD_PORT,
                b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
            ),
            ("", 6_881, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:xe"),
            ("wireguard", ODD_PORT, &wireguard(1, 148)),
            ("wireguard", ODD_PORT, &wireguard(2, 92)),
            ("wireguard", 51_820, &wireguard(4, 96)),
            ("", ODD_PORT, &wireguard(4, 96)),
            ("", 51_820, &wireguard(1, 149)),
            ("openvpn", ODD_PORT, b"\x38session!\0\0\0\0\0"),
            (
                "openvpn",
                ODD_PORT,
                &[b"\x38session!", &[9; 20][..], &[0, 0, 0, 1], &[7; 4], &[0; 5]].concat(),
            ),
            ("openvpn", ODD_PORT, &[b"\x50session!\0\0\0\x01", &[9; 41][..]].concat()),
            ("", 1_194, &[b"\x38session!", &[9; 20][..], &[0, 0, 0, 2], &[7; 4], &[0; 5]].concat()),
            ("ike", ODD_PORT, b"initiate\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c"),
            ("ike", 4_500, b"\0\0\0\0initiateresponds\x21\x20\x22\x20\0\0\0\0\0\0\0\x1c"),
            ("", 500, b"initiate\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x1d"),
            ("", 500, b"initiate\0\0\0\0\0\0\0\0\x21\x30\x22\x08\0\0\0\0\0\0\0\x1c"),
            ("", ODD_PORT, b""),
        ],
    );
}

/// One recorded flow.
struct Recorded {
    capture: &'static str,
    service: Option<&'static str>,
    flow: FlowContext,
    sent: Vec<Vec<u8>>,
}

fn recorded() -> impl Iterator<Item = Recorded> {
    let lines = include_str!("tests/first_bytes.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [capture, service, transport, src, dst, sent @ ..] = fields.as_slice() else {
            panic!("short line: {line}");
        };
        let transport = if *transport == "tcp" { Transport::TCP } else { Transport::UDP };
        Recorded {
            capture,
            service: Some(*service).filter(|service| *service != "-"),
            flow: flow(transport, src.parse().unwrap(), dst.parse().unwrap()),
            sent: sent.iter().filter(|hex| **hex != "-").map(|hex| from_hex(hex)).collect(),
        }
    })
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().map(|c| (c as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Whether a finding is right. Protocols with tables have tests of their own, and a server may
/// answer in another protocol than it was asked in.
fn is_right(found: Option<&str>, case: &Recorded) -> bool {
    let is_service = |name| protocols::named(name).is_some_and(|found| found.tables.is_empty());
    found == case.service || found.is_none_or(|name| !is_service(name))
}

#[test]
fn no_service_claims_a_recorded_flow_of_another() {
    for case in recorded() {
        let odd = flow(case.flow.transport, ODD_PORT, ODD_PORT);
        for bytes in &case.sent {
            for flow in [&case.flow, &odd] {
                let found = recognise(flow, bytes);
                assert!(is_right(found, &case), "{}: {found:?}", case.capture);
            }
        }
    }
}

#[test]
fn every_recorded_service_is_named_by_one_side_at_least() {
    let mut named = 0;
    for case in recorded() {
        let Some(service) = case.service else { continue };
        let protocol = protocols::named(service).unwrap();
        // The protocols with tables want more bytes than these.
        if protocol.tables.is_empty() {
            let found = case.sent.iter().any(|bytes| recognise(&case.flow, bytes) == case.service);
            assert!(found, "{}: {service} is not found", case.capture);
            named += 1;
        }
    }
    assert!(named > 60, "{named}");
}

#[test]
fn names_are_unique_and_every_service_says_where_it_is_specified() {
    let mut names: Vec<&str> = protocols::ALL.iter().map(|protocol| protocol.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for protocol in protocols::ALL {
        assert!(
            !protocol.specifications.is_empty() && !protocol.doc.is_empty(),
            "{}",
            protocol.name
        );
        assert!(!protocol.transports.is_empty(), "{}", protocol.name);
    }
}
