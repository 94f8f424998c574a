#!/usr/bin/env bash
# shows: A server that wants TLS and a client that knows only the old security: the server answers the
#        negotiation, then disconnects; and a client that wants only network level authentication, which the
#        server lacks.
# programs: xfreerdp, xrdp
# check: rdp
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_xrdp tls
start_screen
capture

desktop 3 /sec:rdp
desktop 3 /sec:nla
