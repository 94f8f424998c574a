//! Serval's laboratory: captures with labels, by seed, and how alerts compare with the labels.
//!
//! In: the name of a scenario and a seed. Out: packets, in memory for a test or in a file, and what
//! is in them; and, from alerts, how much of it was found. The same seed gives the same bytes.

pub mod benign;
pub mod campaigns;
pub mod dice;
pub mod errands;
pub mod evaluate;
pub mod label;
pub mod packet;
pub mod pcap;
pub mod scenario;
pub mod scene;
pub mod site;
pub mod speech;
pub mod surroundings;
pub mod talk;
pub mod tcp;
pub mod world;

pub use scenario::{Capture, Play, ScenarioError, Wish, scenario};
