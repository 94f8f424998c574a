//! `domain(name)`: the part of a name that somebody registered.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_array::cast::AsArray as _;
use arrow_schema::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `domain(name)`: the registrable domain by the Public Suffix List; null for addresses, single
/// labels and public suffixes themselves. A port is passed over, as HTTP's Host has one.
pub(super) fn domain() -> ScalarUDF {
    create_udf(
        "domain",
        vec![DataType::Utf8View],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(|args| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let names = arrays[0].as_string_view();
            let domains: StringViewArray =
                names.iter().map(|name| name.and_then(registrable)).collect();
            Ok(ColumnarValue::Array(Arc::new(domains)))
        }),
    )
}

fn registrable(name: &str) -> Option<String> {
    let host = match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => name,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return None;
    }
    psl::domain_str(&host).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_those_of_the_public_list() {
        for (name, expected) in [
            ("www.example.com", Some("example.com")),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("WWW.Example.COM.", Some("example.com")),
            ("www.example.com:8443", Some("example.com")),
            ("example.com", Some("example.com")),
            ("com", None),
            ("localhost", None),
            ("10.1.2.3", None),
            ("10.1.2.3:80", None),
            ("[2001:db8::1]:80", None),
            ("2001:db8::1", None),
            ("", None),
        ] {
            assert_eq!(registrable(name).as_deref(), expected, "{name}");
        }
    }
}
