#!/usr/bin/env bash
# shows: A server that splits its handshake into records of 512 bytes, and a client hello sent in pieces of
#        a few bytes each.
# programs: openssl, python3
# check: tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2 -max_send_frag 512 -split_send_frag 512
cat > "$WORK/slow.py" <<'END'
import socket, ssl, time
inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
context = ssl.create_default_context(cafile="ca.pem")
tls = context.wrap_bio(inside, outside, server_hostname="www.example.test")
s = socket.create_connection(("10.1.0.20", 443))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def step(call):
    while True:
        try:
            return call()
        except ssl.SSLWantReadError:
            data = outside.read()
            for at in range(0, len(data), 60):
                s.sendall(data[at:at + 60])
                time.sleep(0.005)
            inside.write(s.recv(4000))
step(tls.do_handshake)
print(tls.version())
s.close()
END
capture

hello
client python3 slow.py
