//! The list of protocols. To add one: a folder beside this file, and its word below.

use crate::protocol::Protocol;

macro_rules! protocols {
    ($($name:ident)*) => {
        $(pub mod $name;)*

        /// Every protocol, in the order in which probes are asked when no port says otherwise.
        pub static ALL: &[&Protocol] = &[$(&$name::PROTOCOL),*];
    };
}

protocols! { dns http tls quic smb rdp }

/// The protocol of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Protocol> {
    ALL.iter().copied().find(|protocol| protocol.name == name)
}
