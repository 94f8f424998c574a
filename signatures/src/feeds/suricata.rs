//! Suricata's lists. Datasets (`dataset`, `datarep`): a value a line, strings in Base64, hashes in
//! hexadecimal, addresses as they are; a datarep adds `,value`. Reputation (`iprep`): address or
//! network, category, score from 1 to 127.

use std::io::BufRead;

use data_encoding::BASE64;

use super::{Place, Reading, lines, quoted};
use crate::{Confidence, Key, Validity, ValueError};

/// The best score of an iprep list.
const SCORE_MAX: u16 = 127;

pub(super) fn read_dataset(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    lines::for_each(reading, content, |reading, (number, line)| {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let value = line.split_once(',').map_or(line, |(value, _)| value.trim_end());
        let mut context = reading.context();
        if let Some((_, reputation)) = line.split_once(',') {
            if reputation.trim().parse::<u16>().is_err() {
                let reason = format!("reputation {} is not a number", quoted(reputation));
                return reading.refuse_line(number, reason);
            }
            context.tags.push(format!("reputation {}", reputation.trim()));
        }
        let key = match text_of(value) {
            Some(text) => reading.key(&text),
            None => reading.key(value),
        };
        match key {
            Err(ValueError::Unrecognised | ValueError::TopLevel) => {
                let reason =
                    format!("{} is no address, hash, or known thing in Base64", quoted(value));
                reading.refuse_line(number, reason);
            }
            key => reading.take(key, context, Validity::default(), Place::Line(number)),
        }
    });
}

/// The text inside Base64; none for hashes and addresses, which stand as they are.
pub(super) fn text_of(value: &str) -> Option<String> {
    if Key::guess(value).is_ok() {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(value.as_bytes()).ok()?).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

pub(super) fn read_reputation(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    lines::for_each(reading, content, |reading, (number, line)| {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let Some((value, category, score)) = reputation(line) else {
            return reading
                .refuse_line(number, "not address,category,score with a score of 1 to 127");
        };
        let mut context = reading.context();
        context.tags.push(format!("category {category}"));
        let percent = u8::try_from(score * 100 / SCORE_MAX).ok();
        context.confidence = percent.and_then(Confidence::from_percent);
        let kind = if value.contains('/') { crate::Kind::Network } else { crate::Kind::Address };
        reading.take(Key::parse(kind, value), context, Validity::default(), Place::Line(number));
    });
}

/// Address, category and score of a line.
pub(super) fn reputation(line: &str) -> Option<(&str, u8, u16)> {
    let mut parts = line.split(',').map(str::trim);
    let (value, category, score) = (parts.next()?, parts.next()?, parts.next()?);
    let category = category.parse().ok()?;
    let score = score.parse().ok().filter(|score| (1..=SCORE_MAX).contains(score))?;
    parts.next().is_none().then_some((value, category, score))
}
