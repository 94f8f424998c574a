"""Fetch pages over HTTP/3 from www.example.test, all on one connection.

Arguments: paths, and `version=2`, `host=ADDRESS`, `again` (a second connection resumed with
early data), `version=grease` (first offers a version nobody speaks), `upgrade` (starts with 1,
likes 2 better), `big` (a large hello).
"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion

OPTIONS = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
PATHS = [word for word in sys.argv[1:] if word.startswith("/")]
VERSIONS = {"1": QuicProtocolVersion.VERSION_1, "2": QuicProtocolVersion.VERSION_2, "grease": 0x1A2A3A4A}


class Client(QuicConnectionProtocol):
    http = None
    answers = {}

    def request(self, path):
        self.http = self.http or H3Connection(self._quic)
        stream = self._quic.get_next_available_stream_id()
        headers = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"www.example.test"), (b":path", path.encode())]
        self.http.send_headers(stream, headers, end_stream=True)
        self.answers[stream] = asyncio.get_running_loop().create_future()
        self.transmit()
        return self.answers[stream]

    def quic_event_received(self, event):
        for item in self.http.handle_event(event) if self.http else []:
            if isinstance(item, DataReceived) and item.stream_ended:
                self.answers[item.stream_id].set_result(item.data)


async def visit(ticket=None):
    tickets = []
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=True, server_name="www.example.test")
    configuration.load_verify_locations("ca.pem")
    configuration.session_ticket = ticket
    if "version" in OPTIONS:
        configuration.original_version = VERSIONS[OPTIONS["version"]]
        configuration.supported_versions = [configuration.original_version]
    if OPTIONS.get("version") == "grease":
        configuration.supported_versions.append(VERSIONS["1"])
    if "upgrade" in sys.argv:
        configuration.original_version = VERSIONS["1"]
        configuration.supported_versions = [VERSIONS["2"], VERSIONS["1"]]
    if "big" in sys.argv:
        configuration.alpn_protocols = H3_ALPN + [f"protocol-number-{n}" for n in range(80)]
    host = OPTIONS.get("host", "10.1.0.20")
    async with connect(
        host,
        443,
        configuration=configuration,
        create_protocol=Client,
        session_ticket_handler=tickets.append,
        wait_connected=ticket is None,
    ) as client:
        for answer in [client.request(path) for path in PATHS]:
            print(await asyncio.wait_for(answer, 5))
    return tickets[0] if tickets else None


async def main():
    ticket = await visit()
    if "again" in sys.argv:
        await visit(ticket)


asyncio.run(main())
