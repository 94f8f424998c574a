//! Security tokens of a session setup: NTLMSSP, bare or inside SPNEGO, and Kerberos.
//!
//! In: the token. Out: the names in it. RFC 4178 (SPNEGO), RFC 4121 4.1 (Kerberos in GSS-API),
//! RFC 4120 5.5.1 and 5.3 (AP-REQ and its ticket: the realm; the client's name is encrypted).
//! Both kinds are found by their own signature, so a wrapper that is odd or cut hides nothing.

use super::name::{Encoding, name};
use super::ntlmssp::{self, Message};
use super::table::{Weighed, weight};
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// The Kerberos mechanism's OID, its token id for AP-REQ, and AP-REQ's own tag.
const AP_REQ: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00, 0x6e];

const SEQUENCE: u8 = 0x30;
const TICKET: u8 = 0x61;

/// Names that tokens of one session have told so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Identity {
    /// Account.
    pub(super) user: Option<Text>,
    /// Domain of the account, or the service principal's realm.
    pub(super) domain: Option<Text>,
    /// The client's computer name.
    pub(super) workstation: Option<Text>,
    /// The server's computer name.
    pub(super) target: Option<Text>,
}

impl Identity {
    /// Adds what another token of the same session told.
    pub(super) fn merge(&mut self, later: Self) {
        let Self { user, domain, workstation, target } = later;
        for (known, new) in [
            (&mut self.user, user),
            (&mut self.domain, domain),
            (&mut self.workstation, workstation),
            (&mut self.target, target),
        ] {
            if new.is_some() {
                *known = new;
            }
        }
    }
}

impl Weighed for Identity {
    fn text_bytes(&self) -> usize {
        [&self.user, &self.domain, &self.workstation, &self.target]
            .into_iter()
            .map(|text| weight(text.as_ref()))
            .sum()
    }
}

/// The names in `token`.
///
/// # Errors
/// The NTLMSSP message or the Kerberos ticket contradicts its lengths.
pub(super) fn identity(token: &[u8]) -> Result<Identity, Malformed> {
    if let Some(message) = ntlmssp::message(token)? {
        return Ok(match message {
            Message::Challenge(target) => Identity { target, ..Identity::default() },
            Message::Authenticate { user, domain, workstation } => {
                Identity { user, domain, workstation, target: None }
            }
        });
    }
    Ok(Identity { domain: ticket_realm(token)?, ..Identity::default() })
}

/// The realm of the ticket in an AP-REQ.
fn ticket_realm(token: &[u8]) -> Result<Option<Text>, Malformed> {
    let Some(at) = memchr::memmem::find(token, AP_REQ) else { return Ok(None) };
    let mut r = Reader::new(token);
    r.skip(at.saturating_add(AP_REQ.len()), "Kerberos mechanism")?;
    length(&mut r, "AP-REQ")?;
    enter(&mut r, SEQUENCE, "AP-REQ")?;
    pass(&mut r, 0, "pvno")?;
    pass(&mut r, 1, "msg-type")?;
    pass(&mut r, 2, "ap-options")?;
    enter(&mut r, context(3), "ticket")?;
    enter(&mut r, TICKET, "ticket")?;
    enter(&mut r, SEQUENCE, "ticket")?;
    pass(&mut r, 0, "tkt-vno")?;
    enter(&mut r, context(1), "realm")?;
    r.u8("realm")?;
    let length = length(&mut r, "realm")?;
    Ok(name(r.take(length, "realm")?, Encoding::Oem))
}

const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// A DER length (X.690 8.1.3), of at most four bytes.
fn length(r: &mut Reader<'_>, field: &'static str) -> Result<usize, Malformed> {
    let first = r.u8(field)?;
    if first < 0x80 {
        return Ok(usize::from(first));
    }
    let bytes = r.take(usize::from(first & 0x7f), field)?;
    if bytes.len() > 4 {
        return Err(Malformed::bad_length(field, r.offset()));
    }
    Ok(bytes.iter().fold(0, |value: usize, byte| (value << 8) | usize::from(*byte)))
}

/// Steps into an element that must have `tag`.
fn enter(r: &mut Reader<'_>, tag: u8, field: &'static str) -> Result<usize, Malformed> {
    let at = r.offset();
    if r.u8(field)? != tag {
        return Err(Malformed::bad_value(field, at));
    }
    length(r, field)
}

/// Steps over a context element.
fn pass(r: &mut Reader<'_>, number: u8, field: &'static str) -> Result<(), Malformed> {
    let length = enter(r, context(number), field)?;
    r.skip(length, field)
}
