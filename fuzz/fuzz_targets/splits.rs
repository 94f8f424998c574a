//! One flow's stream into one protocol's analyzer twice: in whole pieces, and cut into small ones.
//!
//! In: a talk, as for `session`. Holds: the rows are the same wherever segments end, as long as
//! nothing is odd: who lost the place in a stream may look for it where a segment begins. So does
//! HTTP for the end of a body whose length nobody told, wherefore it is left out.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use serval_fuzz::{Cut, Talk};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(talk) =
        Talk::read(bytes).filter(|talk| talk.is_driven_stream() && talk.protocol() != "http")
    else {
        return Corpus::Reject;
    };
    let whole = talk.play(Cut::Into(usize::MAX));
    for run in [1, 5] {
        let cut = talk.play(Cut::Into(run));
        let same = whole.rows() == cut.rows() || !whole.is_orderly() || !cut.is_orderly();
        assert!(same, "{whole}\nin runs of {run}:\n{cut}");
    }
    Corpus::Keep
});
