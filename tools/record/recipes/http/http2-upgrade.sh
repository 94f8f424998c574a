#!/usr/bin/env bash
# shows: HTTP/1.1 upgraded to HTTP/2 in clear text (Upgrade: h2c, 101), then frames.
# programs: curl, apache2
# check: http.upgrade == "h2c"; http.response.code == 101; http2.type == 1
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache
capture

client curl -sS -o /dev/null --http2 http://www.example.test/numbers.txt
