#!/usr/bin/env bash
# shows: NetBIOS names over UDP port 137: a Samba server registers its names by broadcast, a client asks for
#        one, for the node status (names and MAC address), for the master browser, and for a name nobody
#        has.
# programs: nmbd, nmblookup
# check: nbns.flags.opcode == 5; nbns.flags.response == 1 and nbns.addr; nbns.number_of_names
set -euo pipefail
mkdir -p "$WORK/samba"/{private,lock,state,cache,pid,ncalrpc} /run/samba
cat > "$WORK/smb.conf" <<END
[global]
    netbios name = FILES
    workgroup = OFFICE
    interfaces = eth0
    bind interfaces only = yes
    private dir = $WORK/samba/private
    lock directory = $WORK/samba/lock
    state directory = $WORK/samba/state
    cache directory = $WORK/samba/cache
    pid directory = $WORK/samba/pid
    ncalrpc dir = $WORK/samba/ncalrpc
    log file = $WORK/samba.log
END
capture
start server nmbd -F --no-process-group -s "$WORK/smb.conf"
sleep 8
look() { client nmblookup -s "$WORK/smb.conf" "$@" || true; }
look -B 10.1.0.255 FILES
look -A 10.1.0.20
look -M OFFICE
look -B 10.1.0.255 NOBODY
