#!/usr/bin/env bash
# shows: A client that asks before it sends a body: once told to continue (100), once refused (417 or 401).
# programs: curl, apache2
# check: http.response.code == 100; http.response.code == 401
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache
capture

client curl -sS -o /dev/null -H 'Expect: 100-continue' -T "$WORK/www/numbers.txt" http://www.example.test/dav/numbers.txt
client curl -sS -o /dev/null -H 'Expect: 100-continue' -T "$WORK/www/numbers.txt" http://www.example.test/private/numbers.txt
