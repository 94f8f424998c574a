#!/usr/bin/env bash
# shows: SOCKS proxies: HTTP through version 5 (by address and by name), version 4 and 4a, and a refused
#        connection.
# programs: curl, ssh, sshd, nginx
# check: socks.version == 5; socks.version == 4; tcp.port == 1080 and tcp.len > 0
set -euo pipefail
source "$TOOLS/lib/web.sh"
source "$TOOLS/lib/ssh.sh"
start_nginx
start_ssh
chmod 755 "$WORK"
# The proxy is the server's own SSH client forwarding to itself.
start server ssh "${SSH_OPTIONS[@]}" -i "$WORK/user_key" -N -D 10.1.0.20:1080 anna@10.1.0.20
wait_tcp server 1080
capture

client curl -sS --socks5 10.1.0.20:1080 http://10.1.0.20/index.html
client curl -sS --socks5-hostname 10.1.0.20:1080 http://www.example.test/index.html
client curl -sS --socks4 10.1.0.20:1080 http://10.1.0.20/index.html
client curl -sS --socks4a 10.1.0.20:1080 http://www.example.test/index.html
expect_failure client curl -sS --socks5 10.1.0.20:1080 http://10.1.0.20:81/
