#!/usr/bin/env bash
# shows: HTTP on ports where other protocols live (25, 443, 6667), known by content only.
# programs: curl, nginx
# decode: tcp.port==25,http tcp.port==443,http tcp.port==6667,http
# check: tcp.port == 25 and http.request; tcp.port == 443 and http.response; tcp.port == 6667 and
#        http.response
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_nginx 'listen 25; listen 443; listen 6667;'
capture

for port in 25 443 6667; do client curl -sS -o /dev/null "http://www.example.test:$port/index.html"; done
