#!/usr/bin/env bash
# shows: One pcapng file from three interfaces with two link types (Ethernet and Linux cooked): one talk
#        seen three times.
# programs: dumpcap, ping, curl, python3
# suffix: .pcapng
# check: frame.interface_id == 0 and tcp; frame.interface_id == 1 and tcp; frame.interface_id == 2
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
start server dumpcap -q -i eth0 -i any -i lo -w "$OUT"
dumpcap_pid=$!
sleep 2
talk 10.1.0.20
server ping -c 1 127.0.0.1
sleep 1
kill -INT "$dumpcap_pid"
wait "$dumpcap_pid"
