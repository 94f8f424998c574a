#!/usr/bin/env bash
# shows: FTP with active data connections (PORT, EPRT): the server connects back.
# programs: curl, python:pyftpdlib
# check: ftp.request.command == "PORT"; ftp.request.command == "EPRT"; tcp.flags.syn == 1 and tcp.flags.ack
#        == 0 and ip.src == 10.1.0.20
set -euo pipefail
source "$TOOLS/lib/ftp.sh"
start_ftp
capture

client curl -sS -P - --disable-eprt -u anna:wonderland ftp://10.1.0.20/
client curl -sS -P - -u anna:wonderland ftp://10.1.0.20/report.txt
client curl -sS -P - -u anna:wonderland 'ftp://[2001:db8:1::20]/report.txt'
