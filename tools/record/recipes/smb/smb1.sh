#!/usr/bin/env bash
# shows: SMB1 (NT1): files listed, written, read, renamed, deleted, a folder made and removed, a missing
#        file asked for.
# programs: smbclient, smbd
# check: smb.cmd == 0xa2; smb.cmd == 0x06; smb.cmd == 0x07; smb.nt_status == 0xc0000034
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

smb -m NT1 shared "$FILE_WORK" || true
