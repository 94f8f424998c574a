#!/usr/bin/env bash
# shows: A second client, Impacket: SMB 2.1, SMB1 and encrypted SMB 3.1.1 sessions, shares listed, a program
#        uploaded as tool.exe and deleted, users read by samr.
# programs: python:impacket, smbd
# check: smb2.cmd == 5 and smb2.filename contains "tool"; ntlmssp.auth.username == "anna"
set -euo pipefail
source "$TOOLS/lib/samba.sh"
start_samba 
echo "seen today" > notes.txt
capture

cat > act.py <<'END'
import io, sys
from impacket.smbconnection import SMBConnection
from impacket.smb import SMB_DIALECT
from impacket.smb3structs import SMB2_DIALECT_21, SMB2_DIALECT_311
for dialect in (SMB2_DIALECT_21, SMB_DIALECT, SMB2_DIALECT_311):
    smb = SMBConnection('FILES', '10.1.0.20', preferredDialect=dialect)
    smb.login('anna', 'wonderland')
    print(smb.getDialect(), [share['shi1_netname'] for share in smb.listShares()])
    smb.putFile('shared', 'tool.exe', io.BytesIO(open('/usr/bin/true', 'rb').read(4000)).read)
    print([f.get_longname() for f in smb.listPath('shared', '*')])
    smb.deleteFile('shared', 'tool.exe')
    smb.logoff()
END
client "$PYTHON" act.py
client samrdump.py anna:wonderland@10.1.0.20 || true
