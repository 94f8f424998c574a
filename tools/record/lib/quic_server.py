"""An HTTP/3 server on UDP port 443: every request is answered with a short page.

Arguments: `retry` asks each new client to prove its address first.
"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated
from aioquic.quic.packet import QuicProtocolVersion


class Pages(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        for item in self.http.handle_event(event) if self.http else []:
            if isinstance(item, HeadersReceived):
                self.answer(item.stream_id)

    def answer(self, stream):
        self.http.send_headers(stream, [(b":status", b"200"), (b"server", b"test")])
        self.http.send_data(stream, b"hello over QUIC\n" * 20, end_stream=True)
        self.transmit()


async def main():
    tickets = {}
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    configuration.supported_versions = [QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2]
    configuration.load_cert_chain("server.pem", "server.key")
    await serve(
        "::",
        443,
        configuration=configuration,
        create_protocol=Pages,
        retry="retry" in sys.argv,
        session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
        session_ticket_fetcher=tickets.get,
    )
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
