#!/usr/bin/env bash
# shows: Three requests in turn on one connection; then one each by HTTP/1.0 with and without keep-alive,
#        and HTTP/0.9.
# programs: curl, ncat, apache2
# check: http.request.version == "HTTP/1.0"; http.response.code == 200
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache 'HttpProtocolOptions Unsafe Allow0.9'
capture

url=http://www.example.test
client curl -sS "$url/" "$url/paper.pdf" "$url/absent"
client curl -sS --http1.0 "$url/"
client curl -sS --http1.0 -H 'Connection: keep-alive' "$url/" "$url/paper.pdf"
printf 'GET /\r\n' | client ncat -i 1 10.1.0.20 80 || true
