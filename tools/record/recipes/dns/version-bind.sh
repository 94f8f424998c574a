#!/usr/bin/env bash
# shows: Questions of class CHAOS, asked to learn a name server's version and name.
# programs: dig, named
# check: dns.qry.class == 3 and dns.txt
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named 'hostname "ns1-a"; server-id "42";'
capture

client dig @10.1.0.20 +tries=1 CH TXT version.bind
client dig @10.1.0.20 +tries=1 CH TXT hostname.bind
client dig @10.1.0.20 +tries=1 CH TXT id.server
client dig @10.1.0.20 +tries=1 CH TXT authors.bind
