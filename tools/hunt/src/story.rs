//! Everything about one host, or about one flow, over all tables.

use std::net::IpAddr;

use analyzers::tables;

use crate::ask::{say, write_part};
use crate::engine::Engine;
use crate::error::HuntError;
use crate::hunts::{Parameter, fill};
use crate::output::{Parts, Target};

/// A part of a host's story.
struct Chapter {
    title: &'static str,
    sql: &'static str,
}

/// What there is to know about `$host`; the most telling first.
const HOST: &[Chapter] = &[
    Chapter {
        title: "at a glance",
        sql: "SELECT min(ts) AS first_ts, max(end_ts) AS last_ts, count(*) AS flows, \
              sum(CASE WHEN src_ip = $host THEN 1 ELSE 0 END) AS as_client, \
              sum(CASE WHEN dst_ip = $host THEN 1 ELSE 0 END) AS as_server, \
              sum(CASE WHEN src_ip = $host THEN src_bytes ELSE dst_bytes END) AS sent_bytes, \
              sum(CASE WHEN src_ip = $host THEN dst_bytes ELSE src_bytes END) AS received_bytes, \
              count(DISTINCT CASE WHEN src_ip = $host THEN dst_ip ELSE src_ip END) AS peers, \
              max(CASE WHEN src_ip = $host THEN src_mac ELSE dst_mac END) AS mac \
              FROM flow WHERE src_ip = $host OR dst_ip = $host HAVING count(*) > 0",
    },
    Chapter {
        title: "alerts",
        sql: "SELECT ts, severity, detector, title, confidence, indicator, count, alert_id \
              FROM alert WHERE host = $host OR src_ip = $host OR dst_ip = $host \
              ORDER BY severity, ts LIMIT 100",
    },
    Chapter {
        title: "services it offers",
        sql: "SELECT dst_port AS port, proto, max(service) AS service, \
              count(DISTINCT src_ip) AS clients, count(*) AS flows, \
              sum(src_bytes) AS received_bytes, sum(dst_bytes) AS sent_bytes, \
              min(ts) AS first_ts, max(ts) AS last_ts FROM flow \
              WHERE dst_ip = $host AND dst_packets > 0 AND proto IN ('tcp', 'udp') \
              GROUP BY dst_port, proto ORDER BY flows DESC, port LIMIT 30",
    },
    Chapter {
        title: "whom it talks to",
        sql: "SELECT dst_ip, dst_port AS port, proto, max(service) AS service, \
              max(dst_name) AS name, count(*) AS flows, \
              sum(CASE WHEN dst_packets = 0 OR state = 'REJ' THEN 1 ELSE 0 END) AS failed, \
              sum(src_bytes + dst_bytes) AS bytes, sum(src_bytes) AS sent_bytes, \
              sum(dst_bytes) AS received_bytes, min(ts) AS first_ts, max(ts) AS last_ts \
              FROM flow WHERE src_ip = $host GROUP BY dst_ip, dst_port, proto \
              ORDER BY bytes DESC, dst_ip, port LIMIT 50",
    },
    Chapter {
        title: "names it looks up",
        sql: "SELECT domain(query) AS domain, count(DISTINCT query) AS names, \
              count(*) AS queries, \
              sum(CASE WHEN rcode = 'NXDOMAIN' THEN 1 ELSE 0 END) AS nxdomain, \
              min(query) AS a_name, min(ts) AS first_ts, max(ts) AS last_ts \
              FROM dns WHERE src_ip = $host AND query IS NOT NULL GROUP BY domain(query) \
              ORDER BY queries DESC, domain LIMIT 50",
    },
    Chapter {
        title: "TLS servers it asks for",
        sql: "SELECT sni, count(*) AS handshakes, max(version) AS version, max(ja4) AS ja4, \
              max(issuer) AS issuer, min(dst_ip) AS a_server, min(ts) AS first_ts, \
              max(ts) AS last_ts FROM tls WHERE src_ip = $host GROUP BY sni \
              ORDER BY handshakes DESC, sni LIMIT 50",
    },
    Chapter {
        title: "HTTP servers it asks",
        sql: "SELECT host, user_agent, count(*) AS requests, min(method) AS a_method, \
              min(uri) AS a_uri, sum(request_body_bytes) AS sent_bytes, \
              sum(response_body_bytes) AS received_bytes, min(ts) AS first_ts, \
              max(ts) AS last_ts FROM http WHERE src_ip = $host GROUP BY host, user_agent \
              ORDER BY requests DESC, host LIMIT 50",
    },
    Chapter {
        title: "remote desktop",
        sql: "SELECT src_ip, dst_ip, cookie, client_name, result, count(*) AS sessions, \
              sum(CASE WHEN auth_likely THEN 1 ELSE 0 END) AS logons, min(ts) AS first_ts, \
              max(ts) AS last_ts FROM rdp WHERE src_ip = $host OR dst_ip = $host \
              GROUP BY src_ip, dst_ip, cookie, client_name, result \
              ORDER BY sessions DESC, src_ip, dst_ip LIMIT 50",
    },
    Chapter {
        title: "accounts and shares over SMB",
        sql: "SELECT src_ip, dst_ip, command, status, \"user\", domain, tree, \
              count(*) AS requests, sum(bytes) AS bytes, min(ts) AS first_ts, max(ts) AS last_ts \
              FROM smb WHERE (src_ip = $host OR dst_ip = $host) \
              AND (command IN ('session_setup', 'tree_connect') OR action IS NOT NULL) \
              GROUP BY src_ip, dst_ip, command, status, \"user\", domain, tree \
              ORDER BY requests DESC, src_ip, dst_ip, command LIMIT 50",
    },
    Chapter {
        title: "odd traffic",
        sql: "SELECT name, sum(count) AS times, count(DISTINCT uid) AS flows, \
              min(detail) AS a_detail, max(ts) AS last_ts FROM weird \
              WHERE src_ip = $host OR dst_ip = $host GROUP BY name \
              ORDER BY times DESC, name LIMIT 30",
    },
];

/// Tells a host's story; answers how many chapters it has.
///
/// # Errors
/// The text is no address, the archive cannot be read, or the story cannot be written.
pub(crate) async fn host(
    engine: &Engine,
    address: &str,
    target: &Target,
) -> Result<usize, HuntError> {
    let ip: IpAddr = address.parse().map_err(|_| {
        HuntError::Usage(format!("{address:?} is not an address; write serval hunt host 10.1.2.3"))
    })?;
    // The archive has addresses in their canonical text.
    let host = [Parameter::text("host", &ip.to_string())];
    let mut parts = Parts::new(target)?;
    for chapter in HOST {
        let mut statement = engine.parse(chapter.sql)?;
        fill(&mut statement, &host).map_err(HuntError::Usage)?;
        let answer = engine.run(chapter.sql, statement).await?;
        write_part(engine, answer, &mut parts, chapter.title).await?;
    }
    let chapters = parts.finish()?;
    if chapters == 0 {
        say(&format!("the archive holds nothing about {ip} in this window of time"));
    }
    Ok(chapters)
}

/// Tells all rows of a flow, named by its uid or its Community ID; answers how many tables have
/// some.
///
/// # Errors
/// The archive cannot be read, or the rows cannot be written.
pub(crate) async fn flow(engine: &Engine, name: &str, target: &Target) -> Result<usize, HuntError> {
    let value = [Parameter::text("name", name)];
    let of_flow = match name.starts_with("1:") {
        true => "uid IN (SELECT uid FROM flow WHERE community_id = $name)",
        false => "uid = $name",
    };
    let mut parts = Parts::new(target)?;
    for table in tables::all() {
        let columns = "* EXCEPT (date, hour)";
        let sql = format!("SELECT {columns} FROM {} WHERE {of_flow} ORDER BY ts", table.name);
        let mut statement = engine.parse(&sql)?;
        fill(&mut statement, &value).map_err(HuntError::Usage)?;
        let answer = engine.run(&sql, statement).await?;
        write_part(engine, answer, &mut parts, table.name).await?;
    }
    let tables = parts.finish()?;
    if tables == 0 {
        say(&format!(
            "the archive holds no flow {}; a uid looks like CPnbDGRBwnR5LaTHk, a Community ID \
             like 1:…",
            crate::output::safe(name)
        ));
    }
    Ok(tables)
}
