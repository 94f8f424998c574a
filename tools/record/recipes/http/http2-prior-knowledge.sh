#!/usr/bin/env bash
# shows: HTTP/2 in clear text from the first byte: several streams on one connection, a POST, a missing
#        page, by two clients.
# programs: curl, nghttp, apache2
# decode: tcp.port==8080,http2
# check: http2.magic; http2.headers.status == 404; http2.streamid > 3; http2.headers.method == "POST"
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache 'Listen 8080'
capture

url=http://www.example.test:8080
client curl -sS -o /dev/null --http2-prior-knowledge "$url/absent"
client curl -sS -o /dev/null --http2-prior-knowledge -d 'a=1&b=2' "$url/index.html"
client nghttp -n "$url/numbers.txt" "$url/index.html" "$url/paper.pdf"
