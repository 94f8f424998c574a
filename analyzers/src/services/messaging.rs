//! Message brokers: MQTT (OASIS MQTT 3.1.1 and 5.0) and AMQP (0-9-1 and ISO/IEC 19464).
//!
//! In: the first bytes of either side. Out: a verdict.

use super::{NAMED, stream, uses};
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol};
use crate::reader::Reader;

/// Message queuing telemetry transport.
pub const MQTT: Protocol = Protocol {
    name: "mqtt",
    doc: "Message queuing telemetry transport.",
    specifications: &["MQTT 3.1.1 §3.1", "MQTT 5.0 §3.1"],
    ports: &[1_883],
    probe: |probe| stream(is_mqtt(probe)),
    ..NAMED
};

/// Advanced message queuing.
pub const AMQP: Protocol = Protocol {
    name: "amqp",
    doc: "Advanced message queuing.",
    specifications: &["AMQP 0-9-1 §4.2.2", "ISO/IEC 19464 §2.2"],
    ports: &[5_672],
    probe: |probe| stream(is_amqp(probe.bytes)),
    ..NAMED
};

/// A connection is asked for by the protocol's name; bare answers and pings prove little off the
/// port.
fn is_mqtt(probe: &Probe<'_>) -> Result<bool, Malformed> {
    let mut r = Reader::new(probe.bytes);
    match r.u8("packet type")? {
        0x10 => is_mqtt_connection(&mut r),
        0x20 => {
            length(&mut r)?;
            let (flags, reason) = (r.u8("flags")?, r.u8("reason")?);
            Ok(uses(probe, MQTT.ports) && flags <= 1 && (reason <= 5 || reason >= 0x80))
        }
        0xc0 | 0xd0 => Ok(uses(probe, MQTT.ports) && r.u8("length")? == 0),
        _ => Ok(false),
    }
}

fn is_mqtt_connection(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    length(r)?;
    match r.u16("name length")? {
        4 => Ok(r.take(4, "name")? == b"MQTT"),
        6 => Ok(r.take(6, "name")? == b"MQIsdp"),
        _ => Ok(false),
    }
}

/// Passes by a packet's length: four bytes at most, of which the last has no high bit (§2.2.3).
fn length(r: &mut Reader<'_>) -> Result<(), Malformed> {
    for _ in 0..4 {
        if r.u8("length")? < 0x80 {
            break;
        }
    }
    Ok(())
}

fn is_amqp(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    let name: [u8; 4] = r.array("name")?;
    let version: [u8; 4] = r.array("version")?;
    Ok(&name == b"AMQP" && matches!(version, [0..=3, 0..=1, 0..=9, 0..=1]))
}
