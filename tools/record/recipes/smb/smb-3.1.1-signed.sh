#!/usr/bin/env bash
# shows: SMB 3.1.1 with every message signed.
# programs: smbclient, smbd
# check: smb2.flags.signature == 1 and smb2.cmd == 8
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'server signing = mandatory'
echo "seen today" > notes.txt
capture

smb -m SMB3_11 --option='client signing = required' shared 'ls; get report.txt got.txt; put notes.txt'
