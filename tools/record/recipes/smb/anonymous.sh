#!/usr/bin/env bash
# shows: An anonymous session lists the shares, a guest reads a public one, and is denied the other.
# programs: smbclient, smbd
# check: smb2.session_flags != 0; smb2.tree contains "IPC"; smb2.nt_status == 0xc0000022
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

client smbclient -s client.conf -N -L //10.1.0.20
client smbclient -s client.conf -N //10.1.0.20/public -c 'ls; get report.txt got.txt'
client smbclient -s client.conf -U '%' //10.1.0.20/shared -c 'ls' || true
