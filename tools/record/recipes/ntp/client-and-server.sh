#!/usr/bin/env bash
# shows: NTP: a client asks a server of stratum 8, once over IPv4 and once over IPv6.
# programs: chronyd, ntpdate
# check: ntp.flags.mode == 3; ntp.flags.mode == 4; ipv6 and ntp
set -euo pipefail
printf 'local stratum 8\nallow all\ncmdport 0\npidfile %s/chrony.pid\n' "$WORK" > chrony.conf
start server chronyd -d -x -u root -f "$WORK/chrony.conf"
wait_udp server 123
sleep 2
capture

client ntpdate -q 10.1.0.20
client ntpdate -q 2001:db8:1::20
