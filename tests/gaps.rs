//! A hole in a stream costs what lay in it: the analyzers go on behind it.

use std::collections::BTreeMap;
use std::ops::Range;

use sensor::rows::UtcText;

use crate::conversations::{self, Content, Conversation, Piece};
use crate::replays::{self, Row};

/// Pieces of a conversation that are taken out, one after the other.
const HOLES_MAX: usize = 60;

/// Share of the rows that lie outside the hole that must be there, in percent.
const FOUND_PERCENT_MIN: usize = 90;

/// Columns that tell of the row's place in the flow, or of what other rows said.
const NEIGHBOURS: &[&str] = &["depth", "dialect", "ntlm_target", "path", "action", "pipe_service"];
const LOGON: &[&str] = &["user", "domain", "workstation", "tree", "share_type", "version"];

/// Rows that lie outside the hole, and of those the rows that were found with it.
#[derive(Default)]
struct Figures {
    outside: usize,
    found: usize,
}

#[test]
fn behind_a_hole_the_analyzers_go_on() {
    let mut figures: BTreeMap<&str, Figures> = BTreeMap::new();
    for stream in conversations::all().iter().filter(|stream| stream.is_stream()) {
        let whole = stream.said();
        let (Some(service), false) = (whole.service, whole.records.is_empty()) else { continue };
        let rows: Vec<Row> = whole.records.iter().map(|row| parsed(row)).collect();
        let spans = spans(stream, &rows);
        let stride = stream.pieces.len().div_ceil(HOLES_MAX);
        for hole in (0..stream.pieces.len()).step_by(stride) {
            let told = conversations::said(stream.context, &with_hole(stream, hole));
            let mut told: Vec<String> =
                told.records.iter().map(|row| alone(&parsed(row))).collect();
            let outside = rows.iter().zip(&spans).filter(|(_, span)| !span.contains(&hole));
            for (row, _) in outside {
                let figures = figures.entry(service).or_default();
                figures.outside += 1;
                if let Some(at) = told.iter().position(|other| *other == alone(row)) {
                    told.swap_remove(at);
                    figures.found += 1;
                }
            }
        }
    }
    for service in ["dns", "http", "smb", "tls", "rdp"] {
        let Figures { outside, found } = figures.get(service).expect("rows outside holes");
        let percent = 100 * found / outside;
        println!("{service}: {found} of {outside} rows outside the hole, {percent} %");
        assert!(percent >= FOUND_PERCENT_MIN, "{service}: {found} of {outside} rows");
    }
}

/// The pieces that each row was made of: from its first packet to the piece that completed it.
fn spans(stream: &Conversation, rows: &[Row]) -> Vec<Range<usize>> {
    let complete = stream.complete_after_each_piece();
    let times = stream.pieces.iter().map(|piece| UtcText(piece.time).to_string());
    let times: Vec<String> = times.collect();
    let span = |(at, row): (usize, &Row)| {
        let first = times.iter().position(|time| row["ts"] == time.as_str()).unwrap_or(0);
        let last = complete.iter().position(|rows| *rows > at).unwrap_or(times.len());
        first..last + 1
    };
    rows.iter().enumerate().map(span).collect()
}

/// The conversation with a gap in place of one piece.
fn with_hole(stream: &Conversation, hole: usize) -> Vec<Piece> {
    let mut pieces = stream.pieces.clone();
    let piece = &mut pieces[hole];
    piece.content = match &piece.content {
        Content::Bytes(bytes) => Content::Gap(bytes.len() as u64),
        other => other.clone(),
    };
    pieces
}

fn parsed(row: &str) -> Row {
    serde_json::from_str(row).expect("a row")
}

/// A row without what depends on others.
fn alone(row: &Row) -> String {
    replays::without(row, &[NEIGHBOURS, LOGON].concat())
}
