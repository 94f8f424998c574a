#!/usr/bin/env bash
# shows: Plain requests through a proxy (squid on port 3128): absolute URIs, a cache hit, a refused site, a
#        password asked for (407) and given.
# programs: curl, squid, nginx
# check: http.request.uri contains "http://"; http.response.code == 407; http.proxy_authorization;
#        http.response.line contains "HIT"
# decode: tcp.port==3128,http
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_nginx 'add_header Cache-Control "max-age=60";'
htpasswd -bc "$WORK/users" anna wonderland
cat > "$WORK/squid.conf" <<END
http_port 3128
pid_filename $WORK/squid.pid
cache_log $WORK/squid.log
access_log none
coredump_dir $WORK
visible_hostname proxy.example.test
pinger_enable off
cache_effective_user nobody
shutdown_lifetime 0 seconds
auth_param basic program /usr/lib/squid/basic_ncsa_auth $WORK/users
auth_param basic realm proxy
acl paper urlpath_regex paper
acl secret urlpath_regex tool
acl known proxy_auth REQUIRED
http_access deny secret
http_access deny paper !known
http_access allow all
END
chmod 777 "$WORK"
start server squid -N -f "$WORK/squid.conf"
wait_tcp server 3128
capture

get() { client curl -sS -o /dev/null -x http://10.1.0.20:3128 "$@"; }
get http://www.example.test/index.html
get http://www.example.test/index.html
get http://www.example.test/tool.bin
get http://www.example.test/paper.pdf
get -U anna:wonderland http://www.example.test/paper.pdf
