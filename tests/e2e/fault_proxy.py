"""A TCP proxy on loopback that hurts single calls: it forwards HTTP requests and replies, and at a chosen byte of a chosen
call's request or reply it cuts the connection, falls silent, waits, or turns a bit."""

import asyncio
import dataclasses
import re
import threading
import urllib.parse

REQUEST, REPLY = "request", "reply"
CUT, SILENT, DELAY, GARBLE = "cut", "silent", "delay", "garble"


@dataclasses.dataclass(frozen=True)
class Fault:
    side: str  # REQUEST or REPLY
    kind: str
    offset: int  # beyond the end of the message: its last byte
    seconds: float = 0.0  # of a delay


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
    """Runs from construction to close(). `plan(method, request)` is asked for each call and gives None or a Fault;
    `struck(fault)` is told when the proxy is at the fault's byte, with all that is ahead of it sent. Both are called on
    the proxy's thread. `longest` has the longest request and reply of each method so far."""

    def __init__(self, target_url, plan, struck=None):
        target = urllib.parse.urlsplit(target_url)
        self._target = (target.hostname, target.port)
        self._plan = plan
        self._struck = struck or (lambda fault: None)
        self.longest = {}
        self._port = 0
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(30)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def vanish(self):
        """Cuts every connection, and refuses new ones until appear()."""
        asyncio.run_coroutine_threadsafe(self._vanish(), self._loop).result(30)

    def appear(self, target_url):
        """Listens again, in front of this service."""
        target = urllib.parse.urlsplit(target_url)
        self._target = (target.hostname, target.port)
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._started.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _vanish(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        upstream_writer = None
        self._writers.add(writer)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
            self._writers.add(upstream_writer)
            while request := await read_message(reader):
                await self._exchange(request, reader, writer, upstream_reader, upstream_writer)
        except (Hurt, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            for end in (writer, upstream_writer):
                self._writers.discard(end)
                if end is not None:
                    end.close()

    async def _exchange(self, request, reader, writer, upstream_reader, upstream_writer):
        method = request.split(b" ", 2)[1].rsplit(b"/", 1)[-1].decode()
        fault = self._plan(method, request)
        await self._pass(REQUEST, request, fault, upstream_writer, reader)
        if fault and (fault.side, fault.kind) == (REQUEST, DELAY):
            # The client may have given up meanwhile; the service gets its late request all the same.
            reply = await read_message(upstream_reader)
        else:
            reply = await self._reply_or_gone(upstream_reader, reader)
        self._note_length(method, request, reply)
        await self._pass(REPLY, reply, fault, writer, reader)
        if fault and fault.kind == GARBLE:
            # Whatever else the service says to a request that it may have misread is not the next call's reply.
            raise Hurt

    @staticmethod
    async def _reply_or_gone(upstream_reader, client):
        reply = asyncio.ensure_future(read_message(upstream_reader))
        gone = asyncio.ensure_future(client.read(1))
        try:
            await asyncio.wait({reply, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                raise Hurt
            if not reply.result():
                raise Hurt
            return reply.result()
        finally:
            for task in (reply, gone):
                task.cancel()
            await asyncio.gather(reply, gone, return_exceptions=True)

    def _note_length(self, method, request, reply):
        known = self.longest.get(method, (0, 0))
        self.longest[method] = (max(known[0], len(request)), max(known[1], len(reply)))

    async def _pass(self, side, message, fault, writer, client):
        if fault is None or fault.side != side:
            writer.write(message)
            await writer.drain()
            return
        offset = min(fault.offset, len(message) - 1)
        if fault.kind == GARBLE:
            self._struck(fault)
            writer.write(message[:offset] + bytes([message[offset] ^ 0x04]) + message[offset + 1:])
            await writer.drain()
            return
        writer.write(message[:offset])
        await writer.drain()
        self._struck(fault)
        if fault.kind == SILENT:
            await client.read(1)  # until the client gives up
        if fault.kind == DELAY:
            await asyncio.sleep(fault.seconds)
            writer.write(message[offset:])
            await writer.drain()
        else:
            raise Hurt
