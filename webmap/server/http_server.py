"""The HTTP server: requests are read whole, and bounded in time and size, before a thread has them.

waitress reads and writes in one loop that waits for nobody, and gives a request to a thread when
all of it is there; so a client that dawdles holds a socket and no thread. What waitress leaves open
is bounded here: how long a request may take to arrive, how many connections stand at once, and how
much of a body is taken in before it is known who sends it.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    BodyLimit = Callable[[str, str, bool], int]

HEAD_S, BODY_S, IDLE_S = 20, 900, 60  # until the headers, a body, the next request are there
CONNECTIONS = 800  # of one process, whose system commonly grants it 1,024 files
HEAD_BYTES = 64 << 10
ANSWER_BYTES = 2 << 30  # an answer waits for a slow reader in a file, and its thread goes on
LOOK_S = 1.0  # between two looks at the connections
WAIT_S, LONGEST_S = 0.0005, 0.002


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Reads a request; of a body that is too large for its route it takes in no more.

    The app still gets the request, and says what is wrong: it sees the length that was announced.
    """

    def __init__(self, adj: Adjustments, body_limit: BodyLimit) -> None:
        super().__init__(adj)
        self._body_limit = body_limit
        self._limit = 0

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head of a request; without its body, if that is too large."""
        super().parse_header(header_plus)
        named = "COOKIE" in self.headers or "AUTHORIZATION" in self.headers
        self._limit = self._body_limit(self.command, self.path, named)
        if self.content_length > self._limit:
            self._leave_the_rest(self.content_length)

    def received(self, data: bytes) -> int:
        """Take data in; of a body without an announced length only as much as may be."""
        consumed: int = super().received(data)
        if self.body_bytes_received > self._limit and self.chunked and not self.error:
            self._leave_the_rest(self.body_bytes_received)
            self.completed = True
        return consumed

    def _leave_the_rest(self, length: int) -> None:
        self.body_rcv, self.expect_continue, self.connection_close = None, False, True
        self.headers["CONTENT_LENGTH"] = str(length)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when it has been sending a request."""

    request_started = 0.0

    def parser_class(self, adj: Adjustments) -> _Parser:
        """Make the parser of the next request."""
        return _Parser(adj, self.server.body_limit)

    def received(self, data: bytes) -> bool:
        """Take data in, of the request that has begun or of a new one."""
        if self.request is None:
            self.request_started = time.time()
        return bool(super().received(data))

    def is_late(self, now: float) -> bool:
        """Tell whether the client has had time enough for what it is doing."""
        if self.requests:  # it waits for us
            return False
        request = self.request
        if request is None:
            return bool(now - self.last_activity > IDLE_S)
        allowed = BODY_S if request.headers_finished else HEAD_S
        return bool(now - self.request_started > allowed or now - self.last_activity > IDLE_S)


class HttpServer(TcpWSGIServer):  # type: ignore[misc]
    """Serves one listening socket by threads, which other processes may listen on too.

    Parameters
    ----------
    body_limit
        Gives the bytes that a body may have, for a method, a path and whether the request carries
        a cookie or a token.
    """

    channel_class = _Channel

    def __init__(
        self, app: Any, listener: socket.socket, threads: int, body_limit: BodyLimit
    ) -> None:
        self.body_limit = body_limit
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        adjustments = Adjustments(
            sockets=[listener],
            threads=threads,
            connection_limit=CONNECTIONS + 100,
            channel_timeout=IDLE_S,
            cleanup_interval=LOOK_S,
            max_request_header_size=HEAD_BYTES,
            outbuf_high_watermark=ANSWER_BYTES,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,  # the app itself refuses those it does not trust
            ident=None,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(threads)
        super().__init__(
            app,
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )

    def handle_accept(self) -> None:
        """Take a connection; leave new ones to the process that has fewer.

        Processes that listen on one socket wake up together, and of sixteen connections that come
        at once one of two processes would often take all. Where there are too many, the one that
        has sent nothing for the longest time goes.
        """
        time.sleep(min(len(self.active_channels) * WAIT_S, LONGEST_S))
        if len(self.active_channels) >= CONNECTIONS:
            waiting = [one for one in self.active_channels.values() if not one.requests]
            if waiting:
                min(waiting, key=lambda one: one.last_activity).handle_close()
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        """Close the connections whose time is up."""
        for channel in self.active_channels.values():
            if channel.is_late(now):
                channel.will_close = True

    def turn(self) -> None:
        """Read and write what is ready, within a second or so."""
        wasyncore.loop(timeout=LOOK_S, use_poll=True, map=self._map, count=1)

    def finish(self, grace_s: float) -> None:
        """Take no more, answer what is being answered, and end."""
        self.accepting = False
        until = time.monotonic() + grace_s
        while time.monotonic() < until and any(
            one.requests or one.total_outbufs_len for one in self.active_channels.values()
        ):
            wasyncore.loop(timeout=0.1, use_poll=True, map=self._map, count=1)
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)
