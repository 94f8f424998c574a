#!/usr/bin/env bash
# shows: An SCTP association: set up, data both ways, shut down; one to a closed port, aborted; heartbeats.
# programs: socat, linux.uml
# kernel: uml
# check: sctp.chunk_type == 1; sctp.chunk_type == 0; sctp.chunk_type == 7 or sctp.chunk_type == 14;
#        sctp.chunk_type == 6
set -euo pipefail
start server socat SCTP4-LISTEN:5000,fork,reuseaddr SYSTEM:cat
sleep 1
capture
printf 'one\ntwo\n' | client socat -t 1 - SCTP4-CONNECT:10.1.0.20:5000
echo lost | client socat -t 1 - SCTP4-CONNECT:10.1.0.20:5001 || true
