#!/usr/bin/env bash
# shows: A PPPoE session: discovery (PADI, PADO, PADR, PADS), LCP, PAP login, IPCP, echo and HTTP inside,
#        PADT.
# programs: pppoe-server, pppd, ping, curl, linux.uml
# kernel: uml
# check: pppoe.code == 0x65; lcp; pap; pppoes and tcp; pppoe.code == 0xa7
set -euo pipefail
source "$TOOLS/lib/talk.sh"
start_talk
/sbin/modprobe -d /run/uml pppoe
mkdir -p "$WORK/ppp"
[[ -e /dev/ppp ]] || mknod /dev/ppp c 108 0
printf 'user * "secret" *\n' > "$WORK/ppp/pap-secrets"
printf 'require-pap\nlogin\nlcp-echo-interval 2\n' > "$WORK/ppp/server-options"
printf 'noauth\n' > "$WORK/ppp/options"
mount --bind "$WORK/ppp" /etc/ppp
sed -i '/login/d' /etc/ppp/server-options
start server pppoe-server -F -k -I eth0 -L 10.9.0.2 -R 10.9.0.1 -N 4 -O /etc/ppp/server-options -S internet -C access-1
sleep 1
capture
start client pppd plugin pppoe.so eth0 user user password secret noauth nodetach noipdefault nodefaultroute
wait_for client ping -c 1 -W 1 10.9.0.2
talk 10.9.0.2
sleep 2
kill "$(cat /run/pppd*.pid /run/ppp0.pid 2>/dev/null | head -1)" || true
sleep 2
