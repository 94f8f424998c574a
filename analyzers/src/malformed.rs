//! The closed parse error: what was wrong, in which field, and where. Cheap to make and to drop.

use std::fmt;

/// Why bytes could not be read as the specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedKind {
    /// The field runs past the end of the bytes that are there.
    Truncated,
    /// The value is not one that the specification allows.
    BadValue,
    /// A length contradicts another length.
    BadLength,
    /// A bound of [`crate::limits`] was reached.
    LimitReached,
}

/// A parse error: its kind, the field's name in our words, and the offset in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What was wrong.
    pub kind: MalformedKind,
    /// The field that was being read.
    pub field: &'static str,
    /// Offset of that field, in bytes from the start of what the [`crate::Reader`] was given.
    pub offset: usize,
}

impl Malformed {
    /// A value that the specification does not allow.
    #[must_use]
    pub const fn bad_value(field: &'static str, offset: usize) -> Self {
        Self { kind: MalformedKind::BadValue, field, offset }
    }

    /// A length that contradicts another.
    #[must_use]
    pub const fn bad_length(field: &'static str, offset: usize) -> Self {
        Self { kind: MalformedKind::BadLength, field, offset }
    }

    /// A bound that was reached.
    #[must_use]
    pub const fn limit(field: &'static str, offset: usize) -> Self {
        Self { kind: MalformedKind::LimitReached, field, offset }
    }

    /// Whether more bytes could make it right.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        matches!(self.kind, MalformedKind::Truncated)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            MalformedKind::Truncated => "cut short",
            MalformedKind::BadValue => "bad value",
            MalformedKind::BadLength => "bad length",
            MalformedKind::LimitReached => "limit reached",
        };
        write!(f, "{} in {} at byte {}", what, self.field, self.offset)
    }
}
