//! Enrichment: what is known about the ends of a flow beside what the flow shows. [`geo`] says
//! where an address is and whose.

pub mod geo;
