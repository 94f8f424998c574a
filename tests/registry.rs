//! What every protocol brings along: its word in the list and a specification; and where it has
//! rows, captures, a golden case, its worst case of memory, tables that read well.

use std::collections::{BTreeMap, BTreeSet};

use analyzers::protocols;
use analyzers::record::Header;
use analyzers::{Protocol, Table};
use sensor::tables;
use sha2::{Digest as _, Sha256};

use crate::{captures, golden};

/// What begins the paragraph or the section of a module doc that states the worst case.
const MEMORY_WORD: &str = "Memory";

/// The protocols that are parsed; the others are only named, and live in files of their kind.
fn with_rows() -> impl Iterator<Item = &'static Protocol> {
    protocols::ALL.iter().copied().filter(|protocol| !protocol.tables.is_empty())
}

#[test]
fn every_folder_is_in_the_list_and_every_name_has_its_folder() {
    let folder = captures::project().join("analyzers/src/protocols");
    let folders: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the protocols' folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .collect();
    let names: Vec<String> = protocols::ALL.iter().map(|p| p.name.to_owned()).collect();
    let unique: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(unique.len(), names.len(), "names are unique");
    let missing: Vec<_> = folders.difference(&unique).collect();
    assert_eq!(missing, Vec::<&String>::new(), "folders that are not in the list");
    for protocol in with_rows() {
        assert!(folders.contains(protocol.name), "{} has no folder", protocol.name);
        assert!(protocol.analyzer.is_some(), "{} has rows that nobody makes", protocol.name);
    }
}

#[test]
fn every_protocol_has_a_sentence_and_a_specification() {
    for protocol in protocols::ALL {
        assert!(protocol.doc.trim().len() > 4, "{} has no doc", protocol.name);
        assert!(!protocol.specifications.is_empty(), "{} names no specification", protocol.name);
        assert!(!protocol.transports.is_empty(), "{} has no transport", protocol.name);
    }
}

#[test]
fn every_protocol_with_rows_has_captures() {
    for protocol in with_rows() {
        let captures = captures::in_folders(&[protocol.name]);
        assert!(!captures.is_empty(), "no capture in pcaps/{}/", protocol.name);
    }
}

#[test]
fn every_protocol_with_rows_is_recognised_in_a_golden_case() {
    let mut services = BTreeSet::new();
    for (folder, _) in golden::cases() {
        let text = std::fs::read_to_string(folder.join("records.jsonl")).expect("golden rows");
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row");
            if let Some(service) = row["service"].as_str() {
                services.insert(service.to_owned());
            }
        }
    }
    for protocol in with_rows() {
        assert!(services.contains(protocol.name), "no golden case shows {}", protocol.name);
    }
}

#[test]
fn every_protocol_with_rows_states_its_worst_case_of_memory() {
    for protocol in with_rows() {
        let folder = captures::project().join("analyzers/src/protocols").join(protocol.name);
        let file = folder.join("mod.rs");
        let text = std::fs::read_to_string(&file).expect("a protocol's mod.rs");
        let doc = text.lines().filter_map(|line| line.strip_prefix("//!"));
        let mut starts = doc.map(|line| line.trim_start_matches([' ', '#']));
        let states = starts.any(|line| line.starts_with(MEMORY_WORD));
        assert!(states, "{}: no `//! {MEMORY_WORD} of a flow: …`", file.display());
    }
}

#[test]
fn columns_have_unique_snake_case_names_and_a_sentence() {
    for table in tables::all() {
        assert!(is_snake_case(table.name), "{}", table.name);
        assert!(is_sentence(table.doc), "table {} has no sentence", table.name);
        let mut names = BTreeSet::new();
        for column in Header::TABLE.columns.iter().chain(table.columns) {
            let name = column.name;
            assert!(names.insert(name), "{}.{name} is there twice", table.name);
            assert!(is_snake_case(name), "{}.{name} is not snake_case", table.name);
            assert!(is_sentence(column.doc), "{}.{name} has no sentence", table.name);
        }
    }
}

#[test]
fn a_table_of_several_protocols_is_one_declaration() {
    let mut known: BTreeMap<&str, &Table> = BTreeMap::new();
    for table in protocols::ALL.iter().flat_map(|protocol| protocol.tables) {
        let first = known.entry(table.name).or_insert(table);
        assert_eq!(first.columns, table.columns, "two tables are called {}", table.name);
    }
}

#[test]
fn the_manifest_describes_every_capture_as_it_is() {
    let manifest = captures::manifest();
    let mut described = BTreeSet::new();
    for capture in &manifest.capture {
        let bytes = std::fs::read(captures::file(&capture.path)).unwrap_or_default();
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hash, capture.sha256, "pcaps/{} is another file", capture.path);
        assert_eq!(bytes.len() as u64, capture.bytes, "pcaps/{}", capture.path);
        assert!(is_sentence(&capture.shows), "pcaps/{} shows nothing", capture.path);
        assert!(described.insert(capture.path.clone()), "pcaps/{} twice", capture.path);
    }
    let folder = captures::file("");
    for file in captures::files_below(&folder) {
        let path = file.strip_prefix(&folder).expect("below pcaps/").to_string_lossy();
        let is_capture = path.contains(".pcap");
        assert!(!is_capture || described.contains(&*path), "pcaps/{path} is not in the manifest");
    }
}

fn is_snake_case(name: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(letters)
}

fn is_sentence(doc: &str) -> bool {
    let doc = doc.trim();
    doc.len() > 8 && doc.ends_with(['.', '…'])
}
