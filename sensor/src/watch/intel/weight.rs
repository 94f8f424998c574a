//! How much it means where an indicator stood. A connection to a listed name is what the feed
//! warns of; an address is shared by many; a fingerprint by more.

use signatures::Kind;

/// The share of a feed's confidence that a sighting keeps, by table and column.
#[must_use]
pub(super) fn of(table: &str, column: &str, kind: Kind) -> f64 {
    match (table, column) {
        ("dns", "query") => 0.95,
        ("dns", _) => 0.8,
        ("http", "referrer" | "origin") => 0.5,
        ("tls", "san") => 0.7,
        _ => match kind {
            Kind::Ja3 | Kind::Ja4 => 0.4,
            Kind::FileName | Kind::UserAgent => 0.6,
            Kind::Address | Kind::Network | Kind::Endpoint => CONTACTED,
            _ => 1.0,
        },
    }
}

/// A question that was not answered, or answered with an address that leads nowhere: the host may
/// be infected, but talked to nobody.
pub(super) const BLOCKED: f64 = 0.9;

/// A packet to a listed address, or to one that a listed name resolved to.
pub(super) const CONTACTED: f64 = 0.7;

/// A packet from a listed address: half the Internet scans.
pub(super) const CAME_FROM: f64 = 0.35;

/// What a feed that says nothing of its confidence is taken for.
pub(super) const CONFIDENCE_UNSAID: f64 = 0.7;

/// Nothing that a sensor sees is certain.
pub(super) const CONFIDENCE_MAX: f64 = 0.99;
