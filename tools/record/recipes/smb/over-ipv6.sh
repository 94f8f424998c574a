#!/usr/bin/env bash
# shows: SMB over IPv6.
# programs: smbclient, smbd
# check: ipv6 and smb2.cmd == 5
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

client smbclient -s client.conf '//2001:db8:1::20/shared' -U anna%wonderland -c 'ls; get report.txt got.txt'
