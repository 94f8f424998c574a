#!/usr/bin/env bash
# shows: A client that offers an unknown version first: Version Negotiation, then version 1.
# programs: python:aioquic
# check: quic.version == 0; quic.version == 1
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic 
capture

fetch /index.html version=grease
