//! Enrichment: what is known about the ends of a flow beside what the flow shows. [`geo`] says
//! where an address is and whose; [`names`] says what it was called.
//!
//! In: records and flow rows in the one order of the second stage. Out: filled columns.

pub mod geo;
pub mod names;

use std::sync::Arc;

use analyzers::{FlowId, FlowRecord, Heading, Text};

use geo::{Geo, GeoFacts};
use names::Names;

/// What fills the columns that packets alone do not tell.
#[derive(Default)]
pub struct Enrich {
    /// What addresses are called.
    pub names: Names,
    geo: Option<Geo>,
}

impl Enrich {
    /// With databases of countries and systems, where there are some.
    #[must_use]
    pub fn new(geo: Option<Geo>) -> Self {
        Self { names: Names::default(), geo }
    }

    /// Fills a flow row.
    pub fn fill(&mut self, flow: &FlowId, heading: Heading, row: &mut FlowRecord) {
        row.direction = Some(heading.name());
        row.dst_name = self.names.of(flow).map(|name| Text::clone(&name));
        let Some(geo) = &mut self.geo else { return };
        let src = geo.look_up(flow.src.ip);
        let dst = geo.look_up(flow.dst.ip);
        row.dst_as_org = dst.as_org.map(|org| Text::from(org.to_string()));
        row.src_country = src.country.map(Text::from);
        row.dst_country = dst.country.map(Text::from);
        (row.src_asn, row.dst_asn) = (src.asn, dst.asn);
    }

    /// What is known about an address.
    pub fn look_up(&mut self, address: std::net::IpAddr) -> GeoFacts {
        self.geo.as_mut().map(|geo| geo.look_up(address)).unwrap_or_default()
    }
}

/// A name, shared by all who remember it.
pub type Name = Arc<Text>;
