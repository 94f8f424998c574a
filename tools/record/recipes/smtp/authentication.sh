#!/usr/bin/env bash
# shows: Logging on to a mail server in clear: AUTH PLAIN, AUTH LOGIN, a wrong password (535).
# programs: swaks, python:aiosmtpd
# check: smtp.auth.username or smtp.auth.username_password; smtp.response.code == 235; smtp.response.code ==
#        535
set -euo pipefail
source "$TOOLS/lib/mail.sh"
start_smtp
capture

send() { client swaks --server 10.1.0.20 --helo pc7.example.test --from bo@example.test --to anna@example.test "$@" || true; }
send --auth PLAIN --auth-user anna --auth-password wonderland
send --auth LOGIN --auth-user anna --auth-password wonderland
send --auth LOGIN --auth-user anna --auth-password guess
