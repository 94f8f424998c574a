//! Mistakes: each is told with its place and with what was probably meant.

use crate::archives::{demo, engine};

#[tokio::test]
async fn mistakes_show_where_and_what_was_meant() {
    let engine = engine(demo()).await;
    for (sql, expected) in [
        ("SELECT scr_ip FROM flow", &["no column scr_ip", "^^^^^^", "Did you mean src_ip?"][..]),
        ("SELECT\n  src_ip,\n  sevice\nFROM flow", &["line 3:", "Did you mean service?"]),
        ("SELECT * FROM flwo", &["no table flwo", "Did you mean flow?"]),
        ("SELECT * FROM zeek_con", &["Did you mean zeek_conn?"]),
        ("SELECT * FROM nowhere_at_all", &["There are: ", "flow"]),
        ("SELECT is_privat(src_ip) FROM flow", &["Did you mean is_private?"]),
        ("SELECT src_ip FRM flow", &["not SQL", "line 1:", "^"]),
        ("SELECT src_ip FROM flow WHERE", &["not SQL"]),
        ("", &["no query", "serval hunt \"SELECT"]),
        ("SELECT 1; SELECT 2", &["one query"]),
        ("SELECT f.uid FROM flow f, dns d WHERE uid = 'x'", &["more than one table"]),
        ("SELECT ip_in(src_ip, '10.0.0.0/99') FROM flow", &["10.0.0.0/99", "not a network"]),
        ("DROP TABLE flow", &["only read"]),
        ("CREATE TABLE x AS SELECT 1", &["only read"]),
        ("INSERT INTO flow SELECT * FROM flow", &["only read"]),
        ("COPY flow TO '/tmp/x.csv'", &["only read"]),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", &["only read"]),
        ("SET datafusion.execution.batch_size = 1", &["only read"]),
    ] {
        let error = match engine.query(sql).await {
            Err(error) => error,
            Ok(answer) => match hunt::ask::collect(&engine, answer).await {
                Err(error) => error,
                Ok(rows) => panic!("{sql} gives {rows:?}"),
            },
        };
        let text = error.to_string();
        for word in expected {
            assert!(text.contains(word), "{sql}: {word:?} is not in:\n{text}");
        }
        assert!(!text.contains("DataFusion"), "{text}");
    }
}

#[test]
fn an_archive_that_is_not_there_is_told_with_what_to_do() {
    for (name, expected) in [
        ("/nowhere/at/all", "serval replay --archive"),
        ("gopher://x", "a directory or s3://"),
        (file!(), "serval replay"),
    ] {
        let error = hunt::archive::Archive::open(name).expect_err(name).to_string();
        assert!(error.contains(expected) && error.contains(name), "{error}");
    }
}
