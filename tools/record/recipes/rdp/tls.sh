#!/usr/bin/env bash
# shows: Remote desktop inside TLS: negotiation in clear with the user's cookie, then TLS.
# programs: xfreerdp, xrdp
# check: tcp.dstport == 3389 and tcp.payload[0:2] == 16:03; rdp
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_xrdp tls
start_screen
capture

desktop 4 /sec:tls /client-hostname:PC7
