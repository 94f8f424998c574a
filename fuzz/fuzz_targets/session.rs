//! Pieces of one flow's payload into a session, or straight into one protocol's analyzer.
//!
//! In: a talk. Holds: no panic, the contract of steps, output in proportion to input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serval_fuzz::{Cut, Talk};

fuzz_target!(|bytes: &[u8]| {
    if let Some(talk) = Talk::read(bytes) {
        drop(talk.play(Cut::AsTold));
    }
});
