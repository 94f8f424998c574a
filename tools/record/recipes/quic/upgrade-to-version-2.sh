#!/usr/bin/env bash
# shows: A client that starts with version 1 and is moved to version 2 by the server (compatible version
#        negotiation).
# programs: python:aioquic
# check: quic.version == 1; quic.version == 0x6b3343cf
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic
capture

fetch /index.html upgrade
