#!/usr/bin/env bash
# shows: Files by their content: an ELF program under a harmless name, a PDF, a file with a
#        Content-Disposition name, over IPv6.
# programs: curl, nginx
# check: http.content_type == "application/pdf"; ipv6 and http.response.code == 200; http.response.line
#        contains "attachment"
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_nginx 'location /attach/ { alias '"$WORK"'/www/; add_header Content-Disposition "attachment; filename=\"annual report.pdf\""; }'
head -c 9000 "$WORK/www/tool.bin" > "$WORK/www/holiday.jpg"
chmod a+r "$WORK/www/holiday.jpg"
capture

client curl -sS -o /dev/null http://server6.example.test/holiday.jpg
client curl -sS -o /dev/null http://server6.example.test/paper.pdf
client curl -sS -o /dev/null http://server6.example.test/attach/paper.pdf
