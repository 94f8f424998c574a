#!/usr/bin/env bash
# shows: A receiver that stops reading: the window closes, the sender probes, the window opens again.
# programs: python3, ncat
# check: tcp.analysis.zero_window; tcp.analysis.keep_alive or tcp.analysis.zero_window_probe; tcp.len > 1000
set -euo pipefail
cat > "$WORK/slow.py" <<'END'
import socket, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
listener.bind(("", 9000))
listener.listen()
s, _ = listener.accept()
time.sleep(2)
while s.recv(1000):
    time.sleep(0.01)
END
start server python3 "$WORK/slow.py"
wait_tcp server 9000
capture
seq 1 5000 | client ncat --send-only 10.1.0.20 9000
sleep 1
