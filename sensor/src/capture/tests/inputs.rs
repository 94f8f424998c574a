//! Which files are read, in which order; what is said about those that are not.

use std::fs;
use std::path::{Path, PathBuf};

use crate::capture::format::ByteOrder::Little;
use crate::capture::samples::{Bytes, drain, pcap_header, write};
use crate::capture::{
    Batch, CaptureError, CaptureFiles, Content, Fill, Problem, ProblemKind, Source,
};

/// A capture with one packet at `seconds`.
fn at(seconds: u32) -> Vec<u8> {
    pcap_header(Little, 0xa1b2_3c4d, 1).record(seconds, 0, b"x").bytes
}

fn seconds(paths: &[PathBuf]) -> Vec<i64> {
    let outcome = drain(&mut CaptureFiles::open(paths).unwrap());
    assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
    outcome.times().iter().map(|nanos| nanos / 1_000_000_000).collect()
}

fn fails(paths: &[PathBuf]) -> Vec<Problem> {
    match CaptureFiles::open(paths) {
        Err(CaptureError::NothingToRead { problems }) => problems,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("there is something to read"),
    }
}

#[test]
fn files_are_read_in_the_order_of_their_first_packets() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("sub/deeper")).unwrap();
    let late = write(root, "a.pcap", &at(30));
    let middle = write(root, "sub/deeper/b", &at(20));
    let early = write(root, "sub/c.dump", &at(10));
    assert_eq!(seconds(&[root.to_owned()]), [10, 20, 30]);
    assert_eq!(seconds(&[late, middle, early]), [10, 20, 30]);
}

#[test]
fn files_of_one_time_are_read_in_the_order_of_their_paths() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["c", "a", "b"];
    for (name, packets) in names.iter().zip([3, 1, 2]) {
        let mut file = pcap_header(Little, 0xa1b2_3c4d, 1);
        for _ in 0..packets {
            file = file.record(1, 0, name.as_bytes());
        }
        write(directory.path(), name, &file.bytes);
    }
    let outcome = drain(&mut CaptureFiles::open(&[directory.path().to_owned()]).unwrap());
    let read: Vec<u8> = outcome.packets.iter().map(|packet| packet.bytes[0]).collect();
    assert_eq!(read, b"abbccc");
}

#[test]
fn what_is_no_capture_is_passed_over_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join(".hidden")).unwrap();
    write(root, ".hidden/in", &at(1));
    write(root, ".also.pcap", &at(2));
    write(root, "notes.txt", b"what was captured");
    write(root, "empty", b"");
    write(root, "one", &at(3));
    let outcome = drain(&mut CaptureFiles::open(&[root.to_owned()]).unwrap());
    assert_eq!(outcome.packets.len(), 1);
    assert_eq!(outcome.tally.passed_over, 4);
    assert!(outcome.problems.is_empty());
}

#[test]
fn what_is_named_like_a_capture_and_is_none_is_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, "one", &at(3));
    write(root, "page.PCAP", b"<html>\nnot found");
    write(root, "old.pcap.xz", b"\xfd7zXZ\0\0\0");
    write(root, "new.pcapng", b"");
    let outcome = drain(&mut CaptureFiles::open(&[root.to_owned()]).unwrap());
    let texts: Vec<String> = outcome.problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].contains("it is empty"), "{texts:?}");
    assert!(texts[1].contains("must be unpacked first"), "{texts:?}");
    assert!(texts[2].contains("it seems to be text, beginning with “<html>”"), "{texts:?}");
}

#[cfg(unix)]
#[test]
fn links_to_directories_are_passed_over_and_links_to_files_followed_once() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let root = directory.path();
    let outside = write(elsewhere.path(), "outside", &at(5));
    write(root, "inside", &at(4));
    symlink(root, root.join("loop")).unwrap();
    symlink(&outside, root.join("link")).unwrap();
    symlink(root.join("inside"), root.join("twin")).unwrap();
    symlink(root.join("nowhere"), root.join("broken")).unwrap();
    assert_eq!(seconds(&[root.to_owned()]), [4, 5]);
    let outcome = drain(&mut CaptureFiles::open(&[root.to_owned()]).unwrap());
    assert_eq!(outcome.tally.passed_over, 3);
}

#[test]
fn a_file_named_twice_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a", &at(1));
    assert_eq!(seconds(&[path.clone(), directory.path().to_owned(), path]), [1]);
}

#[test]
fn a_capture_without_packets_comes_last() {
    let directory = tempfile::tempdir().unwrap();
    let header = Bytes::new(Little).section().bytes;
    write(directory.path(), "a", &header);
    let packet = write(directory.path(), "b", &at(1));
    let source = CaptureFiles::open(&[directory.path().to_owned()]).unwrap();
    assert_eq!(source.waiting().next(), Some(packet.as_path()));
    assert_eq!(source.waiting().count(), 2);
}

#[test]
fn nothing_to_read_says_why_for_each_path() {
    let directory = tempfile::tempdir().unwrap();
    let empty = write(directory.path(), "empty", b"");
    let problems = fails(&[empty.clone(), PathBuf::from("/no/such/file")]);
    assert_eq!(problems[0].what, ProblemKind::NotACapture { content: Content::Empty });
    assert!(matches!(problems[1].what, ProblemKind::Unreadable { .. }));
    let text = CaptureFiles::open(&[empty]).err().unwrap().to_string();
    assert!(text.starts_with("no capture to read\n  "), "{text}");
    assert!(text.contains("it is empty"), "{text}");
    assert!(matches!(CaptureFiles::open(&[]), Err(CaptureError::NoInput)));
}

#[test]
fn a_directory_without_captures_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "notes", b"no capture");
    let problems = fails(&[directory.path().to_owned()]);
    assert_eq!(problems[0].what, ProblemKind::NoCaptures { passed_over: 1 });
    assert!(problems[0].to_string().contains("name a directory with pcap or pcapng files"));
}

#[test]
fn a_file_that_vanishes_is_a_problem_and_the_others_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let first = write(directory.path(), "a", &at(1));
    let second = write(directory.path(), "b", &at(2));
    let mut source = CaptureFiles::open(&[directory.path().to_owned()]).unwrap();
    fs::remove_file(&first).unwrap();
    let outcome = drain(&mut source);
    assert_eq!(outcome.packets.len(), 1);
    assert_eq!(outcome.problems[0].path, first);
    assert_ne!(outcome.problems[0].path, second);
    assert_eq!(source.progress().bytes_total(), Some(82));
    assert_eq!(source.progress().bytes_read(), 82);
}

#[test]
fn progress_counts_bytes_of_the_files_and_reaches_their_sum() {
    let directory = tempfile::tempdir().unwrap();
    let damaged = pcap_header(Little, 0xa1b2_c3d4, 1).raw(&vec![0xff; 40 << 20]).bytes;
    write(directory.path(), "a", &damaged);
    write(directory.path(), "b", &at(1));
    let mut source = CaptureFiles::open(&[directory.path().to_owned()]).unwrap();
    let progress = source.progress();
    assert_eq!(progress.bytes_read(), 0);
    let total = damaged.len() as u64 + 41;
    assert_eq!(progress.bytes_total(), Some(total));
    let outcome = drain(&mut source);
    assert_eq!((outcome.packets.len(), outcome.tally.files), (1, 2));
    assert_eq!(progress.bytes_read(), total);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_as_its_packets_arrive_and_behind_the_files() {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a", &at(9));
    let (reader, mut writer) = std::io::pipe().unwrap();
    let pipe = Path::new("/dev/fd").join(reader.as_raw_fd().to_string());
    writer.write_all(&at(1)).unwrap();
    let mut source = CaptureFiles::open(&[pipe, file]).unwrap();
    assert_eq!(source.progress().bytes_total(), None);
    let mut batch = Batch::default();
    let mut times = Vec::new();
    for _ in 0..2 {
        assert_eq!(source.fill(&mut batch).unwrap(), Fill::Packets);
        times.extend(batch.packets.iter().map(|packet| packet.time.nanos() / 1_000_000_000));
    }
    assert_eq!(times, [9, 1], "the pipe's packet comes while the pipe is open");
    writer.write_all(&at(2)[24..]).unwrap();
    drop(writer);
    assert_eq!(source.fill(&mut batch).unwrap(), Fill::Packets);
    assert_eq!(source.fill(&mut batch).unwrap(), Fill::End);
}

#[test]
fn blocks_return_when_their_packets_are_done_with() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = pcap_header(Little, 0xa1b2_c3d4, 1);
    for n in 0..100 {
        file = file.record(n, 0, &[1; 100]);
    }
    let path = write(directory.path(), "a", &file.bytes);
    let mut source = CaptureFiles::open_with_blocks_of(&[path], 1_000).unwrap();
    let mut batch = Batch::default();
    let mut addresses = std::collections::HashSet::new();
    let mut batches = 0;
    while source.fill(&mut batch).unwrap() == Fill::Packets {
        addresses.insert(batch.block.as_ptr());
        batches += 1;
    }
    assert!(batches > 10 && addresses.len() == 2, "{batches} {}", addresses.len());
}
