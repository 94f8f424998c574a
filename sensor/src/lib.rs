//! The sensor: everything that touches the world. In: packets from files or interfaces. Out: an
//! archive of records, streams of rows, a summary. The rooms, in the order in which a packet walks
//! through them:
//!
//! [`capture`] → [`decode`] → flow → stream → session → watch → archive

#![forbid(unsafe_code)]

pub mod archive;
pub mod capture;
pub mod decode;
pub mod rows;
pub mod schema;
