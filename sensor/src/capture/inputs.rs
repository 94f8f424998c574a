//! Which files to read, and in which order.
//!
//! In: paths of files, directories, pipes, `-`. Out: the captures among them, in the order of their
//! first packets (those of one time by path), so that flows go on from file to file however the
//! files were named or rotated. What can be read only once (standard input, pipes) comes last, in
//! the order given. Only a path and a time are kept of each file.
//!
//! Directories are walked to any depth. Hidden entries and links to directories are passed over, so
//! that no loop can be; links to files are followed. A file is told by its content; one that is no
//! capture but is named like one is a problem, since someone expects it to be read.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use analyzers::Timestamp;

use super::block::BlockPool;
use super::file::{CaptureFile, Haste, unreadable};
use super::files::Problems;
use super::progress::{Counted, Progress};
use super::{Batch, Fill, Problem, ProblemKind};

/// Files that are kept in the list: some 200 MB of paths. Without it a directory tree of millions
/// of files would fill the memory before the first packet.
const FILES_MAX: usize = 1_000_000;

/// Block in which a file's first packet is looked for, and how far.
const FIRST_BLOCK_BYTES: usize = 16 << 10;
const FIRST_PACKET_WITHIN_BYTES: u64 = 1 << 20;

/// Parts of a file's name that make people expect a capture.
const CAPTURE_NAMES: &[&str] = &[".pcap", ".pcapng", ".cap", ".ntar"];

/// A capture that is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Time of its first packet; `None` where none was seen.
    first: Option<Timestamp>,
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its size as it is on the disk.
    pub(super) bytes: u64,
}

/// All that is to be read.
#[derive(Default)]
pub(super) struct Inputs {
    /// Files in the order in which they are read.
    pub(super) files: Vec<Found>,
    /// Streams, to be read behind the files.
    pub(super) streams: Vec<PathBuf>,
    /// Entries of directories that are not read.
    pub(super) passed_over: u64,
}

/// Finds the captures that `paths` lead to.
pub(super) fn find(paths: &[PathBuf], problems: &mut Problems) -> Inputs {
    let mut search = Search {
        inputs: Inputs::default(),
        seen: HashSet::new(),
        met: 0,
        pool: BlockPool::new(FIRST_BLOCK_BYTES),
        problems,
    };
    for path in paths {
        search.argument(path);
    }
    let mut inputs = search.inputs;
    inputs.files.sort_by(|a, b| {
        let order = |found: &Found| (found.first.is_none(), found.first);
        order(a).cmp(&order(b)).then_with(|| a.path.cmp(&b.path))
    });
    inputs
}

/// A walk through what the user named.
struct Search<'a> {
    inputs: Inputs,
    /// Files in the list, without links, so that none is read twice.
    seen: HashSet<PathBuf>,
    /// Captures that were met, those in the list already included.
    met: u64,
    pool: BlockPool,
    problems: &'a mut Problems,
}

impl Search<'_> {
    fn argument(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            return self.stream(path);
        }
        match fs::metadata(path) {
            Err(error) => self.problems.add(unreadable(path, &error)),
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(metadata) if metadata.is_file() => {
                if let Err(problem) = self.file(path, &metadata) {
                    self.problems.add(problem);
                }
            }
            Ok(_) => self.stream(path),
        }
    }

    /// A second mention of a stream finds nothing left in it, so the first one counts.
    fn stream(&mut self, path: &Path) {
        if !self.inputs.streams.iter().any(|stream| stream == path) {
            self.inputs.streams.push(path.to_owned());
        }
    }

    fn directory(&mut self, root: &Path) {
        let (met_before, passed_before) = (self.met, self.inputs.passed_over);
        let problems_before = self.problems.count();
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            let listed: io::Result<Vec<PathBuf>> = fs::read_dir(&directory)
                .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
            let mut paths = match listed {
                Ok(paths) => paths,
                Err(error) => {
                    self.problems.add(unreadable(&directory, &error));
                    continue;
                }
            };
            paths.sort_unstable();
            for path in paths {
                if self.inputs.files.len() >= FILES_MAX {
                    let what = ProblemKind::TooManyFiles { limit: FILES_MAX };
                    self.problems.add(Problem { path: root.to_owned(), offset: None, what });
                    return;
                }
                self.entry(path, &mut open);
            }
        }
        if self.met == met_before && self.problems.count() == problems_before {
            let passed_over = self.inputs.passed_over - passed_before;
            let what = ProblemKind::NoCaptures { passed_over };
            self.problems.add(Problem { path: root.to_owned(), offset: None, what });
        }
    }

    /// Looks at an entry of a directory; directories are added to `open`.
    fn entry(&mut self, path: PathBuf, open: &mut Vec<PathBuf>) {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_directory = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        match fs::metadata(&path) {
            _ if hidden => self.inputs.passed_over += 1,
            Ok(_) if is_directory => open.push(path),
            Ok(metadata) if metadata.is_file() => match self.file(&path, &metadata) {
                Err(problem) if expected(&problem) => self.problems.add(problem),
                Err(_) => self.inputs.passed_over += 1,
                Ok(()) => {}
            },
            // A link to nowhere, or a file that has gone since the directory was read.
            Err(error) if error.kind() == ErrorKind::NotFound => self.inputs.passed_over += 1,
            Err(error) => self.problems.add(unreadable(&path, &error)),
            Ok(_) => self.inputs.passed_over += 1,
        }
    }

    /// Adds a regular file to the list.
    fn file(&mut self, path: &Path, metadata: &Metadata) -> Result<(), Problem> {
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        if self.seen.contains(&real) {
            self.met += 1;
            self.inputs.passed_over += 1;
            return Ok(());
        }
        let first = self.first_packet(path)?;
        self.met += 1;
        self.seen.insert(real);
        self.inputs.files.push(Found { first, path: path.to_owned(), bytes: metadata.len() });
        Ok(())
    }

    /// Time of a file's first packet.
    fn first_packet(&mut self, path: &Path) -> Result<Option<Timestamp>, Problem> {
        let mut file = CaptureFile::open(path, Haste::Eager, &Progress::default())?;
        let mut batch = Batch::default();
        while file.offset() < FIRST_PACKET_WITHIN_BYTES {
            if file.fill(&mut self.pool, &mut batch) == Fill::End {
                break;
            }
            if let Some(packet) = batch.packets.first() {
                return Ok(Some(packet.time));
            }
        }
        Ok(None)
    }
}

/// Whether a file of a directory that cannot be read is one that someone expects to be read.
fn expected(problem: &Problem) -> bool {
    let Some(name) = problem.path.file_name() else { return false };
    let name = name.to_string_lossy().to_lowercase();
    let named = CAPTURE_NAMES.iter().any(|part| name.contains(part));
    named || !matches!(problem.what, ProblemKind::NotACapture { .. })
}

/// Opens a stream: standard input, a pipe, a device.
pub(super) fn open_stream(path: &Path, progress: &Progress) -> Result<CaptureFile, Problem> {
    if path.as_os_str() != "-" {
        return CaptureFile::open(path, Haste::Eager, progress);
    }
    let input = Counted::new(io::stdin(), progress.clone());
    CaptureFile::of_reader(path, Box::new(input), Haste::Eager)
}
