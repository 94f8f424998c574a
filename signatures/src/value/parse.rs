//! From what is written to a [`Key`]: by its stated kind, or by its looks.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{
    Key, KeyBytes, Kind, Scope, ValueError, address_bytes, canonical_name, canonical_url, name,
};
use crate::limits;

impl Key {
    /// Reads a value whose kind is known.
    ///
    /// # Errors
    /// It is not of that kind, or would match far too much.
    pub fn parse(kind: Kind, written: &str) -> Result<Self, ValueError> {
        let written = checked(written)?;
        let exact = |bytes| Ok(Self::from_parts(kind, Scope::Exact, bytes));
        let fanged = || written_live(written);
        match kind {
            Kind::Domain => domain(&fanged()),
            Kind::Address => {
                let address: IpAddr = fanged().parse().map_err(|_| ValueError::Invalid(kind))?;
                exact(address_bytes(address))
            }
            Kind::Network => network(&fanged()),
            Kind::Endpoint => endpoint(&fanged()),
            Kind::Url => url(&fanged()),
            Kind::Ja3 | Kind::FileMd5 => exact(hash(kind, written, 16)?),
            Kind::CertificateSha1 | Kind::FileSha1 => exact(hash(kind, written, 20)?),
            Kind::CertificateSha256 | Kind::FileSha256 => exact(hash(kind, written, 32)?),
            Kind::Ja4 => {
                let lower = written.to_ascii_lowercase();
                if !is_ja4(lower.as_bytes()) {
                    return Err(ValueError::Invalid(kind));
                }
                exact(KeyBytes::from_slice(lower.as_bytes()))
            }
            Kind::FileName => {
                let path = canonical_path(written.as_bytes());
                if path.is_empty() || path.ends_with(b"/") {
                    return Err(ValueError::Invalid(kind));
                }
                exact(path)
            }
            Kind::UserAgent => exact(KeyBytes::from_slice(written.as_bytes())),
        }
    }

    /// Reads a value whose kind nobody said: addresses, networks, endpoints, URLs, hashes of files
    /// by their length, JA4, names.
    ///
    /// # Errors
    /// It looks like none of these.
    pub fn guess(written: &str) -> Result<Self, ValueError> {
        let written = checked(written)?;
        let live = written_live(written);
        if live.contains("://") {
            return url(&live);
        }
        if live.parse::<IpAddr>().is_ok() {
            return Self::parse(Kind::Address, &live);
        }
        if live.parse::<SocketAddr>().is_ok() {
            return endpoint(&live);
        }
        if let Some((host, rest)) = live.split_once('/') {
            let is_network = host.parse::<IpAddr>().is_ok()
                && !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_digit());
            return if is_network { network(&live) } else { url(&live) };
        }
        if written.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            match written.len() {
                32 => return Self::parse(Kind::FileMd5, written),
                40 => return Self::parse(Kind::FileSha1, written),
                64 => return Self::parse(Kind::FileSha256, written),
                _ => {}
            }
        }
        if is_ja4(written.to_ascii_lowercase().as_bytes()) {
            return Self::parse(Kind::Ja4, written);
        }
        match domain(&live) {
            Err(ValueError::Invalid(_)) => Err(ValueError::Unrecognised),
            answer => answer,
        }
    }
}

impl Key {
    /// A name as an allow-list may have it: a top-level domain, too.
    pub(crate) fn allowed_name(written: &str) -> Result<Self, ValueError> {
        let (rest, scope) = match written.strip_prefix("*.").or_else(|| written.strip_prefix('.')) {
            Some(rest) => (rest, Scope::Beneath),
            None => (written, Scope::Exact),
        };
        if rest.contains('*') {
            return Err(ValueError::Wildcard);
        }
        let key = Self::from_parts(Kind::Domain, Scope::Exact, canonical_name(rest.as_bytes())?);
        if scope == Scope::Beneath { key.with_subdomains() } else { Ok(key) }
    }
}

fn checked(written: &str) -> Result<&str, ValueError> {
    let written = written.trim();
    if written.is_empty() {
        return Err(ValueError::Empty);
    }
    if written.len() > limits::VALUE_BYTES { Err(ValueError::TooLong) } else { Ok(written) }
}

/// Undoes what people write so that nobody clicks on it.
fn written_live(written: &str) -> Cow<'_, str> {
    let mut live = Cow::Borrowed(written);
    for (safe, real) in [("[.]", "."), ("(.)", "."), ("[dot]", "."), ("[:]", ":"), ("[://]", "://")]
    {
        if live.contains(safe) {
            live = live.replace(safe, real).into();
        }
    }
    match live.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("hxxp") => format!("http{rest}").into(),
        _ => live,
    }
}

fn domain(written: &str) -> Result<Key, ValueError> {
    let key = Key::allowed_name(written)?;
    if name::labels(key.bytes()) < 2 { Err(ValueError::TopLevel) } else { Ok(key) }
}

fn network(written: &str) -> Result<Key, ValueError> {
    let key = network_of_any_size(written)?;
    match key.bytes() {
        [_, _, _, _, prefix] if *prefix < limits::SHORTEST_V4_PREFIX => Err(ValueError::TooWide),
        [.., prefix] if key.bytes().len() == 17 && *prefix < limits::SHORTEST_V6_PREFIX => {
            Err(ValueError::TooWide)
        }
        _ => Ok(key),
    }
}

/// A network, also one that is too large to be an indicator.
pub(crate) fn network_of_any_size(written: &str) -> Result<Key, ValueError> {
    let invalid = ValueError::Invalid(Kind::Network);
    let (address, prefix) = written.split_once('/').ok_or(invalid)?;
    let address: IpAddr = address.parse().map_err(|_| invalid)?;
    let mut prefix: u8 = prefix.parse().map_err(|_| invalid)?;
    let mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
    if mapped {
        prefix = prefix.checked_sub(96).ok_or(ValueError::TooWide)?;
    }
    let mut bytes = address_bytes(address);
    let width = if bytes.len() == 4 { 32 } else { 128 };
    if prefix > width {
        return Err(invalid);
    }
    if prefix == width {
        return Ok(Key::from_parts(Kind::Address, Scope::Exact, bytes));
    }
    for (byte, start) in bytes.iter_mut().zip((0_u8..).step_by(8)) {
        let kept = prefix.saturating_sub(start).min(8);
        *byte &= !(0xff_u16 >> kept).to_be_bytes()[1];
    }
    bytes.push(prefix);
    Ok(Key::from_parts(Kind::Network, Scope::Exact, bytes))
}

fn endpoint(written: &str) -> Result<Key, ValueError> {
    let endpoint: SocketAddr = written.parse().map_err(|_| ValueError::Invalid(Kind::Endpoint))?;
    let mut bytes = address_bytes(endpoint.ip());
    bytes.extend_from_slice(&endpoint.port().to_be_bytes());
    Ok(Key::from_parts(Kind::Endpoint, Scope::Exact, bytes))
}

fn url(written: &str) -> Result<Key, ValueError> {
    let (written, scope) = match written.strip_suffix('*') {
        Some(folder) if folder.ends_with('/') => (folder, Scope::Beneath),
        Some(_) => return Err(ValueError::Wildcard),
        None => (written, Scope::Exact),
    };
    Ok(Key::from_parts(Kind::Url, scope, canonical_url(written.as_bytes())?))
}

/// Hexadecimal in either case, with or without colons between the bytes.
fn hash(kind: Kind, written: &str, length: usize) -> Result<KeyBytes, ValueError> {
    let digits: Cow<'_, str> =
        if written.contains(':') { written.replace(':', "").into() } else { written.into() };
    let bytes =
        HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| ValueError::Invalid(kind))?;
    if bytes.len() == length {
        Ok(KeyBytes::from_slice(&bytes))
    } else {
        Err(ValueError::Invalid(kind))
    }
}

/// A file's path in lower case, its parts joined with `/`, without a leading one.
pub(crate) fn canonical_path(written: &[u8]) -> KeyBytes {
    let mut path = match std::str::from_utf8(written) {
        Ok(text) if !text.is_ascii() => KeyBytes::from_slice(text.to_lowercase().as_bytes()),
        _ => KeyBytes::from_slice(&written.to_ascii_lowercase()),
    };
    for byte in &mut path {
        if *byte == b'\\' {
            *byte = b'/';
        }
    }
    let leading = path.iter().take_while(|&&byte| byte == b'/').count();
    path.drain(..leading);
    path
}

/// Whether lower-case text has the shape of a JA4 fingerprint:
/// `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(crate) fn is_ja4(text: &[u8]) -> bool {
    let is_hash = |part: &[u8]| part.len() == 12 && part.iter().all(u8::is_ascii_hexdigit);
    let mut parts = text.split(|&byte| byte == b'_');
    let head = parts.next().is_some_and(|head| {
        head.len() == 10
            && head.iter().all(u8::is_ascii_alphanumeric)
            && head.first().is_some_and(|first| b"tqd".contains(first))
    });
    head && parts.next().is_some_and(is_hash)
        && parts.next().is_some_and(is_hash)
        && parts.next().is_none()
}
