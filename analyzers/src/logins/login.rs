//! What counts as a login.
//!
//! In: events. Out: a login with its start, its user where the traffic tells, and why it counts.

use crate::detector::{Event, What};
use crate::flow_id::FlowId;
use crate::flow_record::FlowRecord;
use crate::limits::LOGIN_NAME_CHARACTERS;
use crate::protocols::rdp::RdpRecord;
use crate::protocols::smb::SmbRecord;
use crate::scene::schedule::Entrance;
use crate::scene::{Heading, Scene};
use crate::text::Text;
use crate::time::Timestamp;

/// Payload of either direction from which on an SSH connection is a session. Key exchange and six
/// refused passwords need less than three KiB of each.
pub(crate) const SSH_SESSION_BYTES: i64 = 4 * 1_024;

/// A login, or the use of a watched service.
#[derive(Clone, Debug)]
pub struct Login<'a> {
    /// Packet time of its beginning.
    pub ts: Timestamp,
    /// Its flow.
    pub flow: &'a FlowId,
    /// From where to where.
    pub heading: Heading,
    /// `rdp`, `ssh`, `smb`, else the name of the service or `tcp/PORT`.
    pub service: String,
    /// The user, escaped; `None` where the traffic does not tell.
    pub user: Option<String>,
    /// The table that has its row.
    pub table: &'static str,
    /// Why it counts.
    pub reason: &'static str,
}

impl<'a> Login<'a> {
    /// The login that an event shows.
    #[must_use]
    pub fn of(event: &Event<'a>, scene: &Scene) -> Option<Self> {
        let (service, user, table, reason) = match event.what {
            What::Row(record) => of_flow(event.flow, record, scene)?,
            What::Record(_) => match event.what.record::<RdpRecord>() {
                Some(record) => of_rdp(record)?,
                None => of_smb(event.what.record::<SmbRecord>()?)?,
            },
            _ => return None,
        };
        let (ts, flow, heading) = (event.ts, event.flow, event.heading);
        Some(Self { ts, flow, heading, service, user, table, reason })
    }

    /// As rules see it.
    #[must_use]
    pub fn entrance(&self) -> Entrance<'_> {
        Entrance {
            src: self.flow.src.ip,
            dst: self.flow.dst.ip,
            port: self.flow.dst.port,
            service: &self.service,
            user: self.user.as_deref(),
        }
    }
}

type Shown = (String, Option<String>, &'static str, &'static str);

fn of_rdp(record: &RdpRecord) -> Option<Shown> {
    let reason = match record.auth_likely {
        _ if record.transport != "tcp" => return None,
        Some(true) => "volume and time after the handshake are those of a desktop",
        None if record.result == "success" => "the connection succeeded in the clear",
        _ => return None,
    };
    Some(("rdp".to_owned(), name(record.cookie.as_ref()), "rdp", reason))
}

fn of_smb(record: &SmbRecord) -> Option<Shown> {
    let status = record.status.as_ref().map(Text::as_bytes);
    if record.command != Some("session_setup") || status != Some(b"STATUS_SUCCESS") {
        return None;
    }
    // Machines log on at all hours of the day, each by its own account.
    let user = name(record.user.as_ref()).filter(|user| !user.ends_with('$'))?;
    Some(("smb".to_owned(), Some(user), "smb", "the server accepted the session"))
}

fn of_flow(flow: &FlowId, record: &FlowRecord, scene: &Scene) -> Option<Shown> {
    if record.part != 1 || record.dst_bytes <= 0 {
        return None;
    }
    let service = match record.service {
        Some("rdp" | "smb") => return None,
        Some("ssh") => {
            let is_session =
                record.src_bytes >= SSH_SESSION_BYTES && record.dst_bytes >= SSH_SESSION_BYTES;
            let reason = "either side sent more than a refused logon does";
            return is_session.then(|| ("ssh".to_owned(), None, "flow", reason));
        }
        other => other,
    };
    let (src, dst, port) = (flow.src.ip, flow.dst.ip, flow.dst.port);
    let entrance = Entrance { src, dst, port, service: service.unwrap_or(""), user: None };
    if !scene.schedule.watches(&entrance) {
        return None;
    }
    let service = service.map_or_else(|| format!("{}/{port}", flow.transport), str::to_owned);
    Some((service, None, "flow", "a rule watches this service, and it answered"))
}

/// A user's name, safe to print and of bounded length.
pub(crate) fn name(text: Option<&Text>) -> Option<String> {
    let text = text?.escaped();
    let name: String = text.trim().chars().take(LOGIN_NAME_CHARACTERS).collect();
    (!name.is_empty()).then_some(name)
}
