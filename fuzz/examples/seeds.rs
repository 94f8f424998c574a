//! Writes the seed corpus: what the recorded captures hold, in the form that each target reads.
//!
//! In: the folder of captures, the folder of the corpus. Out: a file for each seed, named by its
//! capture and number, none longer than the targets are told to read.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use analyzers::{Direction, Transport};
use sensor::capture::{Batch, CaptureFiles, Fill, RawPacket, Source as _};
use sensor::decode::{Decoded, Decoder, Packet};
use sensor::flow::{Flow, FlowKey, VlanInKey};
use serval_fuzz::{Driven, LINK_TYPES, MARK};

/// Bytes of a seed, as `-max_len` says.
const SEED_BYTES: usize = 16_384;
/// Seeds of one capture and target. A long transfer is the same packet over and over.
const SEEDS_PER_CAPTURE: usize = 12;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut folders = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(captures), Some(corpus)) = (folders.next(), folders.next()) else {
        return Err("usage: seeds CAPTURES CORPUS".into());
    };
    for target in ["path", "session", "splits", "files"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    let files = CaptureFiles::open(std::slice::from_ref(&captures))?;
    let paths: Vec<PathBuf> = files.waiting().map(Path::to_path_buf).collect();
    for path in paths {
        let name = path.strip_prefix(&captures)?.to_string_lossy().replace(['/', '.'], "-");
        let packets = packets_of(&path)?;
        save(&corpus.join("path"), &name, path_seeds(&packets))?;
        for target in ["session", "splits"] {
            save(&corpus.join(target), &name, session_seeds(&packets))?;
        }
        let file = fs::read(&path)?;
        if file.len() <= SEED_BYTES {
            fs::write(corpus.join("files").join(&name), file)?;
        }
    }
    Ok(())
}

fn save(folder: &Path, name: &str, seeds: impl Iterator<Item = Vec<u8>>) -> Result<(), Failure> {
    for (number, seed) in seeds.take(SEEDS_PER_CAPTURE).enumerate() {
        fs::write(folder.join(format!("{name}-{number}")), seed)?;
    }
    Ok(())
}

/// The packets of a capture, each as a block of its own.
fn packets_of(path: &Path) -> Result<Vec<(RawPacket, Vec<u8>)>, Failure> {
    let mut files = CaptureFiles::open(&[path.to_path_buf()])?;
    let mut batch = Batch::default();
    let mut packets = Vec::new();
    while files.fill(&mut batch)? == Fill::Packets {
        packets.extend(batch.packets.iter().map(|raw| {
            let bytes = raw.bytes(&batch.block).to_vec();
            (RawPacket { offset: 0, ..*raw }, bytes)
        }));
    }
    Ok(packets)
}

/// Runs of frames, a millisecond after each other.
fn path_seeds(packets: &[(RawPacket, Vec<u8>)]) -> impl Iterator<Item = Vec<u8>> {
    let link = packets.first().map(|(raw, _)| raw.link.0);
    let choice = LINK_TYPES.iter().position(|&known| Some(known) == link);
    let pieces = packets.iter().map(|(raw, frame)| {
        let cut = u8::try_from(raw.wire_bytes - raw.captured_bytes).unwrap_or(u8::MAX);
        [&[2, cut], frame.as_slice()].concat()
    });
    let head = choice.and_then(|choice| u8::try_from(choice).ok());
    head.map(|head| seeds(vec![head], pieces)).into_iter().flatten()
}

/// One flow's payload.
struct Talk {
    head: [u8; 5],
    originator: (std::net::IpAddr, u16),
    pieces: Vec<Vec<u8>>,
}

/// The payloads of each flow, for a session and for the analyzer of its protocol.
fn session_seeds(packets: &[(RawPacket, Vec<u8>)]) -> impl Iterator<Item = Vec<u8>> {
    let mut decoder = Decoder::new();
    let mut known = HashMap::new();
    let mut talks: Vec<Talk> = Vec::new();
    for (raw, frame) in packets {
        let Decoded::Packet(packet) = decoder.decode(raw, frame) else { continue };
        let (key, _) = FlowKey::of(&packet, VlanInKey::First);
        let at = *known.entry(key).or_insert_with(|| {
            talks.push(Talk::opened_by(&packet));
            talks.len() - 1
        });
        talks[at].hear(&packet, packet.payload_bytes(frame));
    }
    talks.into_iter().filter(|talk| !talk.pieces.is_empty()).flat_map(|talk| {
        let by_probes = [&[0], talk.head.as_slice()].concat();
        let driven = Driven::protocols().position(|protocol| {
            let [_, a, b, c, d] = talk.head;
            [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
                .iter()
                .any(|port| protocol.ports.contains(port))
        });
        let taker = driven.and_then(|at| u8::try_from(2 * at + 1).ok());
        let by_port = taker.map(|taker| [&[taker], talk.head.as_slice()].concat());
        [Some(by_probes), by_port]
            .into_iter()
            .flatten()
            .flat_map(|head| seeds(head, talk.pieces.iter().cloned()).take(2).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    })
}

impl Talk {
    fn opened_by(packet: &Packet) -> Self {
        let (src, dst) = Flow::ends(packet);
        let ([a, b], [c, d]) = (src.port.to_be_bytes(), dst.port.to_be_bytes());
        let kind = u8::from(packet.transport != Transport::TCP);
        Self { head: [kind, a, b, c, d], originator: (src.ip, src.port), pieces: vec![] }
    }

    /// Adds a packet's payload, a millisecond after the one before.
    fn hear(&mut self, packet: &Packet, payload: &[u8]) {
        if !payload.is_empty() {
            let from_src = (packet.src_ip, packet.src_port) == self.originator;
            let direction = if from_src { Direction::SrcToDst } else { Direction::DstToSrc };
            let choices = u8::from(direction == Direction::DstToSrc) | 2 << 3;
            self.pieces.push([&[choices], payload].concat());
        }
    }
}

/// Pieces with marks between them, as many in each seed as it has room for.
fn seeds(head: Vec<u8>, pieces: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    let mut pieces = pieces.filter(|piece| piece.len() < SEED_BYTES / 2).peekable();
    std::iter::from_fn(move || {
        let mut seed = [head.as_slice(), &pieces.next()?].concat();
        while let Some(piece) =
            pieces.next_if(|piece| seed.len() + MARK.len() + piece.len() <= SEED_BYTES)
        {
            seed.extend_from_slice(MARK);
            seed.extend_from_slice(&piece);
        }
        Some(seed)
    })
}
