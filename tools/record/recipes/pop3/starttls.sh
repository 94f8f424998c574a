#!/usr/bin/env bash
# shows: POP3 upgraded to TLS by STLS.
# programs: openssl, dovecot
# check: pop.request.command == "STLS"; tcp.port == 110 and tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_dovecot
capture

starttls pop3 110
