#!/usr/bin/env bash
# shows: A mailbox emptied by POP3: logon by USER and PASS and by CRAM-MD5, list, two messages fetched, one
#        deleted, a wrong password.
# programs: curl, ncat, dovecot
# check: pop.request.command == "USER"; pop.request.command == "RETR"; pop.request.command == "DELE";
#        pop.response.indicator == "-ERR"
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_dovecot
capture

say() { for line in "$@"; do sleep 0.3; printf '%s\r\n' "$line"; done; }
say 'CAPA' 'USER anna' 'PASS wonderland' 'STAT' 'LIST' 'UIDL' 'RETR 1' 'TOP 2 0' 'DELE 1' 'QUIT' | client ncat 10.1.0.20 110
client curl -sS --login-options AUTH=CRAM-MD5 -u anna:wonderland pop3://10.1.0.20/1
say 'USER anna' 'PASS guess' 'QUIT' | client ncat 10.1.0.20 110
