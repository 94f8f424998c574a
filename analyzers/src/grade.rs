//! How much a thing matters: confidence, severity, stage of an attack, ATT&CK technique. In: the
//! words and numbers that feeds use. Out: one scale for each.

use std::fmt;

/// How sure the source is, in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence(u8);

impl Confidence {
    /// From per cent; more than 100 is none.
    #[must_use]
    pub const fn from_percent(percent: u8) -> Option<Self> {
        if percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// In per cent, 0 to 100.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Reads `75`, `75%`, `0.75`, or the words `low`, `medium`, `high` (30, 60, 90). Whole numbers
    /// are per cent; a fraction needs its point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let percent = match text.to_ascii_lowercase().as_str() {
            "low" => 30,
            "medium" => 60,
            "high" => 90,
            fraction if fraction.contains('.') => {
                let share: f64 = fraction.parse().ok()?;
                let percent = (share * 100.0).round();
                // Both ends are checked, so that nothing is cut off.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked to be 0 to 100"
                )]
                (0.0..=100.0).contains(&percent).then_some(percent as u8)?
            }
            number => number.trim_end_matches('%').trim_end().parse().ok()?,
        };
        Self::from_percent(percent)
    }
}

/// How bad a match is, 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(u8);

impl Severity {
    /// Worth knowing.
    pub const LOW: Self = Self(3);
    /// Look today.
    pub const MEDIUM: Self = Self(5);
    /// Look now.
    pub const HIGH: Self = Self(8);
    /// Wake somebody up.
    pub const SPECIAL: Self = Self(10);

    /// From its number, 1 to 10.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number >= 1 && number <= 10 { Some(Self(number)) } else { None }
    }

    /// 1 to 10.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its level by GB/T 20986-2023: `P0` special, `P1` major, `P2` larger, `P3` ordinary.
    #[must_use]
    pub const fn level(self) -> &'static str {
        match self.0 {
            10.. => "P0",
            8..=9 => "P1",
            5..=7 => "P2",
            _ => "P3",
        }
    }

    /// P1 or P0.
    #[must_use]
    pub const fn is_major(self) -> bool {
        self.0 >= Self::HIGH.0
    }

    /// One level less.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self.0 {
            10.. => Self::HIGH,
            8..=9 => Self::MEDIUM,
            5..=7 => Self::LOW,
            _ => self,
        }
    }

    /// A little more, as for a critical asset; never P0 by that alone.
    #[must_use]
    pub const fn raised(self) -> Self {
        if self.0 >= 9 { self } else { Self(self.0.saturating_add(1)) }
    }

    /// Reads a number, `P0` to `P3`, or `critical`, `high`, `medium`, `low`, `info`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "p0" | "critical" => Some(Self::SPECIAL),
            "p1" | "high" => Some(Self::HIGH),
            "p2" | "medium" => Some(Self::MEDIUM),
            "p3" | "low" => Some(Self::LOW),
            "info" => Some(Self(1)),
            number => Self::from_number(number.parse().ok()?),
        }
    }
}

/// A stage of an attack: the ATT&CK tactics that a network shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Looking for targets from outside.
    Reconnaissance,
    /// Getting in.
    InitialAccess,
    /// Running code.
    Execution,
    /// Staying.
    Persistence,
    /// Stealing names and secrets.
    CredentialAccess,
    /// Looking around inside.
    Discovery,
    /// Moving to other hosts.
    LateralMovement,
    /// Gathering.
    Collection,
    /// Taking orders.
    CommandAndControl,
    /// Taking data out.
    Exfiltration,
    /// Destroying, encrypting, mining.
    Impact,
}

impl Stage {
    /// All stages, in the order of an attack.
    pub const ALL: [Self; 11] = [
        Self::Reconnaissance,
        Self::InitialAccess,
        Self::Execution,
        Self::Persistence,
        Self::CredentialAccess,
        Self::Discovery,
        Self::LateralMovement,
        Self::Collection,
        Self::CommandAndControl,
        Self::Exfiltration,
        Self::Impact,
    ];

    /// Its name, as alerts spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reconnaissance => "reconnaissance",
            Self::InitialAccess => "initial_access",
            Self::Execution => "execution",
            Self::Persistence => "persistence",
            Self::CredentialAccess => "credential_access",
            Self::Discovery => "discovery",
            Self::LateralMovement => "lateral_movement",
            Self::Collection => "collection",
            Self::CommandAndControl => "command_and_control",
            Self::Exfiltration => "exfiltration",
            Self::Impact => "impact",
        }
    }

    /// Reads a tactic with any of space, `-` or `_` between its words, `c2`, or a phase of Lockheed
    /// Martin's kill chain.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        Some(match name.as_str() {
            "c2" | "c&c" | "cnc" => Self::CommandAndControl,
            "delivery" => Self::InitialAccess,
            "exploitation" => Self::Execution,
            "installation" => Self::Persistence,
            "actions_on_objectives" => Self::Impact,
            _ => *Self::ALL.iter().find(|stage| stage.name() == name)?,
        })
    }
}

/// An ATT&CK technique or sub-technique, such as `T1071.001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Technique {
    number: u16,
    sub: u16,
}

impl Technique {
    /// By its numbers; `sub` is 0 for the technique itself. Both have few digits.
    #[must_use]
    pub const fn new(number: u16, sub: u16) -> Self {
        Self { number, sub }
    }

    /// Reads `T1071` or `T1071.001`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix(['T', 't'])?;
        let (number, sub) = match digits.split_once('.') {
            Some((number, sub)) => (number, Some(sub)),
            None => (digits, None),
        };
        let is_number = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(number, 4) || sub.is_some_and(|sub| !is_number(sub, 3) || sub == "000") {
            return None;
        }
        Some(Self { number: number.parse().ok()?, sub: sub.map_or(Some(0), |s| s.parse().ok())? })
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{:04}", self.number)?;
        if self.sub != 0 { write!(f, ".{:03}", self.sub) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_read_from_per_cent_fractions_and_words() {
        for (text, expected) in [
            ("75", Some(75)),
            ("75%", Some(75)),
            ("1", Some(1)),
            ("1.0", Some(100)),
            ("0.855", Some(86)),
            (" High ", Some(90)),
            ("100", Some(100)),
            ("101", None),
            ("1.01", None),
            ("-1", None),
            ("-0.5", None),
            ("nan", None),
            ("", None),
        ] {
            assert_eq!(Confidence::parse(text).map(Confidence::percent), expected, "{text:?}");
        }
    }

    #[test]
    fn severity_is_read_from_numbers_and_names() {
        for (text, expected) in [
            ("P0", Some(10)),
            ("p3", Some(3)),
            ("critical", Some(10)),
            ("info", Some(1)),
            ("10", Some(10)),
            ("11", None),
            ("0", None),
            ("P4", None),
        ] {
            assert_eq!(Severity::parse(text).map(Severity::number), expected, "{text:?}");
        }
    }

    #[test]
    fn severity_has_four_levels() {
        let levels: Vec<_> =
            (1..=10).filter_map(Severity::from_number).map(Severity::level).collect();
        assert_eq!(levels, ["P3", "P3", "P3", "P3", "P2", "P2", "P2", "P1", "P1", "P0"]);
        let lowered = Severity::SPECIAL.lowered().lowered().lowered().lowered();
        assert_eq!(lowered, Severity::LOW);
        assert_eq!(Severity(9).raised(), Severity(9));
    }

    #[test]
    fn stages_and_techniques_are_read_as_feeds_spell_them() {
        for stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.name()), Some(stage));
        }
        assert_eq!(Stage::parse("Command-And-Control"), Some(Stage::CommandAndControl));
        assert_eq!(Stage::parse("c2"), Some(Stage::CommandAndControl));
        assert_eq!(Stage::parse("partying"), None);
        for (text, expected) in [
            ("T1071", Some("T1071")),
            ("t1071.001", Some("T1071.001")),
            ("T1071.1", None),
            ("T1071.000", None),
            ("T107", None),
            ("1071", None),
            ("T+071", None),
        ] {
            let technique = Technique::parse(text).map(|technique| technique.to_string());
            assert_eq!(technique.as_deref(), expected, "{text:?}");
        }
    }
}
