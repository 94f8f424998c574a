#!/usr/bin/env bash
# shows: Remote desktop on port 8443, to be recognised by content.
# programs: xfreerdp, xrdp
# decode: tcp.port==8443,tpkt
# check: tcp.port == 8443 and tcp.len > 0
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_xrdp tls 8443
start_screen
capture

desktop 4 /port:8443 /sec:tls
