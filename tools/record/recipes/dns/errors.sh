#!/usr/bin/env bash
# shows: Queries that fail, each in another way: NXDOMAIN, no data, SERVFAIL (zone not loaded), REFUSED (not
#        our zone), NOTIMP (unknown opcode), BADVERS (EDNS version 1).
# programs: dig, named
# check: dns.flags.rcode == 2; dns.flags.rcode == 3; dns.flags.rcode == 4; dns.flags.rcode == 5;
#        dns.resp.ext_rcode == 1 or dns.resp.edns0_version
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

ask() { client dig @10.1.0.20 +tries=1 +nocookie "$@"; }
ask absent.example.test A
ask mail.example.test AAAA
ask www.broken.example.test A
ask www.elsewhere.test A
ask +opcode=7 example.test SOA
ask +edns=1 +noednsnegotiation example.test A
