#!/usr/bin/env bash
# shows: Mail handed over: one plain message to two recipients, one of whom is unknown, one with an
#        attachment (MIME), one refused for its content, several messages in one session.
# programs: swaks, curl, python:aiosmtpd
# check: smtp.req.command == "DATA"; smtp.response.code == 550; smtp.response.code == 554; imf;
#        mime_multipart
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_smtp
capture

send() { client swaks --server 10.1.0.20 --helo pc7.example.test --from bo@example.test "$@" || true; }
send --to anna@example.test,nobody@example.test --header 'Subject: lunch' --body 'At noon?'
send --to anna@example.test --header 'Subject: papers' --body 'See the file.' --attach-type application/pdf --attach-name 'report.pdf' --attach-body '%PDF-1.4 small'
send --to anna@example.test --body 'XJS*C4JDBQADN1'
printf 'Subject: twice\r\n\r\n..a line that starts with a dot\r\n' > message
client curl -sS smtp://10.1.0.20 --mail-from bo@example.test --mail-rcpt anna@example.test -T message \
    --next smtp://10.1.0.20 --mail-from '' --mail-rcpt anna@example.test -T message
