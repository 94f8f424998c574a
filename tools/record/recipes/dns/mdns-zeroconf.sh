#!/usr/bin/env bash
# shows: Multicast DNS: a printer service announces itself (probe, announcement), another host browses and
#        resolves it, and it says goodbye.
# programs: python:zeroconf
# check: mdns and dns.flags.response == 1 and dns.srv.name; mdns and dns.resp.ttl == 0
set -euo pipefail
cat > "$WORK/announce.py" <<'END'
import socket, time
from zeroconf import ServiceInfo, Zeroconf
zc = Zeroconf(interfaces=["10.1.0.20"])
info = ServiceInfo("_ipp._tcp.local.", "Office Printer._ipp._tcp.local.", port=631,
                   addresses=[socket.inet_aton("10.1.0.20")], server="printer.local.",
                   properties={"ty": "Laser 2000", "pdl": "application/pdf"})
zc.register_service(info)
time.sleep(3)
zc.unregister_service(info)
zc.close()
END
cat > "$WORK/browse.py" <<'END'
import time
from zeroconf import ServiceBrowser, ServiceListener, Zeroconf
class Listener(ServiceListener):
    def add_service(self, zc, kind, name): print(zc.get_service_info(kind, name))
    def update_service(self, *_): pass
    def remove_service(self, *_): pass
zc = Zeroconf(interfaces=["10.1.0.10"])
ServiceBrowser(zc, "_ipp._tcp.local.", Listener())
time.sleep(4)
zc.close()
END
capture
start client "$PYTHON" "$WORK/browse.py"
server "$PYTHON" "$WORK/announce.py"
sleep 1
