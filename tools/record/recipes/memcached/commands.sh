#!/usr/bin/env bash
# shows: Memcached by its text protocol over TCP and UDP: set, get, statistics, a flush.
# programs: ncat, memcached
# check: tcp and frame contains "VALUE fruit"; udp and frame contains "VALUE fruit"
set -euo pipefail
start server memcached -u root -l 10.1.0.20 -U 11211
wait_tcp server 11211
capture

printf 'set fruit 0 60 5\r\napple\r\nget fruit\r\nget absent\r\nstats items\r\nquit\r\n' | client ncat 10.1.0.20 11211
printf '\0\1\0\0\0\1\0\0get fruit\r\n' | client ncat -u -i 1 10.1.0.20 11211 || true
