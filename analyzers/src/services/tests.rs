//! Each service recognised by its first bytes, and what is not it left alone.
