#!/usr/bin/env bash
# shows: Failed logons by SMB1.
# programs: smbclient, smbd
# check: smb.nt_status == 0xc000006d
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'map to guest = Never'
echo "seen today" > notes.txt
capture

expect_failure client smbclient -s client.conf -m NT1 //10.1.0.20/shared -U 'anna%guess' -c ls
expect_failure client smbclient -s client.conf -m NT1 //10.1.0.20/shared -U 'nobody2%guess' -c ls
