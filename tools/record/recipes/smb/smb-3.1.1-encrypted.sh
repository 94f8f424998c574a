#!/usr/bin/env bash
# shows: SMB 3.1.1 with everything after the logon encrypted.
# programs: smbclient, smbd
# check: smb2.header.transform.signature
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'server smb encrypt = required'
echo "seen today" > notes.txt
capture

smb -m SMB3_11 shared "$FILE_WORK" || true
