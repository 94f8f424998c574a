#!/usr/bin/env bash
# shows: A file with times in nanoseconds (magic 0xa1b23c4d).
# programs: tcpdump, ping
# check: icmp.type == 0
set -euo pipefail
capture server eth0 --time-stamp-precision=nano
client ping -c 3 -i 0.2 10.1.0.20
