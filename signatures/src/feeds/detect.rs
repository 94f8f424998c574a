//! Which format a file has, by its first bytes. In: the head of a file. Out: a format; a plain list
//! where nothing else fits, for that refuses what it cannot read line by line.

use super::{Format, abuse_ch, csv, suricata};

/// Rows that must agree before a format without a header is believed.
const ROWS: usize = 20;

pub(super) fn format(head: &[u8]) -> Format {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') {
        // Which kind of JSON it is shows only when it is read.
        return Format::Stix;
    }
    let mut rows = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("#fields") || line.starts_with("#separator") {
            return Format::Zeek;
        }
        if abuse_ch::is_header(line) {
            return Format::AbuseCh;
        }
        if rows.is_empty() && csv::Map::parse(line, &[]).is_some() {
            return Format::Csv;
        }
        if !line.starts_with(['#', ';']) {
            rows.push(line);
        }
        if rows.len() == ROWS {
            break;
        }
    }
    let all = |test: fn(&str) -> bool| !rows.is_empty() && rows.iter().all(|row| test(row));
    if all(|row| suricata::reputation(row).is_some()) {
        Format::SuricataIprep
    } else if all(is_dataset_row) {
        Format::SuricataDataset
    } else {
        Format::Plain
    }
}

fn is_dataset_row(row: &str) -> bool {
    let (value, reputation) = row.split_once(',').unwrap_or((row, "0"));
    let is_number = reputation.trim().parse::<u16>().is_ok();
    is_number && (suricata::text_of(value).is_some() || row.contains(','))
}
