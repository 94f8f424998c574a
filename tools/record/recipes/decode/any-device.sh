#!/usr/bin/env bash
# shows: The same talk seen on the "any" device: Linux cooked frames, version 2 (SLL2), with interface
#        numbers.
# programs: tcpdump, ping, curl, python3
# check: sll.ifindex and tcp; sll.pkttype == 4
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
capture server any
talk 10.1.0.20
talk 2001:db8:1::20
server ping -c 1 127.0.0.1
