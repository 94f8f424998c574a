#!/usr/bin/env bash
# shows: Clients that know only SMB1, or at most SMB 2.1, and a server that insists on SMB3: both are turned
#        away.
# programs: smbclient, smbd
# check: smb2.nt_status == 0xc00000bb or tcp.flags.fin == 1 or tcp.flags.reset == 1; smb2.cmd == 0 or
#        smb.cmd == 0x72
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'server min protocol = SMB3_00'
echo "seen today" > notes.txt
capture

client smbclient -s client.conf -m NT1 //10.1.0.20/shared -U anna%wonderland -c ls || true
client smbclient -s client.conf --option='client min protocol = SMB2_02' -m SMB2_10 //10.1.0.20/shared -U anna%wonderland -c ls || true
