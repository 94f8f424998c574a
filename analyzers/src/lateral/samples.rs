//! Acts made by hand, for the detectors' tests.

use crate::detector::{Finding, Watcher};
use crate::detectors::samples::{Bench, flow, row};
use crate::protocols::smb::SmbRecord;

/// An act, and the second at which it is done.
pub(crate) type Step = (i64, Deed);

/// An act.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Smb(Vec<SmbRecord>),
    RpcOverTcp,
}

fn file(share: &str, path: &str, action: &'static str) -> SmbRecord {
    SmbRecord {
        command: Some(action),
        status: Some("STATUS_SUCCESS".into()),
        tree: Some(format!("\\\\dc1\\{share}").into()),
        path: Some(path.to_owned().into()),
        action: Some(action),
        bytes: (action != "delete").then_some(4_096),
        ..SmbRecord::empty()
    }
}

pub(crate) fn written(share: &str, path: &str) -> Deed {
    Deed::Smb(vec![file(share, path, "write")])
}

pub(crate) fn read(share: &str, path: &str) -> Deed {
    Deed::Smb(vec![file(share, path, "read")])
}

pub(crate) fn fetched(share: &str, path: &str) -> Deed {
    Deed::Smb(vec![file(share, path, "read"), file(share, path, "delete")])
}

pub(crate) fn pipe(name: &str) -> Deed {
    Deed::Smb(vec![file("IPC$", name, "open")])
}

pub(crate) fn call(interface: &'static str, operation: &'static str) -> Deed {
    Deed::Smb(vec![SmbRecord {
        pipe_service: Some(interface.into()),
        operation: Some(operation),
        ..file("IPC$", interface, "ioctl")
    }])
}

pub(crate) const fn over_tcp() -> Deed {
    Deed::RpcOverTcp
}

/// What a detector says about acts of one host on another.
pub(crate) fn play(watcher: Box<dyn Watcher>, steps: &[Step]) -> Vec<Finding> {
    let mut bench = Bench::new(watcher);
    let mut said = Vec::new();
    for (secs, deed) in steps {
        match deed {
            Deed::Smb(records) => {
                for record in records {
                    said.extend(bench.record(*secs, &flow("10.0.0.5", "10.0.0.9", 445), record));
                }
            }
            Deed::RpcOverTcp => {
                let mut record = row("SF");
                record.service = Some("dcerpc");
                said.extend(bench.row(*secs, &flow("10.0.0.5", "10.0.0.9", 49_155), &record));
            }
        }
    }
    said
}
