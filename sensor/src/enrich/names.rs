//! What addresses are called: passive DNS by originator, and the names that flows themselves say.
//!
//! In: DNS answers, TLS server names, HTTP hosts. Out: the best known name of a flow's responder.
//! Two hosts may get different answers for one name, and one address serves many names, so that
//! what the originator itself asked for is the best guess where the flow is silent.

use std::net::IpAddr;
use std::sync::Arc;

use analyzers::protocols::dns::DnsRecord;
use analyzers::protocols::http::HttpRecord;
use analyzers::protocols::tls::TlsRecord;
use analyzers::{FlowId, Recent, Text, Uid, What};

use super::Name;

/// Answers that are remembered, by who asked and the address: about 200 bytes each. A host that
/// resolves names without end pushes out what was asked for longest ago.
const ANSWERS_MAX: usize = 131_072;

/// Flows whose own name is remembered until they end.
const FLOWS_MAX: usize = 65_536;

/// Names of addresses and flows.
pub struct Names {
    answers: Recent<(IpAddr, IpAddr), Name>,
    flows: Recent<Uid, Name>,
}

impl Default for Names {
    fn default() -> Self {
        Self { answers: Recent::new(ANSWERS_MAX), flows: Recent::new(FLOWS_MAX) }
    }
}

impl Names {
    /// Learns what an event says about names.
    pub fn learn(&mut self, flow: &FlowId, what: &What<'_>) {
        if let Some(dns) = what.record::<DnsRecord>() {
            self.learn_answers(flow.src.ip, dns);
        } else if let Some(tls) = what.record::<TlsRecord>() {
            self.learn_flow(flow, tls.sni.as_ref().map(Text::as_bytes));
        } else if let Some(http) = what.record::<HttpRecord>() {
            let host = http.host.as_ref().map(|host| without_port(host.as_bytes()));
            self.learn_flow(flow, host);
        }
    }

    /// The best known name of a flow's responder.
    pub fn of(&mut self, flow: &FlowId) -> Option<Name> {
        let own = self.flows.get_mut(&flow.uid);
        own.or_else(|| self.answers.get_mut(&(flow.src.ip, flow.dst.ip))).cloned()
    }

    /// The flow is over.
    pub fn forget(&mut self, flow: &FlowId) {
        self.flows.remove(&flow.uid);
    }

    /// Names that are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.answers.len() + self.flows.len()
    }

    /// Names that were forgotten because a table was full.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.answers.evicted() + self.flows.evicted()
    }

    fn learn_answers(&mut self, client: IpAddr, dns: &DnsRecord) {
        let (Some(query), Some(answers)) = (&dns.query, &dns.answers) else { return };
        let mut name = None;
        for answer in answers {
            let Some(address) = address_in(answer.as_bytes()) else { continue };
            let name = name.get_or_insert_with(|| Arc::new(query.clone()));
            self.answers.insert((client, address), Arc::clone(name));
        }
    }

    fn learn_flow(&mut self, flow: &FlowId, name: Option<&[u8]>) {
        let Some(name) = name.filter(|name| !name.is_empty() && address_in(name).is_none()) else {
            return;
        };
        if self.flows.peek(&flow.uid).is_none_or(|known| known.as_bytes() != name) {
            self.flows.insert(flow.uid, Arc::new(Text::wire(&name.to_ascii_lowercase())));
        }
    }
}

/// A host as requests name it, without its port.
#[must_use]
pub fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|&byte| byte == b':') {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
        _ => host,
    }
}

/// The address that a text is, if it is one; IPv6 with or without brackets.
#[must_use]
pub fn address_in(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_loses_its_port_and_keeps_its_colons() {
        for (host, expected) in [
            ("example.org", "example.org"),
            ("example.org:8080", "example.org"),
            ("[2001:db8::1]:80", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("a:b", "a:b"),
            (":", ""),
            ("", ""),
        ] {
            assert_eq!(without_port(host.as_bytes()), expected.as_bytes(), "{host}");
        }
    }

    #[test]
    fn addresses_are_told_from_names() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("example.org", None),
            ("1.2.3", None),
            ("", None),
        ] {
            assert_eq!(address_in(text.as_bytes()), expected.map(|e| e.parse().unwrap()), "{text}");
        }
    }
}
