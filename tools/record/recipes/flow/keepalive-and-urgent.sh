#!/usr/bin/env bash
# shows: TCP keep-alive probes on an idle connection, then one byte of urgent data (URG).
# programs: python3
# check: tcp.analysis.keep_alive; tcp.flags.urg == 1
set -euo pipefail
cat > "$WORK/idle.py" <<'END'
import socket, sys, time
if sys.argv[1] == "serve":
    s, _ = socket.create_server(("", 7001)).accept()
    while s.recv(100):
        pass
else:
    s = socket.create_connection(("10.1.0.20", 7001))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    s.sendall(b"before")
    time.sleep(3.5)
    s.send(b"!", socket.MSG_OOB)
    s.sendall(b"after")
    s.close()
END
start server python3 "$WORK/idle.py" serve
wait_tcp server 7001
capture
client python3 "$WORK/idle.py" connect
