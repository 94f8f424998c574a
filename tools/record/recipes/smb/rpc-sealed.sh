#!/usr/bin/env bash
# shows: Remote procedure calls that are sealed (encrypted) by NTLM inside SMB, and endpoint mapping
#        (epmapper).
# programs: rpcclient, smbd
# check: dcerpc.auth_level == 6 or dcerpc.auth_level == 5
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

client rpcclient -s client.conf -U anna%wonderland '10.1.0.20[seal]' -c 'enumdomusers; lookupnames anna' || client rpcclient -s client.conf -U anna%wonderland 'ncacn_np:10.1.0.20[seal]' -c 'enumdomusers'
client rpcclient -s client.conf -U anna%wonderland 'ncacn_np:10.1.0.20[sign]' -c 'netshareenumall'
