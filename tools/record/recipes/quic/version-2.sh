#!/usr/bin/env bash
# shows: HTTP/3 over QUIC version 2: other salt, other packet type numbers.
# programs: python:aioquic
# check: quic.version == 0x6b3343cf
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic 
capture

fetch /index.html version=2
