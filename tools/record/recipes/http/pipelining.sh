#!/usr/bin/env bash
# shows: Five requests (one of them HEAD, one POST) sent at once on one connection, answered in order.
# programs: ncat, nginx
# check: frame contains "404 Not Found"; frame contains "405 Not Allowed"; tcp.len > 280 and http.request
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_nginx
capture

{
    printf 'GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n'
    printf 'HEAD /numbers.txt HTTP/1.1\r\nHost: www.example.test\r\n\r\n'
    printf 'GET /absent HTTP/1.1\r\nHost: www.example.test\r\n\r\n'
    printf 'POST / HTTP/1.1\r\nHost: www.example.test\r\nContent-Length: 11\r\n\r\nGET / HTTP/'
    printf 'GET /paper.pdf HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n'
} | client ncat --no-shutdown 10.1.0.20 80
