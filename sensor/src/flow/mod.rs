//! Flows: packets between the same two ends, counted, timed and named.
//!
//! In: decoded packets with the capture's clock. Out: [`Event`](crate::event::Event)s: flow rows,
//! and what the flow's session has to say. A flow lives in one shard of the table; shards share
//! nothing, so that the result does not depend on which worker owns which.

pub mod community_id;
pub mod expiry;
pub mod history;
pub mod key;
pub mod one;
mod streams;
pub mod table;
pub mod tcp;
pub mod uid;
pub mod weirds;

#[cfg(test)]
pub mod tests;

pub use key::{FlowKey, SHARDS, Sender, VlanInKey};
pub use one::Flow;
pub use table::{FlowSettings, FlowTable};
