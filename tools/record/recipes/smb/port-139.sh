#!/usr/bin/env bash
# shows: SMB over NetBIOS (port 139): session request with names, then SMB1 and SMB 2.1.
# programs: smbclient, smbd
# check: nbss.type == 0x81; tcp.port == 139 and smb2.cmd == 5
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'smb ports = 139 445'
echo "seen today" > notes.txt
capture

smb -p 139 -n WORKSTATION -m NT1 shared 'ls; get report.txt got.txt'
smb -p 139 -n WORKSTATION -m SMB2_10 shared 'ls'
