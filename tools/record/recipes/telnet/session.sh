#!/usr/bin/env bash
# shows: A telnet session in clear: option negotiation, a user name, a password, a command.
# programs: telnet-ssl, in.telnetd
# check: telnet.cmd; telnet.data
set -euo pipefail
cat > login <<'END'
#!/bin/sh
printf 'login: '; read user
printf 'Password: '; read password
[ "$password" = wonderland ] || { echo 'Login incorrect'; exit 1; }
printf 'router> '; read command; echo "uptime is 12 days"
END
chmod +x login
start server socat TCP-LISTEN:23,fork,reuseaddr EXEC:"in.telnetd -z nossl -L $WORK/login"
wait_tcp server 23
capture

(sleep 0.5; printf 'anna\r'; sleep 0.5; printf 'wonderland\r'; sleep 0.5; printf 'show version\r'; sleep 1) | client timeout 6 telnet-ssl -z nossl 10.1.0.20 || true
(sleep 0.5; printf 'admin\r'; sleep 0.5; printf 'admin\r'; sleep 1) | client timeout 6 telnet-ssl -z nossl 10.1.0.20 || true
