#!/usr/bin/env bash
# shows: How TCP connections end: complete (SF), closed port (REJ), dropped by a filter (S0), refused by
#        ICMP, reset by the server (RSTR), reset by the client (RSTO), half closed, and cut off in the
#        middle by a filter.
# programs: ncat, socat, python3, nft
# check: tcp.flags.reset == 1 and tcp.dstport > 30000; tcp.port == 81; icmp.code == 13; tcp.flags.fin == 1
set -euo pipefail
server nft -f - <<'END'
table ip t {
    chain in {
        type filter hook input priority 0;
        tcp dport 82 drop
        tcp dport 83 reject with icmp type admin-prohibited
        tcp dport 84 tcp flags != syn drop
    }
}
END
cat > "$WORK/reset.py" <<'END'
"""Accept one connection, read, then reset it: closing with a zero linger time sends RST."""
import socket, struct, sys
role, port = sys.argv[1], int(sys.argv[2])
if role == "serve":
    listener = socket.create_server(("", port))
    s, _ = listener.accept()
    s.recv(100)
else:
    s = socket.create_connection(("10.1.0.20", port))
    s.sendall(b"hello and goodbye\n")
    s.recv(100)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
END
start server socat TCP-LISTEN:7,fork,reuseaddr SYSTEM:cat
start server socat TCP-LISTEN:84,fork,reuseaddr SYSTEM:cat
start server python3 "$WORK/reset.py" serve 85
start server socat -u TCP-LISTEN:86,reuseaddr SYSTEM:'sleep 2'
wait_tcp server 7
wait_tcp server 85
capture
echo "complete" | client ncat --no-shutdown -i 1 10.1.0.20 7 || true
expect_failure client ncat -w 1 10.1.0.20 81 < /dev/null
expect_failure client ncat -w 2 10.1.0.20 82 < /dev/null
expect_failure client ncat -w 1 10.1.0.20 83 < /dev/null
echo "never seen" | client timeout 2 ncat -w 1 10.1.0.20 84 || true
echo "reset me" | client ncat --no-shutdown 10.1.0.20 85 || true
client python3 "$WORK/reset.py" connect 7
echo "half closed" | client socat -t 3 - TCP:10.1.0.20:86 || true
