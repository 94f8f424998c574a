//! The list of protocols. To add one: a folder beside this file, and its word below. A service that
//! is only named is a constant in a file of [`crate::services`], and a word behind that file's
//! name.

use std::sync::LazyLock;

use crate::flow_id::Transport;
use crate::protocol::Protocol;
use crate::services;

macro_rules! protocols {
    ($($name:ident)*; $($file:ident: $($service:ident)*;)*) => {
        $(pub mod $name;)*

        /// Every protocol, in the order in which probes are asked when no port says otherwise.
        pub static ALL: &[&Protocol] = &[
            $(&$name::PROTOCOL,)*
            $($(&services::$file::$service,)*)*
        ];
    };
}

protocols! {
    dns http tls quic smb rdp;

    remote: SSH TELNET RFB X11;
    mail: SMTP POP3 IMAP NNTP;
    files: FTP TFTP RSYNC GIT;
    chat: IRC XMPP;
    network: NTP DHCP SNMP SYSLOG RADIUS SSDP NETBIOS_DATAGRAM ZABBIX;
    directory: LDAP KERBEROS;
    database: MYSQL POSTGRESQL MSSQL ORACLE REDIS MEMCACHED MONGODB;
    messaging: MQTT AMQP;
    industry: DNP3 S7COMM MODBUS BACNET COAP;
    rpc: DCERPC NFS PORTMAP SUNRPC;
    voice: SIP RTSP STUN;
    peer: BITTORRENT BITTORRENT_DHT;
    tunnel: WIREGUARD OPENVPN IKE;
    socks: SOCKS;
}

/// The protocols that a transport carries, in the order of [`ALL`].
#[must_use]
pub fn over(transport: Transport) -> &'static [&'static Protocol] {
    static OVER_TCP: LazyLock<Vec<&Protocol>> = LazyLock::new(|| carried_by(Transport::TCP));
    static OVER_UDP: LazyLock<Vec<&Protocol>> = LazyLock::new(|| carried_by(Transport::UDP));
    static OVER_SCTP: LazyLock<Vec<&Protocol>> = LazyLock::new(|| carried_by(Transport::SCTP));
    match transport {
        Transport::TCP => &OVER_TCP,
        Transport::UDP => &OVER_UDP,
        Transport::SCTP => &OVER_SCTP,
        _ => &[],
    }
}

fn carried_by(transport: Transport) -> Vec<&'static Protocol> {
    ALL.iter().copied().filter(|protocol| protocol.transports.contains(&transport)).collect()
}

/// The protocol of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Protocol> {
    ALL.iter().copied().find(|protocol| protocol.name == name)
}
