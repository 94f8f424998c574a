//! URLs: host in canonical form, port unless it is 80 or 443, path, query. Scheme, user and
//! fragment are not kept: Zeek's feeds lack the first, a server never sees the last.

use std::net::{IpAddr, Ipv6Addr};

use super::{KeyBytes, Kind, ValueError, canonical_name};
use crate::limits;

/// The canonical form of a URL, with or without its scheme.
pub(crate) fn canonical_url(written: &[u8]) -> Result<KeyBytes, ValueError> {
    if written.len() > limits::VALUE_BYTES {
        return Err(ValueError::TooLong);
    }
    let written = without_scheme(written);
    let written = written.split(|&byte| byte == b'#').next().unwrap_or_default();
    let end = written.iter().position(|byte| b"/?".contains(byte)).unwrap_or(written.len());
    let (authority, rest) = written.split_at(end);
    let mut url = canonical_authority(authority).ok_or(ValueError::Invalid(Kind::Url))?;
    if !rest.starts_with(b"/") {
        url.push(b'/');
    }
    if rest.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
        return Err(ValueError::Invalid(Kind::Url));
    }
    url.extend_from_slice(rest);
    Ok(url)
}

/// The host of a canonical URL: a name, or an address.
pub(crate) fn host_of(url: &[u8]) -> Result<IpAddr, &[u8]> {
    let end = url.iter().position(|&byte| byte == b'/').unwrap_or(url.len());
    let authority = url.get(..end).unwrap_or_default();
    let host = split_port(authority).map_or(authority, |(host, _)| host);
    address_in(host).ok_or(host)
}

/// The address in a canonical URL, where its host is one.
#[must_use]
pub fn host_of_url(url: &[u8]) -> Option<IpAddr> {
    host_of(url).ok()
}

fn without_scheme(written: &[u8]) -> &[u8] {
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    match written.windows(3).position(|three| three == b"://") {
        Some(at) if written.iter().take(at).all(is_scheme) => {
            written.get(at + 3..).unwrap_or_default()
        }
        _ => written,
    }
}

fn canonical_authority(authority: &[u8]) -> Option<KeyBytes> {
    let host_port = authority.rsplit(|&byte| byte == b'@').next()?;
    let (host, port) = match split_port(host_port) {
        Some((host, port)) => (host, port),
        None => (host_port, None),
    };
    let mut out = match address_in(host) {
        Some(IpAddr::V4(four)) => KeyBytes::from_slice(four.to_string().as_bytes()),
        Some(IpAddr::V6(six)) => KeyBytes::from_slice(format!("[{six}]").as_bytes()),
        None => canonical_name(host).ok()?,
    };
    if let Some(port) = port.filter(|port| ![80, 443].contains(port)) {
        out.extend_from_slice(format!(":{port}").as_bytes());
    }
    Some(out)
}

/// Host and port, where there is a colon behind the host.
fn split_port(authority: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let at = authority.iter().rposition(|&byte| byte == b':')?;
    let (host, port) = (authority.get(..at)?, authority.get(at + 1..)?);
    if host.starts_with(b"[") && !host.ends_with(b"]") {
        return None;
    }
    if port.is_empty() {
        return Some((host, None));
    }
    Some((host, Some(std::str::from_utf8(port).ok()?.parse().ok()?)))
}

fn address_in(host: &[u8]) -> Option<IpAddr> {
    let host = std::str::from_utf8(host).ok()?;
    if let Some(six) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return six.parse::<Ipv6Addr>().ok().map(|six| IpAddr::V6(six).to_canonical());
    }
    host.parse().ok().map(IpAddr::V4)
}
