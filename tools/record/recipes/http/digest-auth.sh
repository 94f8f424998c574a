#!/usr/bin/env bash
# shows: Digest authentication: challenge, answer, a wrong password.
# programs: curl, apache2
# check: http.authorization contains "Digest username"; http.www_authenticate contains "nonce";
#        http.response.code == 200
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache
capture

client curl -sS --digest -u anna:wonderland http://www.example.test/digest/note.txt
client curl -sS -o /dev/null --digest -u anna:guess http://www.example.test/digest/note.txt
