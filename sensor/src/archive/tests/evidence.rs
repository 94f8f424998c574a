//! The manifest: what it says of an archive, what tampering and crashes make of it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tempfile::TempDir;

use super::{archive_of, at, count, files, numbers, options};
use crate::archive::{Archive, ArchiveError, Fault, Recovered, Verdict, adopt, verify};
use crate::rows::samples::HOUR_NANOS;

/// An archive of three files.
fn three() -> (TempDir, Vec<String>) {
    let directory = TempDir::new().unwrap();
    let rows = [0, 1, 2].map(|hour| count(at(hour * HOUR_NANOS), None, hour));
    archive_of(directory.path(), &rows);
    let names = files(directory.path());
    assert_eq!(names.len(), 3);
    (directory, names)
}

fn manifest(archive: &Path) -> PathBuf {
    archive.join("_manifest/edge-1.jsonl")
}

fn verdict(archive: &Path) -> Verdict {
    verify(archive, &[], 2).unwrap()
}

fn faults(archive: &Path) -> Vec<Fault> {
    verdict(archive).faults
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_written_is_what_the_manifest_says() {
    let (directory, _) = three();
    let found = verdict(directory.path());
    assert_eq!((found.faults, found.files), (vec![], 3));
    assert_eq!(found.heads["edge-1"].0, 3);
    archive_of(directory.path(), &[count(at(0), None, 9)]);
    let found = verdict(directory.path());
    assert_eq!((found.faults, found.files, found.heads["edge-1"].0), (vec![], 4, 4));
}

#[test]
fn a_file_that_was_changed_lost_or_added_is_named() {
    type Tamper = fn(&Path);
    type Expected = fn(&str, &str) -> Vec<Fault>;
    let cases: [(Tamper, Expected); 6] = [
        (
            |path| flip(path, 100),
            |file, _| {
                vec![Fault::Changed { file: file.to_owned(), how: "its SHA-256 is another one" }]
            },
        ),
        (|path| OpenOptions::new().append(true).open(path).unwrap().write_all(b"x").unwrap(), {
            |file, _| vec![Fault::Changed { file: file.to_owned(), how: "its size is another one" }]
        }),
        (|path| fs::remove_file(path).unwrap(), |file, _| vec![Fault::Missing(file.to_owned())]),
        (
            |path| assert!(fs::copy(path, path.with_file_name("copy.parquet")).is_ok()),
            |_, folder| vec![Fault::Unlisted(format!("{folder}/copy.parquet"))],
        ),
        (
            |path| fs::rename(path, path.with_file_name("moved.parquet")).unwrap(),
            |file, folder| {
                vec![
                    Fault::Missing(file.to_owned()),
                    Fault::Unlisted(format!("{folder}/moved.parquet")),
                ]
            },
        ),
        (
            |path| {
                let elsewhere = path.with_file_name(".elsewhere");
                fs::rename(path, &elsewhere).unwrap();
                std::os::unix::fs::symlink(elsewhere, path).unwrap();
            },
            |file, _| vec![Fault::Changed { file: file.to_owned(), how: "it is no file any more" }],
        ),
    ];
    for (tamper, expected) in cases {
        let (directory, names) = three();
        tamper(&directory.path().join(&names[1]));
        let folder = names[1].rsplit_once('/').unwrap().0;
        assert_eq!(faults(directory.path()), expected(&names[1], folder));
    }
}

#[test]
fn every_flipped_byte_of_a_manifest_is_noticed() {
    let (directory, _) = three();
    let path = manifest(directory.path());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        flip(&path, at);
        let is_named = |fault: &Fault| matches!(fault, Fault::Manifest { .. });
        assert!(faults(directory.path()).iter().any(is_named), "byte {at}");
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn entries_that_are_taken_out_or_reordered_are_noticed() {
    let (directory, names) = three();
    let path = manifest(directory.path());
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (kept, expected) in [(&[0, 2][..], "line 2"), (&[1, 2], "line 1"), (&[0, 2, 1], "line 2")] {
        let text: String = kept.iter().map(|&at| format!("{}\n", lines[at])).collect();
        fs::write(&path, text).unwrap();
        let told: String =
            faults(directory.path()).iter().map(|fault| format!("{fault}\n")).collect();
        assert!(told.contains(expected) && told.contains("does not follow"), "{kept:?}: {told}");
    }
    // What is cut off leaves no gap, but files that nothing knows.
    fs::write(&path, format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    assert_eq!(faults(directory.path()), [Fault::Unlisted(names[2].clone())]);
}

#[test]
fn a_head_that_was_noted_shows_that_the_past_is_the_same() {
    let (directory, names) = three();
    let noted = verdict(directory.path()).heads["edge-1"].1.clone();
    let noted: [u8; 32] = HEXLOWER.decode(noted.as_bytes()).unwrap().try_into().unwrap();
    archive_of(directory.path(), &[count(at(0), None, 9)]);
    assert_eq!(verify(directory.path(), &[noted], 1).unwrap().faults, []);
    // Somebody writes everything anew, chain included.
    fs::remove_dir_all(directory.path().join("_manifest")).unwrap();
    fs::remove_file(directory.path().join(&names[0])).unwrap();
    adopt(directory.path(), &mut |_| {}).unwrap();
    assert_eq!(faults(directory.path()), []);
    let found = verify(directory.path(), &[noted], 1).unwrap().faults;
    assert_eq!(found, [Fault::Head(HEXLOWER.encode(&noted))]);
}

#[test]
fn an_archive_without_a_manifest_is_adopted_as_it_is() {
    let (directory, names) = three();
    fs::remove_dir_all(directory.path().join("_manifest")).unwrap();
    let error = verify(directory.path(), &[], 1).unwrap_err();
    assert!(matches!(error, ArchiveError::NoManifest { .. }), "{error}");
    let mut adopted = Vec::new();
    assert_eq!(adopt(directory.path(), &mut |name| adopted.push(name.to_owned())).unwrap(), 3);
    assert_eq!(adopted, names);
    assert_eq!(faults(directory.path()), []);
    assert_eq!(adopt(directory.path(), &mut |_| {}).unwrap(), 0);
}

#[test]
fn an_unfinished_entry_is_cut_off_with_the_next_one() {
    let (directory, _) = three();
    let path = manifest(directory.path());
    let text = fs::read_to_string(&path).unwrap();
    let torn = &text[..text.find('\n').unwrap() / 2];
    OpenOptions::new().append(true).open(&path).unwrap().write_all(torn.as_bytes()).unwrap();
    assert!(faults(directory.path())[0].to_string().contains("unfinished"));
    archive_of(directory.path(), &[count(at(0), None, 9)]);
    assert_eq!(faults(directory.path()), []);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("\"event\":\"repaired\",\"cut\":{}", torn.len())), "{text}");
}

#[test]
fn an_entry_that_was_changed_stays_so_and_the_chain_goes_on() {
    let (directory, names) = three();
    let path = manifest(directory.path());
    let length = fs::read(&path).unwrap().len();
    flip(&path, length - 200);
    archive_of(directory.path(), &[count(at(0), None, 9)]);
    let found = faults(directory.path());
    let [Fault::Manifest { what, .. }, Fault::Unlisted(file)] = &found[..] else {
        panic!("{found:?}")
    };
    assert!(what.starts_with("line 3"), "{what}");
    assert_eq!(*file, names[2]);
}

#[test]
fn a_crash_between_entry_and_name_costs_nothing() {
    let (directory, names) = three();
    let place = |name: &str| directory.path().join(name);
    let hidden = |name: &str| {
        let own = name.rsplit('/').next().unwrap();
        place(&format!("count/.{own}.inprogress"))
    };
    fs::rename(place(&names[0]), hidden(&names[0])).unwrap();
    fs::rename(place(&names[1]), hidden(&names[1])).unwrap();
    flip(&hidden(&names[1]), 50);
    let archive = Archive::open(directory.path(), options()).unwrap();
    assert_eq!(archive.recovered(), Recovered { named: 1, removed: 1, merges: 0 });
    assert_eq!(faults(directory.path()), [Fault::Missing(names[1].clone())]);
    assert_eq!(numbers(&place(&names[0])), [0]);
}

#[test]
fn a_file_that_another_took_the_place_of_is_no_leftover_to_be_named() {
    let (directory, names) = three();
    let own = names[0].rsplit('/').next().unwrap();
    let hidden = directory.path().join(format!("count/.{own}.inprogress"));
    fs::copy(directory.path().join(&names[0]), &hidden).unwrap();
    let archive = Archive::open(directory.path(), options()).unwrap();
    assert_eq!(archive.recovered(), Recovered { named: 0, removed: 1, merges: 0 });
    assert_eq!(faults(directory.path()), []);
}

#[test]
fn processes_of_one_sensor_take_turns() {
    let directory = TempDir::new().unwrap();
    let mut archives = [(); 2].map(|()| Archive::open(directory.path(), options()).unwrap());
    for number in 0..6 {
        let archive = &mut archives[usize::try_from(number % 2).unwrap()];
        archive.write(&count(at(number * HOUR_NANOS), None, number)).unwrap();
        archive.advance(at(number * HOUR_NANOS)).unwrap();
        archive.advance(at((number + 1) * HOUR_NANOS)).unwrap();
    }
    for archive in archives {
        archive.finish().unwrap();
    }
    let found = verdict(directory.path());
    assert_eq!((found.faults, found.files, found.heads["edge-1"].0), (vec![], 6, 6));
}

#[test]
fn rows_wait_while_the_manifest_cannot_be_written() {
    let directory = TempDir::new().unwrap();
    let mut archive = Archive::open(directory.path(), options()).unwrap();
    let in_the_way = directory.path().join("_manifest");
    fs::write(&in_the_way, "a file where a folder should be").unwrap();
    archive.write(&count(at(0), None, 0)).unwrap();
    let error = archive.advance(at(HOUR_NANOS)).unwrap_err().to_string();
    assert!(error.contains("manifest"), "{error}");
    assert_eq!(files(directory.path()), [""; 0], "no file without an entry");
    fs::remove_file(&in_the_way).unwrap();
    archive.finish().unwrap();
    assert_eq!(faults(directory.path()), []);
    assert_eq!(files(directory.path()).len(), 1);
}

#[test]
fn a_manifest_that_was_removed_begins_anew_and_that_shows() {
    let directory = TempDir::new().unwrap();
    let mut archive = Archive::open(directory.path(), options()).unwrap();
    archive.write(&count(at(0), None, 0)).unwrap();
    archive.advance(at(HOUR_NANOS)).unwrap();
    fs::remove_dir_all(directory.path().join("_manifest")).unwrap();
    archive.write(&count(at(HOUR_NANOS), None, 1)).unwrap();
    archive.finish().unwrap();
    let names = files(directory.path());
    assert_eq!(faults(directory.path()), [Fault::Unlisted(names[0].clone())]);
    assert!(File::open(manifest(directory.path())).is_ok());
}
