#!/usr/bin/env bash
# shows: Two BitTorrent peers find each other by a tracker (HTTP) and exchange a small file in clear.
# programs: transmission-daemon, transmission-create, python3
# check: bittorrent
set -euo pipefail
mkdir -p seed leech seed-config leech-config
seq 1 3000 > seed/numbers.txt
transmission-create -o numbers.torrent -t http://10.1.0.20:6969/announce seed/numbers.txt
cat > tracker.py <<'END'
"""A tracker in a few lines: everybody is told of both peers."""
import http.server, socket, struct
PEERS = b"".join(socket.inet_aton(ip) + struct.pack(">H", 51413) for ip in ("10.1.0.10", "10.1.0.20"))
class Tracker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"d8:intervali1800e5:peers%d:%se" % (len(PEERS), PEERS)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("10.1.0.20", 6969), Tracker).serve_forever()
END
for side in seed leech; do
    cat > $side-config/settings.json <<-END
	{"peer-port": 51413, "encryption": 0, "dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
	 "port-forwarding-enabled": false, "rpc-enabled": true, "rpc-bind-address": "127.0.0.1", "rpc-whitelist-enabled": false, "start-added-torrents": true}
	END
done
start server python3 tracker.py
start server transmission-daemon -f -g seed-config -w "$WORK/seed" -p 9091
start client transmission-daemon -f -g leech-config -w "$WORK/leech" -p 9091
wait_tcp server 9091
wait_tcp client 9091
wait_tcp server 6969
capture
server transmission-remote 9091 -a "$WORK/numbers.torrent" -w "$WORK/seed"
sleep 3
client transmission-remote 9091 -a "$WORK/numbers.torrent" -w "$WORK/leech"
wait_for cmp -s seed/numbers.txt leech/numbers.txt
