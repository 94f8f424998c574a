//! Services that speak in lines of words, and how much their first words prove.
//!
//! In: the first bytes of a direction. Out: a verdict. Letters count alike in either case.

use super::uses;
use crate::protocol::{Probe, Verdict};

/// Longest first line that is waited for: twice what mail servers may greet with (RFC 5321 §4.5.3).
const LINE_BYTES: usize = 1_024;

/// Beginnings of a service's lines.
pub(super) struct Words {
    /// No other protocol has a line that begins so.
    pub(super) certain: &'static [&'static str],
    /// Others have: certain on the service's port, elsewhere a reason to read on.
    pub(super) likely: &'static [&'static str],
}

impl Words {
    /// Judges bytes by how they begin, and by the lines behind a beginning that is only likely.
    pub(super) fn verdict(&self, probe: &Probe<'_>, ports: &[u16]) -> Verdict {
        let bytes = probe.bytes;
        if begins_any(bytes, self.certain) {
            return Verdict::Certain;
        }
        if begins_any(bytes, self.likely) {
            let mut later = bytes.split_inclusive(|byte| *byte == b'\n').skip(1);
            let later = later.any(|line| begins_any(line, self.certain));
            return if later || uses(probe, ports) { Verdict::Certain } else { Verdict::Unsure };
        }
        let may_become = |word: &&str| begins(word.as_bytes(), bytes);
        if self.certain.iter().chain(self.likely).any(may_become) {
            Verdict::Unsure
        } else {
            Verdict::NotForUs
        }
    }
}

/// Judges the first line once it is complete; until then only that it may become one.
pub(super) fn first_line(bytes: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> Verdict {
    match lines(bytes).next() {
        Some(line) if is_text(line) && is_ours(line) => Verdict::Certain,
        None if is_text(bytes.trim_ascii_end()) => Verdict::Unsure,
        Some(_) | None => Verdict::NotForUs,
    }
}

/// Whether `bytes` begin with `start`.
pub(super) fn begins(bytes: &[u8], start: &[u8]) -> bool {
    bytes.get(..start.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(start))
}

/// Whether `bytes` begin with one of the words.
pub(super) fn begins_any(bytes: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| begins(bytes, word.as_bytes()))
}

/// Whether `bytes` hold `word` anywhere.
pub(super) fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// The lines, without their ends. One that has none yet counts once it is too long to wait for.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n") || line.len() >= LINE_BYTES)
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

/// Whether a line is printable in any of the alphabets that servers greet in.
pub(super) fn is_text(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || *byte == b'\t')
}

/// Whether bytes are a number.
pub(super) fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// Certain when a condition holds.
pub(super) const fn certain_if(condition: bool) -> Verdict {
    if condition { Verdict::Certain } else { Verdict::NotForUs }
}

/// The firmer of two verdicts.
pub(super) const fn firmer(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Certain, _) | (_, Verdict::Certain) => Verdict::Certain,
        (Verdict::Unsure, _) | (_, Verdict::Unsure) => Verdict::Unsure,
        _ => Verdict::NotForUs,
    }
}
