//! Serval from end to end. In: the recorded captures under `pcaps/`, and packets built here. Out:
//! rows, compared with what was agreed on or with each other.
//!
//! What is generic walks the list of protocols and the captures, so that a new protocol is held to
//! it from its first day.

// What tests stand on.
mod captures; // where the recorded captures are, and what the manifest says of them
mod conversations; // what each flow of a capture said, and a session that is told it
mod dice; // random numbers that are the same on every run
mod packets; // a small builder of packets
mod replays; // captures or packets in, rows and counts out

// What must hold.
mod archives; // verified, compacted, pruned, killed in the middle
mod carving; // evidence: the packets of named flows
mod chain; // a compromised host, from the look-up to the desktops: one incident
mod cli; // the program: exit codes, messages, output
mod conformance; // real attacks that must be found, and what must not be
mod corpus; // a sample of foreign captures, where they are at hand
mod determinism; // the same rows for any number of workers, runs and files
mod evasions; // packets that try to hide a request
mod exhaustion; // a flood larger than the flow table
mod flips; // flipped bits are survived
mod gaps; // behind a hole the analyzers go on
mod golden; // captures and the rows that were agreed on
mod live; // interfaces: the rows of a replay, every packet accounted for
mod loss; // one packet in twenty is lost
mod metamorphic; // the same conversations in other packets give the same rows
mod registry; // what every protocol brings along
mod scenarios; // the laboratory's captures are what they say
mod splits; // where a stream is cut changes nothing
mod tidy; // the rules of the house, as far as a program can check them
mod truncation; // a conversation may end anywhere
mod tune; // what `serval tune` foretells is what a replay does
mod worst_cases; // inputs that are made to cost
