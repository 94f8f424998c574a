//! Tests of the capture room: files built byte by byte, whole and damaged, in; packets, problems
//! and counts out.

mod filters;
mod inputs;
mod packed;
mod pcap;
mod pcapng;
