#!/usr/bin/env bash
# shows: Both hosts open the same connection at the same moment (simultaneous open), exchange a line and
#        close.
# programs: python3, linux.uml
# kernel: uml
# check: tcp.flags.syn == 1 and tcp.flags.ack == 0 and ip.src == 10.1.0.20
set -euo pipefail
cat > "$WORK/both.py" <<'END'
import socket, sys, time
me, other, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
s = socket.socket()
s.bind((me, 7777))
s.settimeout(5)
time.sleep(max(0, start - time.time()))
s.connect((other, 7777))
s.sendall(me.encode() + b"\n")
print(s.recv(100))
time.sleep(0.2)
s.close()
END
# Make the cable slow, or the first SYN always wins.
client tc qdisc add dev eth0 root netem delay 300ms
server tc qdisc add dev eth0 root netem delay 300ms
client ping -c 1 10.1.0.20
capture
when=$(date +%s.%N -d '+3 seconds')
start server python3 "$WORK/both.py" 10.1.0.20 10.1.0.10 "$when"
client python3 "$WORK/both.py" 10.1.0.10 10.1.0.20 "$when"
