#!/usr/bin/env bash
# shows: An anonymous logon, wrong passwords, and commands before any logon.
# programs: curl, ncat, python:pyftpdlib
# check: ftp.response.code == 530; ftp.request.arg == "anonymous"
set -euo pipefail
source "$TOOLS/lib/ftp.sh"
start_ftp
capture

client curl -sS ftp://10.1.0.20/
expect_failure client curl -sS -u anna:guess ftp://10.1.0.20/
expect_failure client curl -sS -u admin:admin ftp://10.1.0.20/
(sleep 0.3; printf 'LIST\r\n'; sleep 0.2; printf 'SYST\r\nFEAT\r\nQUIT\r\n'; sleep 0.5) | client ncat 10.1.0.20 21
