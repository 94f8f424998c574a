#!/usr/bin/env bash
# shows: A server that makes the client prove its address first: Retry, then a second Initial with the
#        token.
# programs: python:aioquic
# check: quic.long.packet_type == 3
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic retry
capture

fetch /index.html
