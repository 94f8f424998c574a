//! A site: its time zone, its working days, its addresses.
//!
//! In: what the clock on the wall says. Out: packet time, and back. Days that are worked or rested
//! otherwise than their weekday says are in the lab's calendar, in the schema of holiday-cn.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use analyzers::Timestamp;
use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::TimeZone;
use serde_json::json;

/// A festival of nine days, the Saturdays before and after it worked for it.
const FESTIVAL: (Date, Date) = (date(2026, 2, 15), date(2026, 2, 23));
const MADE_UP: [Date; 2] = [date(2026, 2, 14), date(2026, 2, 28)];

/// A site.
#[derive(Clone, Debug)]
pub struct Site {
    zone_name: String,
    zone: TimeZone,
    /// Days that are not as their weekday says: whether they are worked.
    calendar: BTreeMap<Date, Day>,
}

/// What a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// It is worked.
    Work,
    /// It is not.
    Rest,
}

impl Site {
    /// A site in that zone, with the lab's calendar.
    ///
    /// # Errors
    /// The zone is not known.
    pub fn new(zone_name: &str) -> Result<Self, jiff::Error> {
        let zone = TimeZone::get(zone_name)?;
        let (first, last) = FESTIVAL;
        let rests = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
        let calendar =
            rests.map(|day| (day, Day::Rest)).chain(MADE_UP.map(|day| (day, Day::Work))).collect();
        Ok(Self { zone_name: zone_name.to_owned(), zone, calendar })
    }

    /// The zone's name.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Packet time of a clock on the wall; the first, where it says so twice.
    ///
    /// # Panics
    /// Beyond the years that clocks know.
    #[must_use]
    pub fn at(&self, day: Date, hour: i8, minute: i8) -> Timestamp {
        let local = day.at(hour, minute, 0, 0);
        let zoned = local.to_zoned(self.zone.clone()).expect("a time of our days");
        Timestamp::from_secs_nanos(zoned.timestamp().as_second(), 0)
    }

    /// Day and time of the clock on the wall.
    ///
    /// # Panics
    /// Beyond the years that clocks know.
    #[must_use]
    pub fn clock(&self, time: Timestamp) -> (Date, Time) {
        let seconds = time.nanos().div_euclid(1_000_000_000);
        let stamp = jiff::Timestamp::from_second(seconds).expect("a time of our days");
        let local = self.zone.to_datetime(stamp);
        (local.date(), local.time())
    }

    /// What a day is.
    #[must_use]
    pub fn day(&self, day: Date) -> Day {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let usual = if weekend { Day::Rest } else { Day::Work };
        self.calendar.get(&day).copied().unwrap_or(usual)
    }

    /// The calendar as a file.
    #[must_use]
    pub fn calendar_json(&self) -> String {
        let days: Vec<_> = self
            .calendar
            .iter()
            .map(|(day, kind)| {
                json!({"name": "lab", "date": day.to_string(), "isOffDay": *kind == Day::Rest})
            })
            .collect();
        format!("{:#}\n", json!({"year": 2026, "days": days}))
    }
}

/// An address of the site: 10.20.subnet.host.
#[must_use]
pub const fn home(subnet: u8, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 20, subnet, host))
}

/// The network of all of them.
pub const HOME_NETWORK: &str = "10.20.0.0/16";

/// The site's own servers.
pub mod servers {
    use std::net::IpAddr;

    use super::home;

    /// Answers names.
    pub const RESOLVER: IpAddr = home(0, 53);
    /// Knows every user.
    pub const DOMAIN_CONTROLLER: IpAddr = home(0, 10);
    /// Keeps files.
    pub const FILES: IpAddr = home(0, 20);
    /// Hands updates out.
    pub const UPDATES: IpAddr = home(0, 30);
    /// From where administrators go everywhere.
    pub const JUMP: IpAddr = home(0, 40);
    /// Asks whether everything is well.
    pub const MONITOR: IpAddr = home(0, 50);
    /// Looks for weaknesses, as it is allowed to.
    pub const SCANNER: IpAddr = home(0, 60);
    /// An address that nobody uses.
    pub const CANARY: IpAddr = home(250, 250);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_follow_their_zone_over_a_change() {
        let site = Site::new("America/New_York").unwrap();
        for (day, hour, utc_hour) in [(date(2026, 3, 6), 8, 13), (date(2026, 3, 9), 8, 12)] {
            let time = site.at(day, hour, 0);
            assert_eq!(time.nanos() / 3_600_000_000_000 % 24, utc_hour);
            assert_eq!(site.clock(time), (day, jiff::civil::time(hour, 0, 0, 0)));
        }
        assert!(Site::new("Mars/Olympus").is_err());
    }

    #[test]
    fn the_calendar_goes_before_the_weekday() {
        let site = Site::new("Asia/Shanghai").unwrap();
        for (day, kind) in [
            (date(2026, 2, 27), Day::Work),
            (date(2026, 2, 28), Day::Work),
            (date(2026, 2, 23), Day::Rest),
            (date(2026, 3, 7), Day::Rest),
        ] {
            assert_eq!(site.day(day), kind, "{day}");
        }
        assert!(site.calendar_json().contains("\"date\": \"2026-02-28\""));
    }
}
