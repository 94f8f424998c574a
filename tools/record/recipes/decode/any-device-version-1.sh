#!/usr/bin/env bash
# shows: The same talk seen on the "any" device: Linux cooked frames, version 1 (SLL).
# programs: tcpdump, ping, curl, python3
# check: sll and tcp; sll and ipv6; sll.pkttype == 4
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
capture server any -y LINUX_SLL
talk 10.1.0.20
talk 2001:db8:1::20
