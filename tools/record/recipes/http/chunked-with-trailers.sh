#!/usr/bin/env bash
# shows: Bodies in chunks both ways: a chunked upload, and an answer of several chunks with trailers.
# programs: curl, node
# check: http.transfer_encoding == "chunked" and http.request; http.chunked_trailer_part
set -euo pipefail
cat > "$WORK/server.js" <<'END'
require("http").createServer((request, response) => {
  let bytes = 0;
  request.on("data", (part) => (bytes += part.length));
  request.on("end", () => {
    response.writeHead(200, { "Content-Type": "text/plain", Trailer: "X-Checksum, X-Bytes" });
    response.write("first chunk\n");
    setTimeout(() => {
      response.write("second chunk, a little later\n");
      response.addTrailers({ "X-Checksum": "b1946ac9", "X-Bytes": String(bytes) });
      response.end();
    }, 50);
  });
}).listen(8000);
END
start server "$(command -v node || echo /usr/bin/node)" "$WORK/server.js"
wait_tcp server 8000
capture

client curl -sS http://www.example.test:8000/
seq 1 400 | client curl -sS -H 'Transfer-Encoding: chunked' -T - http://www.example.test:8000/upload
