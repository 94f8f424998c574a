#!/usr/bin/env bash
# shows: A small forwarder (dnsmasq) answers from its hosts file and its cache, and refuses what it may not
#        ask.
# programs: dig, dnsmasq
# check: dns.flags.response == 1 and dns.count.answers == 1; dns.flags.rcode == 5 or dns.flags.rcode == 3
set -euo pipefail
start server dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root --pid-file= \
    --address=/blocked.example.test/0.0.0.0 --host-record=nas.lan,10.1.0.30,2001:db8:1::30 \
    --cname=files.lan,nas.lan --srv-host=_smb._tcp.lan,nas.lan,445 --local=/lan/
wait_udp server 53
capture

ask() { client dig @10.1.0.20 +tries=1 "$@"; }
ask nas.lan A
ask nas.lan AAAA
ask files.lan A
ask _smb._tcp.lan SRV
ask -x 10.1.0.30
ask ad.blocked.example.test A
ask absent.lan A
ask www.example.test A
