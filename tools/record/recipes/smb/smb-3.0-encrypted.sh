#!/usr/bin/env bash
# shows: SMB 3.0 (AES-CCM) encrypted.
# programs: smbclient, smbd
# check: smb2.header.transform.signature
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'server smb encrypt = required'
echo "seen today" > notes.txt
capture

smb -m SMB3_00 shared 'ls; get report.txt got.txt' || true
