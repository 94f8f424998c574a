//! The hunt end to end: archives made from recorded captures, questions, answers.

mod answers;
mod archives;
mod canned;
mod forms;
mod laboratory;
mod mistakes;
mod reports;
mod retros;
