#!/usr/bin/env bash
# shows: A client hello too large for one packet: its CRYPTO frames are spread over two Initials.
# programs: python:aioquic
# check: quic.long.packet_type == 0 and tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic 
capture

fetch /index.html big
