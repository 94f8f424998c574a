//! The row of the `flow` table, which the sensor's flow table fills and detectors read.

use crate::record;
use crate::text::Text;
use crate::time::Timestamp;

record! {
    /// One row per flow end; a long flow also gives interim rows, so that sums over rows are
    /// totals.
    pub struct FlowRecord: "flow" {
        /// 1 for a flow's first row, 2 for its second, and so on.
        part: i32,
        /// Packet time of the last packet counted in this row.
        end_ts: Timestamp,
        /// Community ID v1 with seed 0, as other tools compute it.
        community_id: String as Identifier,
        /// Protocol recognised from content, never from the port alone; null when unknown.
        service: Option<&'static str>,
        /// Zeek's conn_state: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH.
        state: &'static str,
        /// Zeek's history letters; upper case: originator.
        history: Option<Text>,
        /// Packets from the originator.
        src_packets: i64,
        /// Packets from the responder.
        dst_packets: i64,
        /// Bytes of the originator's IP packets, by the IP header's length field.
        src_ip_bytes: i64,
        /// Bytes of the responder's IP packets, by the IP header's length field.
        dst_ip_bytes: i64,
        /// Payload bytes from the originator; TCP: by sequence numbers, without retransmissions.
        src_bytes: i64,
        /// Payload bytes from the responder; TCP: by sequence numbers, without retransmissions.
        dst_bytes: i64,
        /// TCP payload bytes that were sent and are not in the capture.
        missed_bytes: i64,
        /// First 802.1Q tag of the flow's first packet.
        vlan: Option<u16>,
        /// Second 802.1Q tag of the flow's first packet.
        inner_vlan: Option<u16>,
        /// Encapsulation that was removed, outermost first: `gre`, `vxlan:42`, `geneve:7/gre`.
        tunnel: Option<Text>,
        /// Sender's MAC address in the flow's first packet, as seen from the originator.
        src_mac: Option<[u8; 6]>,
        /// Receiver's MAC address in the flow's first packet, as seen from the originator.
        dst_mac: Option<[u8; 6]>,
        /// OR of the TCP flags that the originator sent.
        tcp_flags_src: Option<u8>,
        /// OR of the TCP flags that the responder sent.
        tcp_flags_dst: Option<u8>,
        /// ISO country code of the originator, from the configured database.
        src_country: Option<Text>,
        /// ISO country code of the responder, from the configured database.
        dst_country: Option<Text>,
        /// Autonomous system number of the originator, from the configured database.
        src_asn: Option<i64>,
        /// Autonomous system number of the responder, from the configured database.
        dst_asn: Option<i64>,
        /// Name of the responder's autonomous system, from the configured database.
        dst_as_org: Option<Text>,
        /// Best known name of the responder.
        dst_name: Option<Text> as Domain,
        /// `outbound`, `inbound`, `internal` or `external`, from the configured home networks.
        direction: Option<&'static str>,
        /// `fin`, `rst`, `timeout`, `interim`, `evicted`, `shutdown`.
        end_reason: &'static str,
        /// Packets of this row whose IP or transport checksum does not match; they are kept, for
        /// network cards that fill checksums in are far more common than broken packets.
        bad_checksums: i64,
    }
}

impl FlowRecord {
    /// The first row of a flow of which nothing was seen.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            part: 1,
            end_ts: Timestamp::MIN,
            community_id: String::new(),
            service: None,
            state: "OTH",
            history: None,
            src_packets: 0,
            dst_packets: 0,
            src_ip_bytes: 0,
            dst_ip_bytes: 0,
            src_bytes: 0,
            dst_bytes: 0,
            missed_bytes: 0,
            vlan: None,
            inner_vlan: None,
            tunnel: None,
            src_mac: None,
            dst_mac: None,
            tcp_flags_src: None,
            tcp_flags_dst: None,
            src_country: None,
            dst_country: None,
            src_asn: None,
            dst_asn: None,
            dst_as_org: None,
            dst_name: None,
            direction: None,
            end_reason: "timeout",
            bad_checksums: 0,
        }
    }
}
