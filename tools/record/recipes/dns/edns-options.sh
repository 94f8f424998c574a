#!/usr/bin/env bash
# shows: EDNS options: client and server cookies, client subnet, NSID, padding, TCP keep-alive, and the DO
#        bit with signed answers (RRSIG, NSEC, DNSKEY).
# programs: dig, named
# check: dns.opt.cookie.server; dns.opt.client.addr4; dns.rrsig.signature; dns.dnskey.flags;
#        dns.nsec.next_domain_name
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named 'server-id "42";'
wait_for says "$WORK/named.log" "signed.example.test.*next key event"
capture

client dig @10.1.0.20 +tries=1 +cookie +nsid www.example.test A
client dig @10.1.0.20 +tries=1 +subnet=192.0.2.0/24 www.example.test A
client dig @10.1.0.20 +tries=1 +subnet=2001:db8:9::/56 +padding=128 www.example.test AAAA
client dig @10.1.0.20 +tcp +keepalive +tries=1 www.example.test A
client dig @10.1.0.20 +tries=1 +dnssec www.signed.example.test A
client dig @10.1.0.20 +tries=1 +dnssec signed.example.test DNSKEY
client dig @10.1.0.20 +tries=1 +dnssec absent.signed.example.test A
