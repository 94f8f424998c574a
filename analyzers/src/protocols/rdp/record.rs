//! The `rdp` table: what is kept of a connection.

use crate::record;
use crate::text::Text;

record! {
    /// One RDP connection over TCP, or one flow of its UDP transport.
    pub struct RdpRecord: "rdp" {
        /// `tcp` or `udp`.
        transport: &'static str,
        /// The user that the client names in the clear (`mstshash`), often cut to nine letters.
        cookie: Option<Text>,
        /// Security protocols that the client offers: `rdp`, `ssl`, `hybrid`, `rdstls`,
        /// `hybrid_ex`, `rdsaad`; null where it does not say.
        requested_protocols: Option<Vec<Text>>,
        /// The one that the server chose; `rdp` where either end shows standard security.
        selected_protocol: Option<Text>,
        /// Why the server refused, by the code's name in MS-RDPBCGR.
        failure: Option<Text>,
        /// Name of the client's computer; this and the following only where nothing is encrypted.
        client_name: Option<Text>,
        /// Build number of the client.
        client_build: Option<Text>,
        /// The client's keyboard layout as Windows writes it: `0x00000409` is US English.
        keyboard_layout: Option<Text>,
        /// Width of the client's desktop in pixels.
        desktop_width: Option<u16>,
        /// Height of the client's desktop in pixels.
        desktop_height: Option<u16>,
        /// Product identifier of the client (`clientDigProductId`).
        product_id: Option<Text>,
        /// Static virtual channels that the client asks for.
        channels: Option<Vec<Text>>,
        /// Cipher of standard security: `none`, `40bit`, `56bit`, `128bit`, `fips`.
        encryption_method: Option<Text>,
        /// How much it covers: `none`, `low`, `client_compatible`, `high`, `fips`.
        encryption_level: Option<Text>,
        /// `encrypted` (handed over to TLS or CredSSP), `success` (connected in the clear),
        /// `failed` or `unknown`.
        result: &'static str,
        /// Whether the volume and time after the handshake are those of a desktop; null where one
        /// direction or the server's answer is missing, or the capture ended too early to tell.
        auth_likely: Option<bool>,
    }
}

impl RdpRecord {
    /// A row of which nothing is known yet.
    #[must_use]
    pub const fn new(transport: &'static str) -> Self {
        Self {
            transport,
            cookie: None,
            requested_protocols: None,
            selected_protocol: None,
            failure: None,
            client_name: None,
            client_build: None,
            keyboard_layout: None,
            desktop_width: None,
            desktop_height: None,
            product_id: None,
            channels: None,
            encryption_method: None,
            encryption_level: None,
            result: "unknown",
            auth_likely: None,
        }
    }
}
