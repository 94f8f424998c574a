//! NTP, version 4 (RFC 5905): a client asks, a server tells the time.

use analyzers::Timestamp;

/// Seconds from 1900 to 1970.
const ERA: i64 = 2_208_988_800;

/// What a client sends.
#[must_use]
pub fn question(now: Timestamp) -> Vec<u8> {
    packet(0x23, 0, now)
}

/// What a server of the second stratum answers.
#[must_use]
pub fn answer(now: Timestamp) -> Vec<u8> {
    packet(0x24, 2, now)
}

fn packet(first: u8, stratum: u8, now: Timestamp) -> Vec<u8> {
    let mut packet = vec![first, stratum, 6, 0xe9];
    packet.extend([0, 0, 1, 0, 0, 0, 2, 0]);
    packet.extend(if stratum == 0 { [0; 4] } else { [17, 253, 34, 123] });
    packet.resize(40, 0);
    let seconds = now.nanos().div_euclid(1_000_000_000) + ERA;
    let low = u32::try_from(seconds & 0xffff_ffff).expect("32 bits");
    packet.extend(low.to_be_bytes());
    packet.extend([0x5a; 4]);
    packet
}
