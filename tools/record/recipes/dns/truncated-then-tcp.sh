#!/usr/bin/env bash
# shows: Answers too long for 512 and 1232 bytes come back truncated; the client asks again over TCP.
# programs: dig, named
# check: dns.flags.truncated == 1; tcp and dns.count.answers == 95; tcp and dns.count.answers == 9
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

client dig @10.1.0.20 +tries=1 +noedns huge.example.test TXT
client dig @10.1.0.20 +tries=1 +bufsize=1232 crowd.example.test AAAA
