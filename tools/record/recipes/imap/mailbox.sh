#!/usr/bin/env bash
# shows: A mailbox read in clear by IMAP: logon, list, search, fetch, a flag set, a draft stored as a
#        literal, a wrong password.
# programs: curl, dovecot
# check: imap.request.command == "authenticate" or imap.request.command == "LOGIN" or imap.request.command
#        == "AUTHENTICATE"; imap.request contains "FETCH"; imap.response contains "NO "
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_dovecot
capture

mail() { client curl -sS -u anna:wonderland "imap://10.1.0.20/$1" "${@:2}"; }
mail ''
mail INBOX -X 'SEARCH ALL'
mail 'INBOX;MAILINDEX=1'
mail INBOX -X 'STORE 1 +FLAGS (\Flagged)'
printf 'Subject: draft\r\n\r\nnot yet sent\r\n' > draft
mail INBOX -T draft
client curl -sS --login-options AUTH=LOGIN -u anna:wonderland imap://10.1.0.20/INBOX -X NOOP
expect_failure client curl -sS -u anna:guess imap://10.1.0.20/
