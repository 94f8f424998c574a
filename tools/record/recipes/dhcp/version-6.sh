#!/usr/bin/env bash
# shows: IPv6 configuration: router solicitation and advertisement, then DHCPv6 (solicit, advertise,
#        request, reply).
# programs: dhclient, dnsmasq
# check: dhcpv6.msgtype == 1; dhcpv6.msgtype == 7; icmpv6.type == 134
set -euo pipefail
start server dnsmasq --keep-in-foreground --port=0 --user=root --pid-file= --dhcp-leasefile="$WORK/leases" \
    --enable-ra --dhcp-range=2001:db8:1::100,2001:db8:1::120,64,1h --dhcp-option=option6:dns-server,'[2001:db8:1::20]'
wait_udp server 547
printf '#!/bin/sh\nexit 0\n' > script
chmod +x script
touch leases6
capture

client timeout 15 dhclient -6 -1 -d -v -sf "$WORK/script" -lf "$WORK/leases6" -pf "$WORK/dhclient.pid" eth0 &
sleep 6
client timeout 8 dhclient -6 -r -v -sf "$WORK/script" -lf "$WORK/leases6" -pf "$WORK/dhclient.pid" eth0 || true
