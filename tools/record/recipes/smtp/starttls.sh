#!/usr/bin/env bash
# shows: A mail session upgraded to TLS by STARTTLS, then logon and message inside it.
# programs: curl, python:aiosmtpd
# check: frame contains "STARTTLS"; tcp.port == 25 and tls.handshake.type == 1; tcp.port == 25 and
#        tls.handshake.type == 2
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_smtp tls
capture

printf 'Subject: in private\r\n\r\nnot for all eyes\r\n' > message
client curl -sS --ssl-reqd --cacert ca.pem -u anna:wonderland smtp://server.example.test \
    --mail-from bo@example.test --mail-rcpt anna@example.test -T message
