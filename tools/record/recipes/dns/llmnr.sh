#!/usr/bin/env bash
# shows: Link-local name resolution (LLMNR) over IPv4 and IPv6: a name that a host on the link answers for,
#        and one that nobody has.
# programs: llmnrd, llmnr-query
# check: llmnr and dns.flags.response == 1; llmnr and ipv6; llmnr and dns.qry.name == "nobody"
set -euo pipefail
start server llmnrd -H fileserver -i eth0 -6
wait_udp server 5355
capture
client llmnr-query -I eth0 -c 1 -T A fileserver
client llmnr-query -I eth0 -c 1 -T ANY fileserver
client llmnr-query -I eth0 -6 -c 1 -T AAAA fileserver
client llmnr-query -I eth0 -c 2 -i 300 nobody || true
