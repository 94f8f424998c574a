#!/usr/bin/env bash
# shows: FTP with passive data connections (PASV, EPSV) by curl and lftp: list, download, upload, rename,
#        delete, a missing file, over IPv4 and IPv6.
# programs: curl, lftp, python:pyftpdlib
# check: ftp.request.command == "PASV"; ftp.request.command == "EPSV"; ftp-data; ftp.request.command ==
#        "STOR"; ftp.response.code == 550
set -euo pipefail
source "$TOOLS/lib/ftp.sh"
start_ftp
capture

client curl -sS --disable-epsv -u anna:wonderland ftp://10.1.0.20/
client curl -sS -o got -u anna:wonderland ftp://10.1.0.20/numbers.txt
client curl -sS -u anna:wonderland -T got ftp://10.1.0.20/copy.txt -Q '-RNFR copy.txt' -Q '-RNTO moved.txt' -Q '-DELE moved.txt'
client curl -sS ftp://10.1.0.20/absent.txt || true
client curl -sS -u anna:wonderland 'ftp://[2001:db8:1::20]/report.txt'
client lftp -u anna,wonderland -e 'set ftp:sync-mode off; cls; cat report.txt; mkdir new; rmdir new; quit' ftp://10.1.0.20
