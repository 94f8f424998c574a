#!/usr/bin/env bash
# shows: Transfers that do not end well: the client leaves in the middle of an answer, the server closes
#        before the promised length.
# programs: curl, python3, ncat
# check: tcp.flags.reset == 1; tcp.flags.fin == 1 and ip.src == 10.1.0.20
set -euo pipefail
source "$TOOLS/lib/web.sh"
make_site
seq 1 6000 > "$WORK/www/more.txt"
start server python3 -m http.server -d "$WORK/www" 80
printf 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this much' > "$WORK/short"
start server bash -c "ncat -l 8081 --send-only < '$WORK/short'"
wait_tcp server 80
wait_tcp server 8081
client tc qdisc 2> /dev/null || true
capture

expect_failure client curl -sS -o "$WORK/part" --max-filesize 100 http://www.example.test/more.txt
client curl -sS --limit-rate 2000 -m 2 -o "$WORK/part" http://www.example.test/more.txt || true
expect_failure client curl -sS -o "$WORK/part" http://www.example.test:8081/
