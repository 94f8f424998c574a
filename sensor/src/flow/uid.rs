//! A flow's uid: a hash of when it began and between whom, so that the same capture names its flows
//! alike on every run.

use std::net::IpAddr;

use analyzers::{Endpoint, Timestamp, Transport, Uid};
use sha1::{Digest as _, Sha1};

/// Makes uids for one sensor, so that two sensors that see the same flow do not give it one name.
#[derive(Clone, Debug)]
pub struct UidMaker {
    seeded: Sha1,
}

impl UidMaker {
    /// For the sensor of that name.
    #[must_use]
    pub fn new(sensor: &str) -> Self {
        let mut seeded = Sha1::new();
        seeded.update(sensor.as_bytes());
        seeded.update([0]);
        Self { seeded }
    }

    /// The uid of the flow whose first packet came at `start`; `ordinal` tells apart flows between
    /// the same endpoints that began at the same instant.
    #[must_use]
    pub fn make(
        &self,
        start: Timestamp,
        src: Endpoint,
        dst: Endpoint,
        transport: Transport,
        vlan: Option<u16>,
        ordinal: u32,
    ) -> Uid {
        let mut hash = self.seeded.clone();
        hash.update(start.nanos().to_be_bytes());
        for end in [src, dst] {
            match end.ip {
                IpAddr::V4(ip) => hash.update(ip.octets()),
                IpAddr::V6(ip) => hash.update(ip.octets()),
            }
            hash.update(end.port.to_be_bytes());
        }
        hash.update([transport.0]);
        hash.update(vlan.unwrap_or(u16::MAX).to_be_bytes());
        hash.update(ordinal.to_be_bytes());
        let mut number = [0; 16];
        number.copy_from_slice(&hash.finalize()[..16]);
        Uid(u128::from_be_bytes(number))
    }
}
