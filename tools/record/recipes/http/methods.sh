#!/usr/bin/env bash
# shows: Other methods: POST of a form, multipart upload, PUT, DELETE, OPTIONS, and WebDAV's PROPFIND,
#        MKCOL, MOVE, LOCK; an unknown one is refused.
# programs: curl, apache2
# check: http.request.method == "POST"; http.request.method == "PUT"; http.response.code == 201;
#        http.response.code == 207; http.response.code == 405 or http.response.code == 501; mime_multipart
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache
capture

ask() { client curl -sS -o /dev/null "$@"; }
url=http://www.example.test
ask -d 'user=anna&password=wonderland' "$url/index.html"
ask -F 'title=holiday' -F "file=@$WORK/www/paper.pdf;type=application/pdf" "$url/index.html"
ask -T "$WORK/www/paper.pdf" "$url/dav/paper.pdf"
ask -X PROPFIND -H 'Depth: 1' "$url/dav/"
ask -X MKCOL "$url/dav/folder"
ask -X MOVE -H "Destination: $url/dav/folder/moved.pdf" "$url/dav/paper.pdf"
ask -X LOCK -H 'Content-Type: text/xml' -d '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>' "$url/dav/folder/moved.pdf"
ask -X DELETE "$url/dav/folder"
ask -X OPTIONS "$url/"
ask -X TRACE "$url/"
ask -X PROPFIND -H 'Depth: 1' "$url/"
ask -X BREW "$url/index.html"
