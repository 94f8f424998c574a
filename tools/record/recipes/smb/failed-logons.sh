#!/usr/bin/env bash
# shows: Logons that fail: a wrong password several times, an unknown user, a share that does not exist,
#        then the right one.
# programs: smbclient, smbd
# check: smb2.nt_status == 0xc000006d; smb2.nt_status == 0xc00000cc; ntlmssp.auth.username == "anna"
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 'map to guest = Never'
echo "seen today" > notes.txt
capture

for guess in password 123456 anna2024 secret; do
    expect_failure client smbclient -s client.conf //10.1.0.20/shared -U "anna%$guess" -c ls
done
expect_failure client smbclient -s client.conf //10.1.0.20/shared -U 'administrator%password' -c ls
expect_failure smb absent ls
smb shared ls
