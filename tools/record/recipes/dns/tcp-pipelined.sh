#!/usr/bin/env bash
# shows: Eight queries sent over one TCP connection without waiting for the answers, then five in turn over
#        one connection that is kept open.
# programs: mdig, dig, named
# check: tcp and dns.flags.response == 1 and dns.qry.name == "svc.example.test"; tcp.stream == 1
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

client mdig @10.1.0.20 +tcp www.example.test mail.example.test alias.example.test many.example.test \
    ns1.example.test absent.example.test phone.example.test www.signed.example.test
client dig @10.1.0.20 +tcp +keepopen www.example.test A www.example.test AAAA example.test MX \
    longtext.example.test TXT svc.example.test HTTPS
