#!/usr/bin/env bash
# shows: Another client (rdesktop) with standard RDP security up to the log-on screen.
# programs: rdesktop, xrdp
# check: frame contains "mstshash"
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_xrdp rdp
start_screen
capture

old_desktop 4 -n PC8
