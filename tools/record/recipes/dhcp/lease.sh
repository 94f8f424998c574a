#!/usr/bin/env bash
# shows: DHCP: a lease asked for, offered, taken (discover, offer, request, ack), renewed at restart, and
#        released; a request for an address of another network is refused (NAK).
# programs: busybox, dhclient, dnsmasq
# check: dhcp.option.dhcp == 1; dhcp.option.dhcp == 2; dhcp.option.dhcp == 5; dhcp.option.dhcp == 7;
#        dhcp.option.dhcp == 6
set -euo pipefail
start server dnsmasq --keep-in-foreground --port=0 --user=root --pid-file= --dhcp-leasefile="$WORK/leases" \
    --no-ping --dhcp-authoritative --dhcp-range=10.1.0.100,10.1.0.120,1h --dhcp-option=option:router,10.1.0.20 \
    --dhcp-option=option:dns-server,10.1.0.20 --dhcp-option=option:domain-name,office.example.test --log-dhcp
wait_udp server 67
printf '#!/bin/sh\nip=${ip:-$new_ip_address}\n[ "$1" = deconfig ] || { [ -z "$ip" ] || ip address replace "$ip/24" dev eth0; }\n' > script
chmod +x script
client ip address flush dev eth0 scope global
client ip link set eth0 up
client ip route add 224.0.0.0/4 dev eth0 2> /dev/null || true
capture

ask() { client timeout 15 busybox udhcpc -i eth0 -f -q -t 2 -T 1 -s "$WORK/script" -x hostname:pc7 -V "test client" "$@"; }
ask -R
cat > old.leases <<END
lease {
  interface "eth0";
  fixed-address 10.9.9.9;
  option subnet-mask 255.255.255.0;
  option dhcp-server-identifier 10.1.0.20;
  renew 6 2099/01/02 00:00:00;
  rebind 6 2099/01/02 00:00:00;
  expire 6 2099/01/02 00:00:00;
}
END
client timeout 15 dhclient -4 -1 -d -sf "$WORK/script" -lf "$WORK/old.leases" -pf "$WORK/dhclient.pid" eth0 &
sleep 5
client timeout 5 dhclient -4 -r -d -sf "$WORK/script" -lf "$WORK/old.leases" -pf "$WORK/dhclient.pid" eth0 || true
