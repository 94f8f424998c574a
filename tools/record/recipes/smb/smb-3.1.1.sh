#!/usr/bin/env bash
# shows: SMB 3.1.1: files listed, written, read, renamed, deleted, a folder made and removed, a missing file
#        asked for.
# programs: smbclient, smbd
# check: smb2.dialect == 0x0311 and smb2.flags.response == 1; smb2.cmd == 5 and smb2.filename ==
#        "notes.txt"; smb2.file_info.infolevel == 0x0a; smb2.nt_status == 0xc0000034
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

smb -m SMB3_11 shared "$FILE_WORK" || true
