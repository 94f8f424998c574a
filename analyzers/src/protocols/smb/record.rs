//! What an SMB transaction leaves behind.

use crate::record;
use crate::text::Text;

record! {
    /// SMB 1, 2 and 3: one row per request with its response; reads and writes summed per open
    /// file.
    pub struct SmbRecord: "smb" {
        /// `1`, `2` or `3`.
        version: Option<&'static str>,
        /// Negotiated dialect, such as `NT LM 0.12`, `2.0.2`, `2.1`, `3.0`, `3.0.2` or `3.1.1`.
        dialect: Option<Text>,
        /// What was asked: `negotiate`, `session_setup`, `tree_connect`, `create`, `read`, `write`,
        /// …
        command: Option<&'static str>,
        /// The response's NT status by name, else in hex; null when no response was seen.
        status: Option<Text>,
        /// The share as asked for: `\\HOST\SHARE`.
        tree: Option<Text>,
        /// `disk`, `pipe` or `print`.
        share_type: Option<&'static str>,
        /// Name of the file or pipe inside the share, with backslashes.
        path: Option<Text> as FileName,
        /// `open`, `create`, `overwrite`, `read`, `write`, `rename`, `delete`.
        action: Option<&'static str>,
        /// The new name of a renamed file.
        renamed_to: Option<Text> as FileName,
        /// Bytes read or written, where the row is one of those.
        bytes: Option<i64>,
        /// Account, from NTLMSSP.
        user: Option<Text>,
        /// Domain of the account, from NTLMSSP; Kerberos: the service principal's realm.
        domain: Option<Text>,
        /// The client's computer name, from NTLMSSP.
        workstation: Option<Text>,
        /// The server's computer name (DNS or NetBIOS), from the NTLM challenge.
        ntlm_target: Option<Text>,
        /// Whether the request or the response was signed.
        signed: Option<bool>,
        /// Whether the messages were encrypted; such a session leaves one row that says so.
        encrypted: Option<bool>,
        /// DCE/RPC interface bound over the pipe, by name (`svcctl`, `samr`, …) else UUID.
        pipe_service: Option<Text>,
        /// SHA-256 of the file, in hex, when all of it was read or written; beside its close too.
        sha256: Option<String> as FileSha256,
        /// The file's media type by its first bytes, beside its hash.
        mime: Option<&'static str>,
        /// Number of the DCE/RPC operation that is called over the pipe.
        opnum: Option<i32>,
        /// Name of that operation, such as `CreateServiceW`, where it is one of those that matter.
        operation: Option<&'static str>,
    }
}

impl SmbRecord {
    /// A row of which nothing is known.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            version: None,
            dialect: None,
            command: None,
            status: None,
            tree: None,
            share_type: None,
            path: None,
            action: None,
            renamed_to: None,
            bytes: None,
            user: None,
            domain: None,
            workstation: None,
            ntlm_target: None,
            signed: None,
            encrypted: None,
            pipe_service: None,
            sha256: None,
            mime: None,
            opnum: None,
            operation: None,
        }
    }
}
