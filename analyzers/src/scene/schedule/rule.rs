//! Rules: who may log on to what, when and how often.
//!
//! In: `[schedule] rules`. Out: whether a rule is about a login. The first rule that is decides.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::hours::{Days, Hours};
use crate::scene::assets::Network;

/// Letters of a user's name that RDP clients put into their cookie.
const COOKIE_LETTERS: usize = 9;

/// One rule, as written; what it does not say is anything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// What alerts call it.
    pub id: Option<String>,
    /// Who: an address or a network, a user's name, or `role:NAME`.
    pub who: Option<Who>,
    /// To which service.
    pub service: Services,
    /// To which hosts.
    pub dst: Option<Network>,
    /// On which days it allows; by default on workdays.
    pub days: Days,
    /// At which hours it allows; by default the work hours.
    pub hours: Option<Hours>,
    /// How many logins in an hour it allows.
    pub max_per_hour: Option<u32>,
}

/// A login, or the use of a service, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    /// Where it came from.
    pub src: IpAddr,
    /// Where it went.
    pub dst: IpAddr,
    /// The responder's port.
    pub port: u16,
    /// The service, by its name in `flow.service`.
    pub service: &'a str,
    /// The user, where the traffic tells.
    pub user: Option<&'a str>,
}

/// Who a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Hosts.
    Hosts(IpNet),
    /// A user, in lower case, without a domain.
    User(String),
    /// The members of a role.
    Role(String),
}

impl Who {
    /// Reads one; only a role may have a colon that is no address's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(role) = text.strip_prefix("role:") {
            return (!role.is_empty()).then(|| Self::Role(role.to_owned()));
        }
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        if let Ok(network) = network {
            return Some(Self::Hosts(network.trunc()));
        }
        let is_name = !text.is_empty() && !text.contains(['/', ':', ' ']);
        is_name.then(|| Self::User(plain_user(text)))
    }

    /// Whether it names this user or host; roles are the schedule's to know.
    #[must_use]
    pub fn is(&self, entrance: &Entrance<'_>) -> bool {
        match self {
            Self::Hosts(network) => network.contains(&entrance.src),
            Self::User(name) => entrance.user.is_some_and(|user| is_user(name, user)),
            Self::Role(_) => false,
        }
    }
}

/// A user's name in lower case without the domain before `\` or behind `@`.
#[must_use]
pub fn plain_user(text: &str) -> String {
    let name = text.rsplit_once('\\').map_or(text, |(_, name)| name);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    name.to_lowercase()
}

/// Whether a name from the wire is the named user; cookies are cut short.
fn is_user(name: &str, wire: &str) -> bool {
    let wire = plain_user(wire);
    name == wire || (wire.chars().count() == COOKIE_LETTERS && name.starts_with(&wire))
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} names nobody; write an address, a network, a user or \"role:NAME\""
            ))
        })
    }
}

/// The services of a rule; none is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services(pub Vec<Service>);

/// One service of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// By its name in `flow.service`.
    Named(String),
    /// By its port.
    Port(u16),
    /// Any data base.
    Database,
}

/// Names of `flow.service` that are data bases.
const DATABASES: [&str; 6] = ["mysql", "postgresql", "mssql", "oracle", "mongodb", "redis"];

/// Usual ports of data bases, for what is encrypted from its first byte.
const DATABASE_PORTS: [u16; 6] = [1433, 1521, 3306, 5432, 6379, 27017];

impl Services {
    /// Whether it is any service.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is that of an entrance.
    #[must_use]
    pub fn have(&self, entrance: &Entrance<'_>) -> bool {
        self.is_any()
            || self.0.iter().any(|service| match service {
                Service::Named(name) => name == entrance.service,
                Service::Port(port) => *port == entrance.port,
                Service::Database => {
                    DATABASES.contains(&entrance.service) || DATABASE_PORTS.contains(&entrance.port)
                }
            })
    }
}

impl<'de> Deserialize<'de> for Services {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Port(u16),
            Word(String),
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMore {
            One(Written),
            More(Vec<Written>),
        }
        let written = match OneOrMore::deserialize(deserializer)? {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        };
        let mut services = Vec::new();
        for one in written {
            services.push(match one {
                Written::Port(port) => Service::Port(port),
                Written::Word(word) => match word.to_ascii_lowercase().as_str() {
                    "any" | "all" => return Ok(Self::default()),
                    "database" => Service::Database,
                    name => {
                        name.parse().map_or_else(|_| Service::Named(name.to_owned()), Service::Port)
                    }
                },
            });
        }
        Ok(Self(services))
    }
}
