#!/usr/bin/env bash
# shows: Multicast DNS over IPv4 and IPv6: Avahi announces a host and a file share, a zeroconf client on
#        another host browses for the share and resolves it.
# programs: avahi-daemon, python:zeroconf
# check: mdns and ipv6; mdns and dns.qry.name contains "_smb._tcp"; mdns and dns.txt
set -euo pipefail
mkdir -p "$WORK/services" /run/avahi-daemon
cat > "$WORK/services/smb.service" <<'END'
<?xml version="1.0" standalone='no'?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group>
  <name replace-wildcards="yes">Files on %h</name>
  <service><type>_smb._tcp</type><port>445</port><txt-record>path=/shared</txt-record></service>
</service-group>
END
mount --bind "$WORK/services" /etc/avahi/services
cat > "$WORK/avahi.conf" <<'END'
[server]
host-name=fileserver
allow-interfaces=eth0
enable-dbus=no
END
cat > "$WORK/browse.py" <<'END'
import time
from zeroconf import ServiceBrowser, ServiceListener, Zeroconf
class Listener(ServiceListener):
    def add_service(self, zc, kind, name): print(zc.get_service_info(kind, name))
    def update_service(self, *_): pass
    def remove_service(self, *_): pass
zc = Zeroconf(interfaces=["10.1.0.10"])
ServiceBrowser(zc, "_smb._tcp.local.", Listener())
time.sleep(3)
zc.close()
END
capture
start server avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$WORK/avahi.conf"
sleep 2
client "$PYTHON" "$WORK/browse.py"
