"""A gunicorn worker that leaves new connections to the workers that have fewer.

Workers listen on one socket, and whoever is awake takes what comes: of sixteen connections that
came at once, one worker of two often took all and the other slept. So each waits before it takes
one, the longer the more it has, and whoever has fewest is first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    import socket

WAIT_S, LONGEST_S = 0.0005, 0.002


class FairWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves by threads, as its base does."""

    def accept(self, listener: socket.socket) -> None:
        """Take a connection that is still there after a wait; requests go on in their threads."""
        time.sleep(min(self.nr_conns * WAIT_S, LONGEST_S))
        super().accept(listener)
