//! One flow's stream into one protocol's analyzer twice: in whole pieces, and cut into small ones.
//!
//! In: a talk, as for `session`. Holds: the rows are the same wherever segments end.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use serval_fuzz::{Cut, Talk};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(talk) = Talk::read(bytes).filter(Talk::is_driven_stream) else {
        return Corpus::Reject;
    };
    let whole = talk.play(Cut::Into(usize::MAX));
    for run in [1, 5] {
        let cut = talk.play(Cut::Into(run));
        assert!(whole.rows() == cut.rows(), "{whole}\nin runs of {run}:\n{cut}");
    }
    Corpus::Keep
});
