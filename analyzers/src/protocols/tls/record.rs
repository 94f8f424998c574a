//! What is kept of a TLS handshake: one row, whether TCP, DTLS or QUIC carried it.

use crate::record;
use crate::text::Text;
use crate::time::StatedTime;

record! {
    /// One TLS handshake; `transport` tells TCP, QUIC and DTLS apart.
    pub struct TlsRecord: "tls" {
        /// `tcp`, `quic` or `dtls`.
        transport: &'static str,
        /// Negotiated version: `SSLv3`, `TLSv1.0` … `TLSv1.3`, `DTLSv1.2` …; unknown ones as
        /// `0xNNNN`.
        version: Option<Text>,
        /// QUIC's own version: `1`, `2`, else eight hexadecimal digits.
        quic_version: Option<Text>,
        /// Server name that the client asked for, in lower case; the outer one where ECH is used.
        sni: Option<Text> as Domain,
        /// Whether the client offered an encrypted hello.
        ech: Option<bool>,
        /// Application protocols that the client offered.
        alpn: Option<Vec<Text>>,
        /// Application protocol that the server chose, where that is not encrypted.
        alpn_selected: Option<Text>,
        /// Chosen cipher suite by its IANA name; unknown ones as `0xNNNN`.
        cipher: Option<Text>,
        /// JA3 fingerprint of the client's hello.
        ja3: Option<String> as Ja3,
        /// JA3S fingerprint of the server's hello.
        ja3s: Option<String> as ServerFingerprint,
        /// JA4 fingerprint of the client's hello.
        ja4: Option<String> as Ja4,
        /// Whether both sides finished the handshake or sent application data.
        established: bool,
        /// Whether an earlier session was resumed.
        resumed: Option<bool>,
        /// Subject of the server's own certificate, as RFC 4514 writes names.
        subject: Option<Text>,
        /// Its issuer.
        issuer: Option<Text>,
        /// Its DNS names.
        san: Option<Vec<Text>> as Domain,
        /// Its serial number in hexadecimal, two digits a byte, without leading zero bytes.
        serial: Option<String>,
        /// Start of its validity.
        not_before: Option<StatedTime>,
        /// End of its validity.
        not_after: Option<StatedTime>,
        /// SHA-256 of its DER encoding.
        cert_sha256: Option<String> as CertificateSha256,
        /// SHA-1 of its DER encoding.
        cert_sha1: Option<String> as CertificateSha1,
        /// Certificates that the server sent.
        cert_count: Option<i32>,
        /// Whether its issuer is its subject.
        self_signed: Option<bool>,
    }
}
