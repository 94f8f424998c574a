#!/usr/bin/env bash
# shows: FTP upgraded to TLS by AUTH SSL (curl) and AUTH TLS (lftp), with protected data connections.
# programs: curl, lftp, python:pyftpdlib
# check: frame contains "AUTH TLS"; ftp.request.command == "AUTH"; tcp.dstport == 21 and tcp.payload[0:2] ==
#        16:03; tcp.port != 21 and tcp.payload[0:2] == 16:03
set -euo pipefail
source "$TOOLS/lib/ftp.sh"
start_ftp tls
capture

client curl -sS --ssl-reqd --cacert ca.pem -u anna:wonderland ftp://server.example.test/report.txt
client lftp -e "set ssl:ca-file $WORK/ca.pem; set ftp:ssl-force true; open -u anna,wonderland server.example.test; cat report.txt; quit"
