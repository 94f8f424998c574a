#!/usr/bin/env bash
# shows: SMB1 with signing.
# programs: smbclient, smbd
# check: smb.flags2.sec_sig == 1
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'server signing = mandatory'
echo "seen today" > notes.txt
capture

smb -m NT1 --option='client signing = required' shared 'ls; get report.txt got.txt'
