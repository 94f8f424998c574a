#!/usr/bin/env bash
# shows: A WebSocket: upgrade (101), text both ways, compressed and binary messages, a ping, a close with
#        its code.
# programs: python:websockets
# decode: tcp.port==8765,http
# check: http.upgrade == "websocket"; websocket.opcode == 2; websocket.opcode == 9; websocket.opcode == 8
set -euo pipefail
cat > "$WORK/server.py" <<'END'
import asyncio
from websockets.asyncio.server import serve
async def echo(socket):
    async for message in socket:
        await socket.send(message)
async def main():
    async with serve(echo, "0.0.0.0", 8765, subprotocols=["chat"]):
        await asyncio.get_running_loop().create_future()
asyncio.run(main())
END
cat > "$WORK/client.py" <<'END'
import asyncio
from websockets.asyncio.client import connect
async def main():
    async with connect("ws://www.example.test:8765/chat?room=1", subprotocols=["chat"],
                       origin="http://www.example.test") as socket:
        await socket.send("hello")
        print(await socket.recv())
        await socket.send("long " * 400)
        print(len(await socket.recv()))
        await socket.send(bytes(range(200)))
        print(len(await socket.recv()))
        await (await socket.ping(b"alive?"))
        await socket.close(4001, "enough")
asyncio.run(main())
END
start server "$PYTHON" "$WORK/server.py"
wait_tcp server 8765
capture

client "$PYTHON" "$WORK/client.py"
