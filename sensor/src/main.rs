//! The program `serval`.

fn main() {}
