//! From every link header to the same packet, and what is no packet.

use super::frames::{SMALL, SMALL6, ethernet, small, small6};
use super::{LinkType, check, decode, told};
use crate::decode::link::link_type::{
    C_HDLC, ETHERNET, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, LOOP, MPLS, NFLOG, NULL, PPP, PPP_ETHER,
    PPP_HDLC, RAW, RAW_BSD, RAW_OPENBSD,
};
use crate::decode::macs;

/// `bytes` before [`small`].
fn before(bytes: &[u8]) -> Vec<u8> {
    [bytes, &small()].concat()
}

fn llc(len: usize, payload: &[u8]) -> Vec<u8> {
    ethernet(len as u16, payload)
}

#[test]
fn ethernet_and_its_tags_lead_to_the_packet() {
    let frame = ethernet(0x0800, &small());
    let snap = before(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    check(
        ETHERNET,
        &[
            ("Ethernet II", frame.clone(), SMALL),
            ("IPv6", ethernet(0x86dd, &small6()), SMALL6),
            ("802.1Q", ethernet(0x8100, &before(&[0, 5, 8, 0])), &format!("{SMALL}, vlan 5")),
            (
                "802.1ad",
                ethernet(0x88a8, &before(&[0x20, 5, 0x81, 0, 0, 6, 8, 0])),
                &format!("{SMALL}, vlan 5/6"),
            ),
            (
                "three tags",
                ethernet(0x9100, &before(&[0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 8, 0])),
                &format!("{SMALL}, vlan 5/6"),
            ),
            ("a priority tag has no VLAN", ethernet(0x8100, &before(&[0xe0, 0, 8, 0])), SMALL),
            (
                "a priority tag outside",
                ethernet(0x8100, &before(&[0xe0, 0, 0x81, 0, 0, 6, 8, 0])),
                &format!("{SMALL}, vlan 6"),
            ),
            ("SNAP", llc(snap.len(), &snap), SMALL),
            (
                "SNAP in a VLAN",
                ethernet(0x8100, &[&[0, 5, 0, snap.len() as u8], &snap[..]].concat()),
                &format!("{SMALL}, vlan 5"),
            ),
            ("802.2 with IP", llc(0x23, &before(&[6, 6, 3])), SMALL),
            ("MPLS", ethernet(0x8847, &before(&[0, 0, 0x10, 64, 0, 0, 0x21, 64])), SMALL),
            (
                "MPLS to IPv6",
                ethernet(0x8848, &[&[0, 0, 0x11, 64], &small6()[..]].concat()),
                SMALL6,
            ),
            (
                "pseudowire",
                ethernet(0x8847, &[&[0, 0, 0x11, 64, 0, 0, 0, 0], &frame[..]].concat()),
                SMALL,
            ),
            (
                "pseudowire without control word",
                ethernet(0x8847, &[&[0, 0, 0x11, 64], &frame[..]].concat()),
                SMALL,
            ),
            ("PPPoE", ethernet(0x8864, &before(&[0x11, 0, 0, 1, 0, 34, 0, 0x21])), SMALL),
            ("provider backbone", ethernet(0x88e7, &[&[0, 0, 0, 1], &frame[..]].concat()), SMALL),
            ("FabricPath", ethernet(0x8903, &[&[0, 1], &frame[..]].concat()), SMALL),
            ("VN-Tag", ethernet(0x8926, &before(&[0, 0, 0, 0, 8, 0])), SMALL),
            ("E-TAG", ethernet(0x893f, &before(&[0, 0, 0, 0, 0, 0, 8, 0])), SMALL),
            ("service header", ethernet(0x894f, &before(&[0, 2, 1, 1, 0, 0, 1, 255])), SMALL),
        ],
    );
}

#[test]
fn what_is_not_ip_is_skipped_with_its_reason() {
    check(
        ETHERNET,
        &[
            ("ARP", ethernet(0x0806, &[0; 28]), "arp"),
            ("RARP in a VLAN", ethernet(0x8100, &[0, 5, 0x80, 0x35, 0, 0]), "arp"),
            ("LLDP", ethernet(0x88cc, &[0; 46]), "not_ip"),
            ("spanning tree", llc(38, &[0x42, 0x42, 3, 0, 0, 0]), "not_ip"),
            ("a vendor's SNAP", llc(8, &[0xaa, 0xaa, 3, 0, 0, 12, 0x20, 0]), "not_ip"),
            ("between lengths and types", ethernet(1501, &small()), "not_ip"),
            ("PPPoE discovery", ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0]), "not_ip"),
            (
                "PPPoE session with a discovery code",
                ethernet(0x8864, &[0x11, 9, 0, 0, 0, 0]),
                "not_ip",
            ),
            ("PPPoE of no version", ethernet(0x8864, &[0x21, 0, 0, 0, 0, 0]), "link_malformed"),
            (
                "PPPoE shorter than its protocol",
                ethernet(0x8864, &before(&[0x11, 0, 0, 1, 0, 1, 0, 0x21])),
                "link_malformed",
            ),
            ("LCP in PPPoE", ethernet(0x8864, &[0x11, 0, 0, 1, 0, 4, 0xc0, 0x21, 1, 1]), "not_ip"),
            ("label stack without end", ethernet(0x8847, &[0, 0, 0x10, 64]), "link_malformed"),
            ("label stack above nothing", ethernet(0x8847, &[0, 0, 0x11, 64]), "link_malformed"),
            (
                "service header too short for itself",
                ethernet(0x894f, &before(&[0, 1, 1, 1, 0, 0, 1, 255])),
                "link_malformed",
            ),
            (
                "service header to nothing known",
                ethernet(0x894f, &before(&[0, 2, 1, 9, 0, 0, 1, 255])),
                "not_ip",
            ),
            ("a tag alone", ethernet(0x8100, &[0, 5]), "link_malformed"),
            ("13 bytes", ethernet(0x0800, &[])[..13].to_vec(), "link_malformed"),
            ("nothing", Vec::new(), "link_malformed"),
        ],
    );
}

#[test]
fn every_link_type_leads_to_the_packet() {
    let sll = |protocol: [u8; 2], payload: Vec<u8>| [&[0; 14][..], &protocol, &payload].concat();
    let sll2 = |protocol: [u8; 2]| before(&[&protocol[..], &[0; 18]].concat());
    for (link, frame, expected) in [
        (NULL, before(&[2, 0, 0, 0]), SMALL),
        (NULL, before(&[0, 0, 0, 2]), SMALL),
        (NULL, [&[30, 0, 0, 0], &small6()[..]].concat(), SMALL6),
        (NULL, before(&[99, 0, 0, 0]), "not_ip"),
        (LOOP, before(&[0, 0, 0, 2]), SMALL),
        (LOOP, vec![0, 0, 0], "link_malformed"),
        (LINUX_SLL, sll([8, 0], small()), SMALL),
        (LINUX_SLL, sll([0x81, 0], before(&[0, 5, 8, 0])), &format!("{SMALL}, vlan 5")),
        (LINUX_SLL, sll([0, 4], before(&[6, 6, 3])), SMALL),
        (LINUX_SLL, sll([0, 1], small()), "not_ip"),
        (LINUX_SLL, vec![0; 15], "link_malformed"),
        (LINUX_SLL2, sll2([8, 0]), SMALL),
        (LINUX_SLL2, sll2([8, 6]), "arp"),
        (LINUX_SLL2, vec![8; 19], "link_malformed"),
        (PPP, before(&[0xff, 3, 0, 0x21]), SMALL),
        (PPP, before(&[0, 0x21]), SMALL),
        (PPP, before(&[0x21]), SMALL),
        (PPP, [&[0, 0x57], &small6()[..]].concat(), SMALL6),
        (PPP, before(&[0xff, 3, 2, 0x81, 0, 0, 0x11, 64]), SMALL),
        (PPP, vec![0xff, 3, 0xc0, 0x21], "not_ip"),
        (PPP, vec![0xff, 3], "link_malformed"),
        (PPP_HDLC, before(&[0xff, 3, 0, 0x21]), SMALL),
        (PPP_HDLC, before(&[0x0f, 0, 8, 0]), SMALL),
        (PPP_ETHER, before(&[0x11, 0, 0, 1, 0, 34, 0, 0x21]), SMALL),
        (C_HDLC, before(&[0x8f, 0, 8, 0]), SMALL),
        (C_HDLC, vec![0x8f, 0, 0x80, 0x35, 0, 0], "not_ip"),
        (C_HDLC, vec![0x8f, 0, 8], "link_malformed"),
        (RAW, small(), SMALL),
        (RAW_BSD, small6(), SMALL6),
        (RAW_OPENBSD, small(), SMALL),
        (RAW, vec![0x50; 40], "ip_malformed"),
        (RAW, Vec::new(), "ip_malformed"),
        (IPV4, small(), SMALL),
        (IPV4, small6(), "ip_malformed"),
        (IPV6, small6(), SMALL6),
        (IPV6, small(), "ip_malformed"),
        (MPLS, before(&[0, 0, 0x11, 64]), SMALL),
        (NFLOG, before(&[2, 0, 0, 0, 5, 0, 1, 0, 7, 0, 0, 0, 36, 0, 9, 0]), SMALL),
        (NFLOG, before(&[2, 0, 0, 0, 3, 0, 1, 0]), "link_malformed"),
        (NFLOG, vec![2, 0, 0, 0], "link_malformed"),
        (NFLOG, [&[2, 0, 0, 0][..], &[4, 0, 1, 0].repeat(33)].concat(), "link_malformed"),
        (NFLOG, before(&[7, 0, 0, 0]), "not_ip"),
        (105, small(), "unknown_link_type"),
    ] {
        assert_eq!(told(&decode(link, &frame), &frame), expected, "link type {link}, {frame:02x?}");
    }
}

#[test]
fn macs_are_those_of_an_ethernet_frame_alone() {
    let frame = ethernet(0x0800, &small());
    let expected = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    assert_eq!(macs(LinkType(ETHERNET), &frame), Some(expected));
    assert_eq!(macs(LinkType(ETHERNET), &frame[..13]), None);
    assert_eq!(macs(LinkType(RAW), &frame), None);
}
