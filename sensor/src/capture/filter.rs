//! Berkeley packet filters: the expressions of tcpdump, on packets of any source.
//!
//! In: an expression (pcap-filter(7)) and a source. Out: the same source without the packets that
//! do not match, which are counted. libpcap compiles the expression once for each link type that
//! occurs. `len`, `less` and `greater` see the captured length.

use pcap::{BpfProgram, Capture, Linktype};

use super::files::Problems;
use super::{Batch, CaptureError, Fill, LinkType, Problem, ProblemKind, Source, Tally};

/// Link types for which an expression is tried before it is called wrong: Ethernet, which nearly
/// all captures have, then those that have words of their own.
const TRIED: &[LinkType] = &[
    LinkType(1),   // Ethernet
    LinkType(101), // raw IP
    LinkType(105), // IEEE 802.11
    LinkType(127), // IEEE 802.11 with radiotap
    LinkType(9),   // PPP
    LinkType(113), // Linux cooked
    LinkType(276), // Linux cooked, version 2
    LinkType(117), // OpenBSD pflog
    LinkType(100), // ATM
    LinkType(140), // SS7 MTP2
];

/// Link types whose programs are kept. A pcapng file may name 65,536 of them; packets of those
/// beyond match nothing and are told as a problem.
const PROGRAMS_MAX: usize = 64;

/// A filter expression.
pub struct Filter {
    expression: String,
    programs: Vec<(LinkType, Option<BpfProgram>)>,
}

impl Filter {
    /// Checks `expression`.
    ///
    /// # Errors
    /// It means nothing for any link type; the error quotes libpcap about Ethernet.
    pub fn new(expression: &str) -> Result<Self, CaptureError> {
        let mut failed = None;
        for link in TRIED {
            match compile(expression, *link) {
                Ok(_) => return Ok(Self { expression: expression.to_owned(), programs: vec![] }),
                Err(message) => failed = failed.or(Some(message)),
            }
        }
        let message = failed.unwrap_or_default();
        Err(CaptureError::Filter { expression: expression.to_owned(), message })
    }

    /// Makes the program for `link`, unless there is one.
    ///
    /// # Errors
    /// The expression means nothing there, as libpcap says; from now on nothing of this type
    /// matches.
    fn prepare(&mut self, link: LinkType) -> Result<(), String> {
        if self.programs.iter().any(|(known, _)| *known == link) {
            return Ok(());
        }
        if self.programs.len() >= PROGRAMS_MAX {
            return Ok(());
        }
        let compiled = if self.programs.len() + 1 == PROGRAMS_MAX {
            Err(format!("this and all further link types are more than {PROGRAMS_MAX}"))
        } else {
            compile(&self.expression, link)
        };
        let (program, result) = match compiled {
            Ok(program) => (Some(program), Ok(())),
            Err(message) => (None, Err(message)),
        };
        self.programs.push((link, program));
        result
    }

    /// Whether a packet of a prepared link type matches.
    fn matches(&self, link: LinkType, bytes: &[u8]) -> bool {
        let program = self.programs.iter().find(|(known, _)| *known == link);
        program.and_then(|(_, program)| program.as_ref()).is_some_and(|p| p.filter(bytes))
    }
}

/// libpcap's program for `expression` on packets of type `link`.
fn compile(expression: &str, link: LinkType) -> Result<BpfProgram, String> {
    let text = |error: pcap::Error| match error {
        pcap::Error::PcapError(message) => message,
        other => other.to_string(),
    };
    let dead = Capture::dead(Linktype(data_link_type(link))).map_err(text)?;
    dead.compile(expression, true).map_err(text)
}

/// libpcap's own number (`DLT_*`) for a link type of the registry; they differ for a few only.
fn data_link_type(link: LinkType) -> i32 {
    match link.0 {
        100 => 11, // ATM
        101 => 12, // raw IP
        106 => 19, // classical IP over ATM
        other => i32::from(other),
    }
}

/// A source behind a filter.
pub struct Filtered<S> {
    source: S,
    filter: Filter,
    filtered: u64,
    filtered_bytes: u64,
    problems: Problems,
}

impl<S: Source> Filtered<S> {
    /// Gives the packets of `source` that match.
    pub fn new(source: S, filter: Filter) -> Self {
        Self { source, filter, filtered: 0, filtered_bytes: 0, problems: Problems::default() }
    }

    /// Removes what does not match.
    fn sift(&mut self, batch: &mut Batch) {
        let Self { filter, filtered, filtered_bytes, problems, .. } = self;
        let Batch { block, packets } = batch;
        let mut last = None;
        packets.retain(|packet| {
            if last != Some(packet.link) {
                last = Some(packet.link);
                if let Err(message) = filter.prepare(packet.link) {
                    let what = ProblemKind::FilterMeaningless { link: packet.link.0, message };
                    problems.add(Problem { path: "filter".into(), offset: None, what });
                }
            }
            let matches = filter.matches(packet.link, packet.bytes(block));
            if !matches {
                *filtered += 1;
                *filtered_bytes += u64::from(packet.captured_bytes);
            }
            matches
        });
    }
}

impl<S: Source> Source for Filtered<S> {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        loop {
            match self.source.fill(batch)? {
                Fill::Packets => self.sift(batch),
                other => return Ok(other),
            }
            if !batch.packets.is_empty() {
                return Ok(Fill::Packets);
            }
        }
    }

    fn tally(&self) -> Tally {
        let tally = self.source.tally();
        Tally {
            packets: tally.packets - self.filtered,
            captured_bytes: tally.captured_bytes - self.filtered_bytes,
            filtered: tally.filtered + self.filtered,
            ..tally
        }
    }

    fn problems(&mut self) -> Vec<Problem> {
        let mut problems = self.source.problems();
        problems.extend(self.problems.take());
        problems
    }
}
