#!/usr/bin/env bash
# shows: Basic authentication: without password (401), with a wrong one, with the right one, whose password
#        has a colon in it.
# programs: curl, apache2
# check: http.response.code == 401; http.authbasic == "anna:wonder:land"
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache
capture

client curl -sS -o /dev/null http://www.example.test/private/note.txt
client curl -sS -o /dev/null -u anna:guess http://www.example.test/private/note.txt
client curl -sS -u anna:wonder:land http://www.example.test/private/note.txt
