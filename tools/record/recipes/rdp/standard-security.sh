#!/usr/bin/env bash
# shows: Remote desktop with its own old encryption (standard RDP security): the connect sequence with
#        client name and channels, the log-on data, after which the server ends the session.
# programs: xfreerdp, xrdp
# check: rdp; rdp and tcp.srcport == 3389
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_xrdp rdp
start_screen
capture

desktop 4 /sec:rdp /bpp:16 /client-hostname:PC7
