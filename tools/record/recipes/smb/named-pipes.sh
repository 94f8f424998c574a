#!/usr/bin/env bash
# shows: Remote procedure calls over named pipes by rpcclient and net: users (samr), names and SIDs
#        (lsarpc), shares and sessions (srvsvc), services (svcctl), registry (winreg).
# programs: rpcclient, net, smbd
# check: samr; lsarpc; srvsvc; svcctl; winreg; dcerpc.pkt_type == 11
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'registry shares = no' 'enable privileges = yes' 'svcctl list = cups' 'admin users = anna'
echo "seen today" > notes.txt
capture

call() { client rpcclient -s client.conf -U anna%wonderland 10.1.0.20 -c "$1" || true; }
call 'enumdomusers; querydominfo; queryuser 0x3e8; lookupnames anna'
call 'lsaquery; lsaenumsid; lookupnames anna'
call 'netshareenumall; srvinfo; netsessenum; netremotetod'
client net rpc service list -s client.conf -S 10.1.0.20 -U anna%wonderland || true
client net rpc registry enumerate HKLM -s client.conf -S 10.1.0.20 -U anna%wonderland || true
