#!/usr/bin/env bash
# shows: IMAP upgraded to TLS by STARTTLS, and IMAP over TLS from the start (port 993).
# programs: curl, openssl, dovecot
# check: imap.request contains "STARTTLS"; tcp.port == 143 and tls.handshake.type == 1; tcp.port == 993 and
#        tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_dovecot
capture

starttls imap 143 'a1 LOGOUT'
client curl -sS --cacert ca.pem -u anna:wonderland imaps://server.example.test/
