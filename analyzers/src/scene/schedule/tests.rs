//! Calendars, zones and rules, case by case.

use super::*;

fn calendar() -> Calendar {
    let mut calendar = Calendar::default();
    let text = r#"{"year": 2025, "days": [
        {"name": "春节", "date": "2025-01-26", "isOffDay": false},
        {"name": "春节", "date": "2025-01-28", "isOffDay": true},
        {"name": "国庆节", "date": "2025-10-01", "isOffDay": true},
        {"name": "国庆节", "date": "2025-10-11", "isOffDay": false}]}"#;
    calendar.add("cn.json", text).unwrap();
    calendar
}

fn schedule(settings: &str, zone: &str) -> Schedule {
    Schedule::new(&toml::from_str(settings).unwrap(), zone, calendar()).unwrap()
}

fn entrance<'a>(user: Option<&'a str>, service: &'a str, port: u16) -> Entrance<'a> {
    let (src, dst) = ("10.1.0.5".parse().unwrap(), "10.2.0.10".parse().unwrap());
    Entrance { src, dst, port, service, user }
}

/// Whether an entrance at a local time is allowed, and by which rule.
fn ask(schedule: &Schedule, at: &str, entrance: &Entrance<'_>) -> Option<(String, bool)> {
    let local: DateTime = at.parse().unwrap();
    let instant = schedule.zone.to_ambiguous_zoned(local).compatible().unwrap().timestamp();
    let local = schedule.local(Timestamp::from_nanos(instant.as_second() * 1_000_000_000));
    let ruling = schedule.ruling(entrance, &local)?;
    Some((ruling.rule.to_owned(), ruling.is_allowed))
}

#[test]
fn the_built_in_rule_is_exact_on_every_kind_of_day() {
    let schedule = schedule("", "Asia/Shanghai");
    for (at, what, expected) in [
        ("2025-03-05T02:00:00", "night of a workday", false),
        ("2025-03-05T10:00:00", "workday", true),
        ("2025-03-05T07:29:59", "before the grace", false),
        ("2025-03-05T07:30:00", "inside the grace", true),
        ("2025-03-07T18:29:59", "Friday, inside the grace", true),
        ("2025-03-07T18:30:00", "Friday, at its end", false),
        ("2025-03-07T18:31:00", "Friday, behind it", false),
        ("2025-03-08T10:00:00", "Saturday", false),
        ("2025-10-01T10:00:00", "holiday on a Wednesday", false),
        ("2025-10-11T10:00:00", "make-up Saturday", true),
        ("2025-01-26T10:00:00", "make-up Sunday", true),
        ("2025-01-26T20:00:00", "evening of a make-up Sunday", false),
        ("2027-01-01T10:00:00", "a Friday that no calendar covers", true),
    ] {
        let asked = ask(&schedule, at, &entrance(None, "rdp", 3389));
        assert_eq!(asked, Some(("work hours".to_owned(), expected)), "{at}: {what}");
        assert_eq!(ask(&schedule, at, &entrance(None, "ssh", 22)), None, "{at}: {what}");
    }
}

#[test]
fn clocks_that_are_turned_change_nothing() {
    for (zone, utc, expected, allowed) in [
        // Summer time begins on 2025-03-30 at 01:00 UTC, and ends on 2025-10-26.
        ("Europe/Berlin", "2025-03-28T06:45:00Z", "2025-03-28T07:45:00+01:00", true),
        ("Europe/Berlin", "2025-03-31T05:45:00Z", "2025-03-31T07:45:00+02:00", true),
        ("Europe/Berlin", "2025-03-31T05:15:00Z", "2025-03-31T07:15:00+02:00", false),
        ("Europe/Berlin", "2025-03-30T00:59:59Z", "2025-03-30T01:59:59+01:00", false),
        ("Europe/Berlin", "2025-03-30T01:00:00Z", "2025-03-30T03:00:00+02:00", false),
        ("Europe/Berlin", "2025-10-26T00:30:00Z", "2025-10-26T02:30:00+02:00", false),
        ("Europe/Berlin", "2025-10-26T01:30:00Z", "2025-10-26T02:30:00+01:00", false),
        ("Europe/Berlin", "2025-10-27T06:45:00Z", "2025-10-27T07:45:00+01:00", true),
        ("America/New_York", "2025-03-10T11:45:00Z", "2025-03-10T07:45:00-04:00", true),
        ("America/New_York", "2025-03-07T12:45:00Z", "2025-03-07T07:45:00-05:00", true),
    ] {
        let schedule = schedule("", zone);
        let instant: jiff::Timestamp = utc.parse().unwrap();
        let local = schedule.local(Timestamp::from_nanos(instant.as_second() * 1_000_000_000));
        assert_eq!(local.text, expected);
        let ruling = schedule.ruling(&entrance(None, "rdp", 3389), &local).unwrap();
        assert_eq!(ruling.is_allowed, allowed, "{utc}");
    }
}

const RULES: &str = r#"
roles = { operator = ["zhang", "10.9.0.0/16"] }
rules = [
  { id = "on call", who = "role:operator", service = "rdp", days = "all", hours = "00:00-24:00" },
  { who = "administrator", service = ["rdp", "ssh"], hours = "08:00-12:00" },
  { who = "10.1.0.5", service = "ssh", days = ["sat", "sun"], hours = "22:00-06:00" },
  { service = "database", dst = "10.2.0.10", days = "all", hours = "06:00-22:00" },
  { service = 8443, hours = "08:00-18:00" },
]"#;

#[test]
fn the_first_rule_about_a_login_decides() {
    let schedule = schedule(RULES, "Asia/Shanghai");
    for (at, user, service, port, expected) in [
        ("2025-03-05T02:00:00", Some("ZHANG"), "rdp", 3389, Some(("on call", true))),
        ("2025-03-05T02:00:00", Some("CORP\\zhang"), "rdp", 3389, Some(("on call", true))),
        ("2025-03-05T02:00:00", Some("wang"), "rdp", 3389, Some(("work hours", false))),
        ("2025-03-05T14:00:00", Some("Administrator"), "rdp", 3389, Some(("rule 2", false))),
        ("2025-03-05T14:00:00", Some("administr"), "rdp", 3389, Some(("rule 2", false))),
        ("2025-03-05T14:00:00", Some("admin"), "rdp", 3389, Some(("work hours", true))),
        // The night that begins on Sunday ends on Monday, and Saturday's begins on Saturday.
        ("2025-03-10T05:00:00", None, "ssh", 22, Some(("rule 3", true))),
        ("2025-03-08T05:00:00", None, "ssh", 22, Some(("rule 3", false))),
        ("2025-03-05T23:00:00", None, "postgresql", 5432, Some(("rule 4", false))),
        ("2025-03-05T23:00:00", None, "tls", 1433, Some(("rule 4", false))),
        ("2025-03-05T23:00:00", None, "tls", 8443, Some(("rule 5", false))),
        ("2025-03-05T23:00:00", None, "http", 80, None),
    ] {
        let asked = ask(&schedule, at, &entrance(user, service, port));
        let asked = asked.as_ref().map(|(rule, is_allowed)| (rule.as_str(), *is_allowed));
        assert_eq!(asked, expected, "{at} {user:?} {service}");
    }
    assert!(schedule.watches(&entrance(None, "mysql", 3306)));
    assert!(!schedule.watches(&entrance(None, "http", 80)));
}

#[test]
fn mistakes_say_what_to_write() {
    for (settings, expected) in [
        ("work_hours = \"8-18\"", "are no hours"),
        ("work_days = [\"mo\"]", "is no day of the week"),
        ("rules = [{ who = \"10.0.0/8\" }]", "names nobody"),
        ("rules = [{ days = \"sometimes\" }]", "are no days"),
        ("rules = [{ hour = \"08:00-18:00\" }]", "unknown field `hour`"),
        ("grace = \"soon\"", "not a span of time"),
    ] {
        let error = toml::from_str::<Settings>(settings).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let settings: Settings = toml::from_str("rules = [{ who = \"role:ops\" }]").unwrap();
    let error = Schedule::new(&settings, "UTC", Calendar::default()).unwrap_err();
    assert!(error.contains("no role \"ops\""), "{error}");
    let error = Schedule::new(&Settings::default(), "Mars/Olympus", Calendar::default());
    assert!(error.unwrap_err().contains("is no time zone"));
}
