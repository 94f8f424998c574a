#!/usr/bin/env bash
# shows: Names that are hard to print: a dot inside a label, zero and 0xff bytes, an internationalised name,
#        mixed case (0x20), a wildcard match, the root.
# programs: dig, named
# check: dns.flags.response == 1 and dns.count.answers == 1 and dns.qry.name contains "odd"
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

ask() { client dig @10.1.0.20 +tries=1 +nocookie "$@"; }
ask 'a\.dot.example.test' A
ask 'odd\000\255label.example.test' A
ask xn--bcher-kva.example.test A
ask +noidnin 'wWw.ExAmPlE.tEsT' A
ask anything.at.all.wild.example.test A
ask . NS
