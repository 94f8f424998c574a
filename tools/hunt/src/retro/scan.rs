//! Scans: the archive's rows whose values the matcher knows.
//!
//! The matcher is a function of the query engine, so that conditions on one column are evaluated
//! while that column alone is read; the rest of a row is read where there was a hit. A few exact
//! values are also named in the condition, for the bloom filters.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use analyzers::Timestamp;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{TimestampMicrosecondType, UInt16Type};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use signatures::{IndicatorSet, Matcher, Observable, Scope};

use super::Effort;
use super::alerts::{Alerts, Sighting};
use super::sources::{Seen, Shape, Source};
use crate::ask;
use crate::engine::Engine;
use crate::error::HuntError;
use crate::progress::Scanned;

/// Exact values that are named in a condition. With more, hardly a row group is without one that
/// its bloom filter lets pass in error, and the filters are read for nothing.
const NEEDLES: usize = 20;

/// What a value shows: to each reading of it the matcher is asked.
pub(super) fn readings(seen: Seen, text: &str, port: Option<u16>) -> Vec<Observable<'_>> {
    let bytes = text.as_bytes();
    let address = || text.parse::<IpAddr>().ok();
    match seen {
        Seen::Name => vec![name(text)],
        Seen::Address => address().map(Observable::Address).into_iter().collect(),
        Seen::Endpoint => match (address(), port) {
            (Some(address), Some(port)) => vec![Observable::Endpoint(address, port)],
            (Some(address), None) => vec![Observable::Address(address)],
            (None, _) => Vec::new(),
        },
        Seen::Url => vec![Observable::Url(bytes)],
        Seen::Ja3 => vec![Observable::Ja3(bytes)],
        Seen::Ja4 => vec![Observable::Ja4(bytes)],
        Seen::CertificateSha1 => vec![Observable::CertificateSha1(bytes)],
        Seen::CertificateSha256 => vec![Observable::CertificateSha256(bytes)],
        Seen::FileSha256 => vec![Observable::FileSha256(bytes)],
        Seen::FileName => vec![Observable::FileName(bytes)],
        Seen::UserAgent => vec![Observable::UserAgent(bytes)],
    }
}

/// A name, or the address that stands where a name could; a port behind it is passed over.
fn name(text: &str) -> Observable<'_> {
    let host = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { text }
        }
        _ => text,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_or(Observable::Domain(host.as_bytes()), Observable::Address)
}

/// Makes the matcher a function of the engine: `serval_known('name', value)`, with a port for
/// endpoints, and `serval_knows('name', list)`. Validity is asked of the hits, not here.
pub(super) fn register(engine: &Engine, matcher: &Arc<Matcher>) {
    let text = DataType::Utf8View;
    let list = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
    let one = |name: &str, types: Vec<DataType>| {
        let matcher = Arc::clone(matcher);
        function(name, types, move |seen, arrays, row| {
            let (values, ports) = (arrays[1].as_string_view(), arrays.get(2));
            let port = ports.map(|ports| ports.as_primitive::<UInt16Type>());
            let port = port.filter(|ports| !ports.is_null(row)).map(|ports| ports.value(row));
            !values.is_null(row) && is_known(&matcher.indicators, seen, values.value(row), port)
        })
    };
    engine.register(one("serval_known", vec![text.clone(), text.clone()]));
    engine.register(one("serval_known_at", vec![text.clone(), text.clone(), DataType::UInt16]));
    let set = Arc::clone(matcher);
    engine.register(function("serval_knows", vec![text, list], move |seen, arrays, row| {
        let lists = arrays[1].as_list::<i32>();
        if lists.is_null(row) {
            return false;
        }
        let values = lists.value(row);
        let known = |text| is_known(&set.indicators, seen, text, None);
        values.as_string::<i32>().iter().flatten().any(known)
    }));
}

fn is_known(set: &IndicatorSet, seen: Seen, text: &str, port: Option<u16>) -> bool {
    readings(seen, text, port).iter().any(|reading| !set.look_up_any_time(reading).is_empty())
}

fn function(
    name: &str,
    types: Vec<DataType>,
    known: impl Fn(Seen, &[ArrayRef], usize) -> bool + Send + Sync + 'static,
) -> ScalarUDF {
    create_udf(
        name,
        types,
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(move |args| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let words = arrays[0].as_string_view();
            let seen = (!words.is_empty())
                .then(|| words.value(0))
                .and_then(|word| Seen::ALL.into_iter().find(|seen| seen.word() == word));
            let found: BooleanArray = (0..words.len())
                .map(|row| Some(seen.is_some_and(|seen| known(seen, &arrays, row))))
                .collect();
            Ok(ColumnarValue::Array(Arc::new(found)))
        }),
    )
}

/// Looks through one source; hits go to `alerts`.
pub(super) async fn scan(
    engine: &Engine,
    source: &Source,
    alerts: &mut Alerts,
    effort: &mut Effort,
) -> Result<(), HuntError> {
    let set = &alerts.matcher().indicators;
    if source.seen.kinds().iter().all(|kind| set.count(*kind) == 0) {
        return Ok(());
    }
    let Source { table, value, .. } = source;
    let word = source.seen.word();
    let ask = match (source.shape, source.seen) {
        (Shape::List, _) => format!("serval_knows('{word}', {value})"),
        (Shape::One, Seen::Endpoint) => format!("serval_known_at('{word}', {value}, dst_port)"),
        (Shape::One, _) => format!("serval_known('{word}', {value})"),
    };
    let needles = match source.shape {
        Shape::One if source.seen.is_canonical() && source.column != "host" => {
            needles(set, source.seen)
        }
        _ => None,
    };
    let named = needles.map(|needles| {
        let needles: Vec<_> =
            needles.iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect();
        format!("{value} IN ({}) AND ", needles.join(", "))
    });
    let sql = format!(
        "SELECT ts, uid, src_ip, src_port, dst_ip, dst_port, sensor, {value} AS seen \
         FROM {table} WHERE {}{ask}",
        named.unwrap_or_default()
    );
    let answer = engine.query(&sql).await?;
    let plan = Arc::clone(&answer.plan);
    ask::pump(engine, answer, |batch| take(source, &batch, alerts)).await?;
    let (scanned, reading) = (Scanned::of(&plan), engine.ledger().reading());
    effort.columns += 1;
    effort.bytes_read += scanned.bytes as u64 + reading.bytes_asked;
    if effort.tables.insert(source.table) {
        effort.bytes_held += reading.bytes;
    }
    effort.groups_read += scanned.groups as u64;
    effort.groups_skipped += scanned.groups_skipped as u64 + reading.groups_ruled_out;
    Ok(())
}

/// The exact values that can match, if they are few and nothing else can.
fn needles(set: &IndicatorSet, seen: Seen) -> Option<Vec<String>> {
    if seen.kinds().iter().map(|kind| set.count(*kind)).sum::<usize>() > NEEDLES {
        return None;
    }
    let mut needles = HashSet::new();
    for indicator in set.indicators().filter(|known| seen.kinds().contains(&known.key.kind())) {
        let text = indicator.key.to_string();
        let text = match indicator.key.kind() {
            signatures::Kind::Network => return None,
            signatures::Kind::Endpoint => {
                text.parse::<std::net::SocketAddr>().ok()?.ip().to_string()
            }
            _ if indicator.key.scope() == Scope::Beneath => return None,
            _ => text,
        };
        needles.insert(text);
    }
    let mut needles: Vec<String> = needles.into_iter().collect();
    needles.sort();
    (!needles.is_empty()).then_some(needles)
}

fn take(source: &Source, batch: &RecordBatch, alerts: &mut Alerts) -> Result<(), HuntError> {
    let text = |name: &str| batch.column_by_name(name).map(|column| column.as_string_view());
    let port =
        |name: &str| batch.column_by_name(name).map(|column| column.as_primitive::<UInt16Type>());
    let (Some(ts), Some(seen)) = (batch.column_by_name("ts"), batch.column_by_name("seen")) else {
        return Ok(());
    };
    let ts = ts.as_primitive::<TimestampMicrosecondType>();
    for row in 0..batch.num_rows() {
        let value =
            |name| text(name).filter(|column| !column.is_null(row)).map(|column| column.value(row));
        let number =
            |name| port(name).filter(|column| !column.is_null(row)).map(|column| column.value(row));
        let values = match source.shape {
            Shape::One => vec![seen.as_string_view().value(row).to_owned()],
            Shape::List => {
                let list = seen.as_list::<i32>().value(row);
                list.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
            }
        };
        for value_seen in values {
            alerts.sighting(&Sighting {
                source,
                ts: Timestamp::from_nanos(ts.value(row).saturating_mul(1_000)),
                uid: value("uid"),
                src_ip: value("src_ip").and_then(|ip| ip.parse().ok()),
                src_port: number("src_port"),
                dst_ip: value("dst_ip").and_then(|ip| ip.parse().ok()),
                dst_port: number("dst_port"),
                seen: &value_seen,
            });
        }
    }
    Ok(())
}

/// Ids of the alerts that the archive has already.
pub(super) async fn known_alerts(engine: &Engine) -> Result<HashSet<String>, HuntError> {
    let answer = engine.query("SELECT alert_id FROM alert WHERE detector = 'intel'").await?;
    let mut known = HashSet::new();
    for batch in ask::collect(engine, answer).await? {
        let ids = batch.column(0).as_string_view();
        known.extend(ids.iter().flatten().map(str::to_owned));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_with_ports_and_as_addresses() {
        let ip = |text: &str| Observable::Address(text.parse().expect(text));
        for (text, expected) in [
            ("evil.example", Observable::Domain(b"evil.example")),
            ("evil.example:8443", Observable::Domain(b"evil.example")),
            ("evil.example:", Observable::Domain(b"evil.example")),
            ("203.0.113.9", ip("203.0.113.9")),
            ("203.0.113.9:80", ip("203.0.113.9")),
            ("2001:db8::1", ip("2001:db8::1")),
            ("[2001:db8::1]:443", ip("2001:db8::1")),
            ("a:b", Observable::Domain(b"a:b")),
        ] {
            assert_eq!(name(text), expected, "{text}");
        }
    }
}
