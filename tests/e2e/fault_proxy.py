"""A TCP proxy on loopback that hurts single calls: it forwards HTTP requests and replies, and at a chosen byte of a chosen
call's request or reply it cuts the connection, falls silent, or turns a bit."""

import asyncio
import re
import threading
import urllib.parse

CUT_REQUEST, CUT_REPLY, SILENT_REQUEST, SILENT_REPLY, GARBLE_REPLY = (
    "cut request", "cut reply", "silent in request", "silent in reply", "garble reply")


class Hurt(Exception):
    """The connection ends here."""


async def read_message(reader):
    """One HTTP message with its body, by Content-Length; empty at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        if not line:
            return b""
        head += line
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + (await reader.readexactly(int(length.group(1))) if length else b"")


class FaultProxy:
    """Runs from construction to close(). `plan(request)` is asked once for each CreateToken request and gives None or
    (kind, offset); an offset beyond the end of the message is the last byte."""

    def __init__(self, target_url, plan):
        target = urllib.parse.urlsplit(target_url)
        self._target = (target.hostname, target.port)
        self._plan = plan
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(30)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader, writer):
        upstream_writer = None
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
            while request := await read_message(reader):
                kind, offset = None, 0
                if b"/CreateToken " in request.split(b"\r\n", 1)[0]:
                    kind, offset = self._plan(request) or (None, 0)
                await self._pass(upstream_writer, request, kind, offset, CUT_REQUEST, SILENT_REQUEST, None, reader)
                reply = await read_message(upstream_reader)
                await self._pass(writer, reply, kind, offset, CUT_REPLY, SILENT_REPLY, GARBLE_REPLY, reader)
        except (Hurt, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, upstream_writer):
                if end is not None:
                    end.close()

    async def _pass(self, writer, message, kind, offset, cut, silent, garble, client):
        offset = min(offset, len(message) - 1)
        if kind == garble and garble is not None:
            message = message[:offset] + bytes([message[offset] ^ 0x04]) + message[offset + 1:]
        hurts = kind in (cut, silent)
        writer.write(message[:offset] if hurts else message)
        await writer.drain()
        if kind == silent:
            await client.read(1)  # until the client gives up
        if hurts:
            raise Hurt
