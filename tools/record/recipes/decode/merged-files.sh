#!/usr/bin/env bash
# shows: A pcapng file made from two captures, one in microseconds and one in nanoseconds, each its own
#        interface.
# programs: tcpdump, mergecap, ping
# suffix: .pcapng
# check: frame.interface_id == 0; frame.interface_id == 1
set -euo pipefail
final=$OUT
OUT=$WORK/one.pcap
capture server
client ping -c 2 -i 0.2 10.1.0.20
end_capture
OUT=$WORK/two.pcap
capture server eth0 --time-stamp-precision=nano
client ping -c 2 -i 0.2 2001:db8:1::20
end_capture
mergecap -w "$final" "$WORK/one.pcap" "$WORK/two.pcap"
