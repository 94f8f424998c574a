//! DCE/RPC over a named pipe (C706 §12.6): a bind, calls, answers.

use super::fields::{Fields, long, short};

/// An interface of DCE/RPC: its UUID as it stands on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Interface([u8; 16]);

/// Services: 367abb81-9844-35f1-ad32-98f038001003.
pub const SVCCTL: Interface = Interface([
    0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0, 0x10, 0x03,
]);

/// Scheduled jobs: 1ff70682-0a51-30e8-076d-740be8cee98b.
pub const ATSVC: Interface = Interface([
    0x82, 0x06, 0xf7, 0x1f, 0x51, 0x0a, 0xe8, 0x30, 0x07, 0x6d, 0x74, 0x0b, 0xe8, 0xce, 0xe9, 0x8b,
]);

/// Operations of `svcctl` and `atsvc` (MS-SCMR §3.1.4, MS-TSCH §3.2.5.2).
pub mod operation {
    /// `RCloseServiceHandle`.
    pub const CLOSE_HANDLE: u16 = 0;
    /// `RDeleteService`.
    pub const DELETE_SERVICE: u16 = 2;
    /// `RCreateServiceW`.
    pub const CREATE_SERVICE: u16 = 12;
    /// `ROpenSCManagerW`.
    pub const OPEN_MANAGER: u16 = 15;
    /// `RStartServiceW`.
    pub const START_SERVICE: u16 = 19;
    /// `NetrJobAdd`.
    pub const JOB_ADD: u16 = 0;
}

/// Kinds of messages.
mod kind {
    pub(super) const REQUEST: u8 = 0;
    pub(super) const RESPONSE: u8 = 2;
    pub(super) const BIND: u8 = 11;
}

/// Arguments and results that nobody reads.
const STUB: [u8; 40] = [0x20; 40];

/// Network data representation 2.0, as every bind names it, with its version.
const REPRESENTATION: [u8; 20] = [
    0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0, 0x2b, 0x10, 0x48, 0x60, 2,
    0, 0, 0,
];

fn message(kind: u8, call: u32, body: &[u8]) -> Vec<u8> {
    Fields::default()
        .bytes(&[5, 0, kind, 3, 0x10, 0, 0, 0])
        .u16(short(16 + body.len()))
        .u16(0)
        .u32(call)
        .bytes(body)
        .0
}

/// Asks for an interface.
#[must_use]
pub fn bind(Interface(uuid): Interface) -> Vec<u8> {
    let body = Fields::default()
        .u16(4_280)
        .u16(4_280)
        .u32(0)
        .u8(1)
        .zeros(3)
        .u16(0)
        .u8(1)
        .u8(0)
        .bytes(&uuid)
        .u32(2)
        .bytes(&REPRESENTATION);
    message(kind::BIND, 1, &body.0)
}

/// Calls an operation.
#[must_use]
pub fn request(call: u32, operation: u16) -> Vec<u8> {
    let body = Fields::default().u32(long(STUB.len())).u16(0).u16(operation).bytes(&STUB);
    message(kind::REQUEST, call, &body.0)
}

/// What comes of it.
#[must_use]
pub fn response(call: u32) -> Vec<u8> {
    let body = Fields::default().u32(long(STUB.len())).u16(0).zeros(2).bytes(&STUB);
    message(kind::RESPONSE, call, &body.0)
}
