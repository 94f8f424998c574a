#!/usr/bin/env bash
# shows: A file read in large pieces, several requests outstanding at once, by SMB 3.1.1.
# programs: smbclient, smbd
# check: smb2.cmd == 8 and smb2.read_length > 60000 or smb2.read_length > 20000
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

head -c 90000 /dev/zero | tr '\0' z > shared/large.bin
smb -m SMB3_11 shared 'get large.bin large.got'
