//! Queries: what they answer, and how little of the archive they read for it.

use hunt::window::Window;

use crate::archives::{batches, demo, engine, engine_in, rows, write_file};

/// 2026-03-01T00:30:00Z.
const HALF_PAST: i64 = 1_772_325_000_000_000;
const HOUR: i64 = 3_600_000_000;

#[tokio::test]
async fn every_table_and_view_answers_on_every_archive() {
    let empty = tempfile::tempdir().expect("a folder");
    let empty = empty.path().to_str().expect("UTF-8");
    for path in [demo(), empty] {
        let engine = engine(path).await;
        for table in &engine.names().tables {
            let found = rows(&engine, &format!("SELECT * FROM {table} LIMIT 5")).await;
            assert!(path != empty || found.is_empty(), "{table}");
        }
        let count = rows(&engine, "SELECT count(*) AS n FROM alert").await;
        assert!(count[0]["n"].is_i64(), "{count:?}");
    }
}

#[tokio::test]
async fn rows_are_those_that_were_written() {
    let engine = engine(demo()).await;
    let found = rows(
        &engine,
        "SELECT ts, uid, src_ip, dst_port, sni, ja4, established, alpn, date, hour FROM tls \
         WHERE sni = 'www.example.test' AND version = 'TLSv1.3' AND dst_port < 500 \
         ORDER BY ts LIMIT 1",
    )
    .await;
    let row = &found[0];
    assert!(row["ts"].as_str().is_some_and(|ts| ts.ends_with('Z') && ts.contains('T')), "{row}");
    assert_eq!(row["established"], true);
    assert_eq!(row["dst_port"], 443);
    assert!(
        row["ts"].as_str().is_some_and(|ts| ts.starts_with(row["date"].as_str().unwrap_or("?")))
    );
}

#[tokio::test]
async fn a_file_without_a_column_has_nulls_there() {
    let folder = tempfile::tempdir().expect("a folder");
    write_file(
        folder.path(),
        "tls/date=2026-03-01/hour=00/a.parquet",
        &[HALF_PAST],
        &[("sni", &["old.example"])],
    );
    let engine = engine(folder.path().to_str().expect("UTF-8")).await;
    let found = rows(&engine, "SELECT sni, ja4, hour FROM tls WHERE ja4 IS NULL").await;
    assert_eq!(found, [serde_json::json!({"sni": "old.example", "hour": 0})]);
}

#[tokio::test]
async fn a_table_that_the_contract_does_not_know_has_its_files_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = "modbus/date=2026-03-01/hour=00/a.parquet";
    write_file(folder.path(), place, &[HALF_PAST], &[("function", &["read_coils"])]);
    let engine = engine(folder.path().to_str().expect("UTF-8")).await;
    let found = rows(&engine, "SELECT function FROM modbus").await;
    assert_eq!(found, [serde_json::json!({"function": "read_coils"})]);
}

#[tokio::test]
async fn time_rules_out_files_before_they_are_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    for day in 0..3 {
        for hour in 0..4 {
            let micros = HALF_PAST + (day * 24 + hour) * HOUR;
            let place = format!("dns/date=2026-03-{:02}/hour={hour:02}/a.parquet", day + 1);
            write_file(folder.path(), &place, &[micros], &[("query", &["a.example"])]);
        }
    }
    // What cannot be read is never opened where time rules it out.
    let broken = folder.path().join("dns/date=2026-03-03/hour=03/b.parquet");
    std::fs::write(broken, "no Parquet").expect("written");
    let path = folder.path().to_str().expect("UTF-8");
    for (condition, files, found) in [
        ("date = '2026-03-02'", 4, 4),
        ("date = '2026-03-02' AND hour = 1", 1, 1),
        ("date <= '2026-03-02' AND hour < 2", 4, 4),
        ("ts >= '2026-03-02T02:00:00Z' AND ts < '2026-03-03T01:00:00Z'", 3, 3),
        ("ts = '2026-03-01T00:30:00Z'", 1, 1),
        ("ts BETWEEN '2026-03-01T00:00:00Z' AND '2026-03-01T00:10:00Z'", 1, 0),
        ("ts < '2025-01-01'", 0, 0),
    ] {
        let engine = engine(path).await;
        let sql = format!("SELECT query FROM dns WHERE {condition}");
        let counted: usize =
            batches(&engine, &sql).await.expect(&sql).iter().map(|batch| batch.num_rows()).sum();
        let reading = engine.ledger().reading();
        assert_eq!((reading.files_chosen, counted), (files, found), "{condition}");
    }
    let window = Window::between("2026-03-02T01:00", "2026-03-02T03:00").expect("a window");
    let engine = engine_in(path, window).await;
    assert_eq!(rows(&engine, "SELECT count(*) AS n FROM dns").await[0]["n"], 2);
    assert_eq!(engine.ledger().reading().files_chosen, 2);
}

#[tokio::test]
async fn filters_rule_out_files_and_never_a_row() {
    let engine = engine(demo()).await;
    for (table, column) in [
        ("flow", "uid"),
        ("flow", "community_id"),
        ("flow", "dst_ip"),
        ("tls", "sni"),
        ("dns", "query"),
    ] {
        let sql = format!("SELECT DISTINCT {column} AS v FROM {table} WHERE {column} IS NOT NULL");
        let values = rows(&engine, &format!("{sql} ORDER BY v LIMIT 20")).await;
        let values: Vec<&str> = values.iter().filter_map(|row| row["v"].as_str()).collect();
        for value in &values {
            let count =
                |of: &str| format!("SELECT count(*) AS n FROM {table} WHERE {of} = '{value}'");
            let all = rows(&engine, &count(&format!("concat({column}, '')"))).await;
            assert_eq!(rows(&engine, &count(column)).await, all, "{table}.{column} = {value}");
        }
        let two = format!(
            "SELECT {column} FROM {table} WHERE {column} IN ('{}', 'no', 'never')",
            values[0]
        );
        assert!(!rows(&engine, &two).await.is_empty(), "{two}");
        let none = format!("SELECT {column} FROM {table} WHERE {column} = 'it is in no row'");
        assert!(rows(&engine, &none).await.is_empty(), "{none}");
        let reading = engine.ledger().reading();
        assert!(reading.files_chosen < reading.files, "{reading:?}");
        assert!(reading.groups_ruled_out > 0 && reading.bytes_asked > 0, "{reading:?}");
    }
}

#[tokio::test]
async fn functions_that_hunters_need() {
    let engine = engine(demo()).await;
    let found = rows(
        &engine,
        "SELECT ip_in('10.1.2.3', '10.0.0.0/8, fd00::/8') AS inside, ip_in(NULL, '::/0') AS none, \
                is_private('192.168.1.1') AS private, domain('a.b.example.co.uk') AS domain, \
                round(entropy('abcd'), 1) AS entropy",
    )
    .await;
    let expected = serde_json::json!({
        "inside": true, "private": true, "domain": "example.co.uk", "entropy": 2.0,
    });
    assert_eq!(found, [expected]);
    let count = rows(&engine, "SELECT count(*) AS n FROM flow WHERE ip_in(src_ip, '::/0')").await;
    assert!(count[0]["n"].as_i64().is_some_and(|n| n > 0), "{count:?}");
}

#[tokio::test]
async fn zeeks_names_carry_over() {
    let engine = engine(demo()).await;
    let ours =
        rows(&engine, "SELECT count(*) AS n, sum(src_bytes) AS b FROM flow WHERE state = 'SF'");
    let zeeks = "SELECT count(*) AS n, sum(orig_bytes) AS b FROM zeek_conn WHERE conn_state = 'SF'";
    assert_eq!(ours.await, rows(&engine, zeeks).await);
    let sql = "SELECT DISTINCT qtype_name FROM zeek_dns WHERE rcode_name = 'NXDOMAIN'";
    assert!(!rows(&engine, sql).await.is_empty());
}
