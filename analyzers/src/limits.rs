//! Every bound of this crate, with its reason and who gains when it is missing.
//!
//! Reaching a bound is a weird and is counted; it is never silent.

use std::time::Duration;

/// Bytes of a weird's detail. An attacker who chooses the text must not choose the row's size.
pub const WEIRD_DETAIL_BYTES: usize = 256;

/// First bytes of a direction that probes may look at before recognition gives up. Long enough for
/// every greeting in the list of protocols; without it a silent flow would buffer for ever.
pub const PROBE_BYTES: usize = 2_048;

/// Datagrams of a flow that are probed before recognition gives up. Calls and meetings try their
/// path with a dozen of STUN before they speak DTLS; a flow that nobody knows would be probed for
/// ever.
pub const PROBE_DATAGRAMS: u8 = 16;

/// Bytes of a DNS message; more do not fit the length in front of it on TCP.
pub const DNS_MESSAGE_BYTES: usize = 65_535;

/// Bytes of a domain name on the wire (RFC 1035 §2.3.4). Compression pointers make long names out
/// of few bytes; without the bound one message could fill memory.
pub const DNS_NAME_BYTES: usize = 255;

/// Compression pointers followed in one domain name: as many as it can have labels. A chain of
/// pointers alone would otherwise make a reader walk the message again for each name.
pub const DNS_NAME_POINTERS: usize = 127;

/// Text of one DNS message's answers, in bytes; checked after each answer, which can be half as
/// large again. Compressed names grow on reading; without the bound a message of 64 KiB gives a
/// megabyte.
pub const DNS_ANSWER_TEXT_BYTES: usize = 131_072;

/// Queries of one flow that wait for their response. Resolvers that ask from a fixed port keep some
/// hundred open; whoever sends queries that nobody answers must not fill memory.
pub const DNS_PENDING: usize = 256;

/// How long a DNS query waits for its response. Resolvers give up sooner; on a fixed port an old
/// query would otherwise be taken for the one that reuses its id.
pub const DNS_PENDING_AGE: Duration = Duration::from_secs(60);
/// Bytes of a TLS handshake message that are kept: a chain of ten long certificates, or a hello
/// with the largest key shares. Whoever sends a message of 16 MiB would otherwise fill memory with
/// it.
pub const TLS_MESSAGE_BYTES: usize = 65_536;

/// Islands of bytes kept of a handshake message that arrives out of order. Browsers shuffle a hello
/// into a dozen; a sender of every second byte would make thousands.
pub const TLS_ISLANDS: usize = 32;

/// Unfinished DTLS messages kept per direction. A flight has fewer; a sender of first fragments
/// alone would leave one after the other.
pub const DTLS_MESSAGES: usize = 8;

/// Application protocols of a hello that a row names. Clients offer a handful; a hello of 64 KiB
/// has room for thousands.
pub const TLS_PROTOCOLS: usize = 64;

/// DNS names of a certificate that a row names. Content networks put a few hundred into one; more
/// would make rows as long as an attacker likes.
pub const TLS_NAMES: usize = 1_024;

/// Destination connection ids per QUIC flow for which keys are derived in vain. Each costs a dozen
/// hashes, and a sender of random ids would have them all computed.
pub const QUIC_KEY_FAILURES: u8 = 8;
// SMB. Together they are a flow's worst case of some 90 KiB; without them a client that never gets
// an answer, or never closes a file, owns the sensor's memory.

/// Bytes of an SMB message that are looked at; the longest thing there is a logon token. Contents
/// of files and longer answers pass by.
pub const SMB_HEAD_BYTES: usize = 16 * 1024;

/// Bytes of one name in UTF-8. Windows ends at 255 characters for a name, 32,767 for a path.
pub const SMB_NAME_BYTES: usize = 4_096;

/// Requests without a response. A client that copies keeps some dozens of reads under way.
pub const SMB_PENDING: usize = 96;

/// Responses whose requests were not seen yet. A newer one ends the wait of the oldest.
pub const SMB_EARLY: usize = 8;

/// How much later than its response a request may stand in a capture of two taps.
pub const SMB_SKEW: Duration = Duration::from_millis(10);

/// Bytes of names in waiting requests.
pub const SMB_PENDING_TEXT_BYTES: usize = 8 * 1024;

/// Transactions of an SMB 1 flow that announce more than they brought. Exploits groom a server's
/// memory with about a hundred before they come to the point; clients have none for long.
pub const SMB1_TRANSACTIONS: usize = 256;

/// Requests of an SMB 1 flow that have no answer. Servers allow 50; what waits for a change in a
/// folder stays for hours.
pub const SMB1_EXCHANGES: usize = 256;

/// Requests of an SMB 1 flow that had an answer, which may go on in another message.
pub const SMB1_ANSWERED: usize = 64;

/// Open files. The least recently used leaves its sums and is forgotten.
pub const SMB_OPEN_FILES: usize = 128;

/// Bytes of their names.
pub const SMB_FILE_TEXT_BYTES: usize = 12 * 1024;

/// Files of an SMB flow that are hashed at the same time. Clients that copy in parallel take eight;
/// each costs its hash's state and first bytes.
pub const SMB_HASHED_FILES: usize = 16;

/// Bytes of an SMB flow's files kept until those before them come. A client reads some dozens of
/// blocks ahead, and a server may answer them as it likes.
pub const SMB_HELD_BYTES: usize = 256 * 1024;

/// DCE/RPC contexts of a pipe. Clients bind two or three.
pub const SMB_RPC_CONTEXTS: usize = 8;

/// Connected shares.
pub const SMB_TREES: usize = 32;

/// Bytes of their names.
pub const SMB_TREE_TEXT_BYTES: usize = 2 * 1024;

/// Sessions. A terminal server's one connection carries one for each of its users.
pub const SMB_SESSIONS: usize = 32;

/// Bytes of the names in them.
pub const SMB_SESSION_TEXT_BYTES: usize = 4 * 1024;

/// Commands in one AndX chain. Clients chain three at most.
pub const SMB_ANDX_STEPS: u8 = 10;

/// Dialects of an SMB 1 negotiate; some ten exist.
pub const SMB_DIALECTS: usize = 32;
/// Bytes of one HTTP line. Real start lines end below 8 KiB; without it one line without an end
/// would be buffered for ever.
pub const HTTP_LINE_BYTES: usize = 16 * 1_024;

/// Bytes of values kept of one HTTP head. Without it the queue of open requests would multiply the
/// length of the longest head.
pub const HTTP_HEAD_KEPT_BYTES: usize = 16 * 1_024;

/// HTTP/1 requests waiting for their responses. Browsers that pipeline send less than ten; without
/// it a client that never reads could grow the queue.
pub const HTTP_PENDING: usize = 64;

/// First bytes of a file kept to sniff its type.
pub const FILE_SNIFF_BYTES: usize = 512;

/// Content codings removed from one body. Two occur (a compressed file served compressed); each
/// further one multiplies the growth that a bomb can reach.
pub const HTTP_CONTENT_LAYERS: usize = 2;

/// Growth of a coded body that is followed beyond [`HTTP_CONTENT_FLOOR_BYTES`]. Text reaches 20; a
/// bomb of 1 000 would let a sender of one byte cost a thousand.
pub const HTTP_CONTENT_RATIO: u64 = 100;

/// Decoded bytes that are always allowed: short bodies of zeros are no bombs.
pub const HTTP_CONTENT_FLOOR_BYTES: u64 = 1_024 * 1_024;

/// Decoded bytes of one coded body. Bodies without a coding are hashed whatever their length.
pub const HTTP_CONTENT_BYTES: u64 = 1_024 * 1_024 * 1_024;

/// Window of a Brotli or Zstandard body: the largest of RFC 7932, which the usual compressor takes.
/// Later formats allow gigabytes, and the sender chooses what the receiver must allocate.
pub const HTTP_WINDOW_BYTES: u64 = 16 * 1_024 * 1_024;

/// HTTP/2 streams open in one flow. Servers allow 100 to 128; the sender chooses.
pub const HTTP2_STREAMS: usize = 128;

/// Coded bodies decoded at the same time in one HTTP/2 flow, each with its windows.
pub const HTTP2_CODED_BODIES: usize = 4;

/// Bytes of one HTTP/2 header block with its continuations. Without it a sender of CONTINUATION
/// frames would be buffered for ever.
pub const HTTP2_BLOCK_BYTES: usize = 64 * 1_024;

/// Decoded bytes of one HTTP/2 header block. One byte can name an entry of the whole table.
pub const HTTP2_FIELD_BYTES: usize = 256 * 1_024;

/// Bytes of an HPACK dynamic table, by the count of RFC 7541. The default is 4 KiB.
pub const HTTP2_TABLE_BYTES: usize = 64 * 1_024;

/// Bytes of an RDP message before encryption begins. Clients and servers need under 2 KiB, servers
/// with a chain of certificates up to 8; TPKT would let a peer make us keep 64 KiB.
pub const RDP_MESSAGE_BYTES: usize = 16 * 1024;

/// Bytes of an RDP cookie. X.224 leaves less; a longer one contradicts its own length indicator,
/// which is a weird already, and an attacker who chooses the text must not choose the row's size.
pub const RDP_COOKIE_BYTES: usize = 255;

/// Static virtual channels of an RDP client, by MS-RDPBCGR §2.2.1.3.4.
pub const RDP_CHANNELS: usize = 31;

/// Bytes of a flow in which a service may turn to TLS; it is asked for before anyone logs on.
/// Behind them a flow merely goes on as what it is, so reaching the bound is no weird. Without it
/// the bytes of every mail would be looked at.
pub const UPGRADE_BYTES: usize = 16 * 1_024;

/// Age from which a flow tells of its originator's activity. Younger flows are told by their start
/// and their end.
pub const ACTIVITY_AGE: Duration = Duration::from_secs(300);

/// Silence of a flow's originator after which a payload counts as activity of its own. A busy
/// download would otherwise give an event for each packet.
pub const ACTIVITY_IDLE: Duration = Duration::from_secs(1);

/// Flows behind a finding whose uids it carries, beside the last one. An alert is read by people;
/// its SQL shows the rest.
pub const FINDING_UIDS: usize = 20;

/// Pairs of a host and a decoy whose contacts are counted. Somebody who forges addresses of ours
/// could otherwise grow the table for ever.
pub const CANARY_TOUCHERS: usize = 10_000;

// Scans. A source costs some 250 bytes, 2 KiB once it has scanned.

/// Sources whose contacts are counted, in each scan detector. A flood with forged sources would
/// otherwise take all memory; sources that did nothing for the longest time make room.
pub const SCAN_SOURCES: usize = 100_000;

/// Pairs of hosts in a day that are known to have met over SMB; 3 MiB for all filters.
pub const SCAN_SMB_PAIRS: usize = 1_000_000;

/// Pairs of hosts in a day that are known to have met over any other service; 15 MiB for all
/// filters of `net_scan`, 12 MiB for that of `port_scan`.
pub const SCAN_NET_PAIRS: usize = 4_000_000;

/// How long a pair is known to have met: this long at least, twice at most.
pub const SCAN_CONTACT_TURN: Duration = Duration::from_secs(24 * 3_600);

/// Contacts of one source whose times are kept: more than any threshold.
pub const SCAN_RECENT: usize = 128;

/// Destinations of a scan that a finding names. People read it; its SQL shows the rest.
pub const SCAN_TARGETS_TOLD: usize = 20;

/// Payload bytes of a responder from which on it was used. A negotiation that is refused, or a list
/// of shares, is shorter; a file or a program that is copied is longer.
pub const SCAN_USED_BYTES: i64 = 4 * 1_024;

/// Users or hosts whose habits are known, by service; each some 700 bytes with its targets. An
/// attacker who makes up names of users could otherwise grow the table for ever.
pub const LOGIN_HABITS: usize = 100_000;

/// Targets of one habit, for the same reason; people log on to a handful.
pub const LOGIN_TARGETS: usize = 32;

/// Latest logins of a habit whose times are kept, to count those of an hour.
pub const LOGIN_RECENT: usize = 64;

/// Characters of a user's name; Windows ends at 104.
pub const LOGIN_NAME_CHARACTERS: usize = 104;

/// Pairs of a host and a target whose breaches are counted.
pub const LOGIN_BREACHES: usize = 10_000;

/// Things whose prevalence is known: destinations, domains, clients. At some 200 bytes each that is
/// 200 MB in the largest network; whoever contacts ever new addresses would grow it for ever.
pub const PREVALENCE_SUBJECTS: usize = 1_000_000;

/// Half the time over which prevalence is counted: the span that runs, and the one before.
pub const PREVALENCE_SPAN: Duration = Duration::from_secs(24 * 3_600);

/// Pairs of a host and a destination whose beats are tracked; from half of it on only those that
/// come up again. A pair takes 300 bytes and 8 for each of its beats: some 400 MB in the largest
/// network. Whoever contacts ever new destinations would grow it for ever.
pub const BEACON_TRACKS: usize = 1_000_000;

/// Beats that are kept of a pair. Quantiles of more would be no better.
pub const BEACON_RING: usize = 64;

/// Cadences that are remembered of a pair beside the present one.
pub const BEACON_SEGMENTS: usize = 3;

/// Counts in the sketch that admits pairs: a power of two, a byte each.
pub const BEACON_SKETCH: usize = 1 << 24;

/// Time after which the sketch forgets half.
pub const BEACON_SKETCH_AGE: Duration = Duration::from_secs(24 * 3_600);

/// Flows that are known to be open, and those that wait for a name. Beyond it long silent ones lose
/// their signs of life, and young ones are counted by their address.
pub const BEACON_FLOWS: usize = 262_144;

/// How long a flow's beat waits for a name. Handshakes take a second or two; answers to requests
/// may take longer and lose nothing but the name.
pub const BEACON_NAME_WAIT: Duration = Duration::from_secs(30);

/// Silence after which a pair is forgotten.
pub const BEACON_IDLE: Duration = Duration::from_secs(14 * 24 * 3_600);

/// Hosts whose busy hours are known.
pub const BEACON_HOSTS: usize = 250_000;

/// Pairs of a guesser and a host, guessers, and hosts under guesses that are counted, each in every
/// guessing detector; some 500 bytes each when full. A flood with forged sources would otherwise
/// take all memory.
pub const GUESS_ENTRIES: usize = 50_000;

/// Attempts of a pair whose times are kept: more than any threshold.
pub const GUESS_RECENT: usize = 128;

/// Hosts, users or sources of guesses that are told apart; one more than most is many.
pub const GUESS_NAMES: usize = 32;

/// Pairs of hosts whose SMB is watched for exploits and for control of one by the other. Somebody
/// who makes up hosts could otherwise grow the tables for ever.
pub const SMB_PAIRS_WATCHED: usize = 20_000;

/// Files, calls and the like that a finding names.
pub const LATERAL_NAMES: usize = 16;

/// Hosts that ask for names which look generated. Few do; resolvers' clients could be many.
pub const DGA_HOSTS: usize = 50_000;

/// Odd names of one host that are kept of an hour.
pub const DGA_NAMES: usize = 128;

/// Domains that hosts ask below, by host: some 400 bytes each, 700 once there are many names.
/// Whoever asks below ever new domains would grow it for ever.
pub const TUNNEL_ZONES: usize = 300_000;

/// Pairs of a host and a port in the world with flows above a minute: some 400 bytes each.
pub const LONG_PAIRS: usize = 100_000;

/// Pairs of a host and an address in the world whose connections are counted, 120 bytes each. A
/// pair that is worth a word comes up every second, and is never the oldest.
pub const STROBE_PAIRS: usize = 250_000;

/// Pairs of a host and a destination whose volume is known: some 200 bytes, 700 with their flows
/// and days.
pub const EXFIL_PAIRS: usize = 250_000;

/// Pairs of a country and an autonomous system that were met. There are not so many.
pub const NEW_PLACES: usize = 250_000;

/// Hosts that others connect to.
pub const NEW_SERVERS: usize = 50_000;

/// Destinations of a server that are known; one with more goes everywhere.
pub const NEW_SERVER_DESTINATIONS: usize = 64;

/// Clients that are new and have a day to spread. Whoever makes up ever new ones would grow it.
pub const RARE_CLIENTS: usize = 20_000;

/// Hosts that were seen with a browser.
pub const RARE_WORKSTATIONS: usize = 250_000;

/// Look-ups that are remembered for a day, of hosts and of names: 6 MB each.
pub const TLS_LOOKUPS: usize = 2_000_000;

/// Pairs of a host and an odd server.
pub const TLS_TOLD: usize = 20_000;

/// Sources whose calls over RPC are counted.
pub const RPC_ASKERS: usize = 20_000;

/// Different questions of one source that are told apart.
pub const RPC_QUESTIONS: usize = 64;

/// How long a pair of hosts is known to have worked together: this long at least, twice at most.
pub const FANOUT_TURN: Duration = Duration::from_secs(7 * 24 * 3_600);
