#!/usr/bin/env bash
# shows: A second connection resumed with early data (0-RTT).
# programs: python:aioquic
# check: quic.long.packet_type == 1
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic 
capture

fetch /index.html again
