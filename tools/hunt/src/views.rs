//! Zeek's logs as views over the archive, so that habits and queries carry over.
//!
//! Column names are Zeek's with `_` for `.` (`id_orig_h`), for `.` parts names in SQL. Durations
//! are seconds, as Zeek has them. What Serval does not record is not there.

/// A view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its query.
    pub(crate) sql: &'static str,
}

/// All views.
pub(crate) const ALL: &[View] = &[
    View { name: "zeek_conn", sql: include_str!("views/zeek_conn.sql") },
    View { name: "zeek_dns", sql: include_str!("views/zeek_dns.sql") },
    View { name: "zeek_http", sql: include_str!("views/zeek_http.sql") },
    View { name: "zeek_ssl", sql: include_str!("views/zeek_ssl.sql") },
    View { name: "zeek_rdp", sql: include_str!("views/zeek_rdp.sql") },
    View { name: "zeek_smb_files", sql: include_str!("views/zeek_smb_files.sql") },
    View { name: "zeek_smb_mapping", sql: include_str!("views/zeek_smb_mapping.sql") },
    View { name: "zeek_ntlm", sql: include_str!("views/zeek_ntlm.sql") },
    View { name: "zeek_weird", sql: include_str!("views/zeek_weird.sql") },
    View { name: "zeek_notice", sql: include_str!("views/zeek_notice.sql") },
];
