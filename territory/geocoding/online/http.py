"""How a question travels: one request, bounded in time and size, whatever the server does."""

from __future__ import annotations

import json
import time
from http.client import HTTPException
from typing import Any

import requests
from geopy.adapters import AdapterHTTPError, RequestsAdapter
from geopy.exc import (
    GeocoderParseError,
    GeocoderServiceError,
    GeocoderTimedOut,
    GeocoderUnavailable,
)
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as StreamTimeout

_LARGEST = 4_000_000  # bytes of an answer; five results take some ten thousand
_PART = 65_536
_BAD_REQUEST = 400


class BoundedAdapter(RequestsAdapter):  # type: ignore[misc]
    """geopy's way over HTTP, with a time-out for the whole answer and a limit to its size.

    The time-out of requests starts anew with every byte, so a server that drips could hold a run
    for ever. Nothing is retried here: whoever asks counts every request. Proxies are those of the
    environment, NO_PROXY included. ``document`` is the last answer as it was read.
    """

    def __init__(self, *, proxies: Any, ssl_context: Any) -> None:  # noqa: ARG002 - geopy passes it
        super().__init__(proxies={}, ssl_context=ssl_context, max_retries=0)
        self.document: Any = None

    def get_text(self, url: str, *, timeout: float, headers: dict[str, str]) -> str:
        """Get an answer as text."""
        self.document = None
        self.document = text = self._fetched(url, timeout, headers)
        return text

    def get_json(self, url: str, *, timeout: float, headers: dict[str, str]) -> Any:
        """Get an answer as the values that its JSON stands for."""
        self.document = None
        text = self._fetched(url, timeout, headers)
        try:
            self.document = json.loads(text)
        except (ValueError, RecursionError):
            raise GeocoderParseError("The answer is not JSON.") from None
        return self.document

    def _fetched(self, url: str, timeout: float, headers: dict[str, str]) -> str:
        until = time.monotonic() + timeout
        try:
            with self.session.get(
                url,
                timeout=timeout,
                headers=headers,
                proxies=get_environ_proxies(url),
                stream=True,
            ) as response:
                text = _read(response, until)
        except GeocoderServiceError:
            raise
        except (requests.Timeout, StreamTimeout):
            raise GeocoderTimedOut("The answer took too long.") from None
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            # What these errors say has the address in it, and with it the key.
            raise GeocoderUnavailable(type(error).__name__) from None
        if response.status_code >= _BAD_REQUEST:
            raise AdapterHTTPError(
                f"Status {response.status_code}",
                status_code=response.status_code,
                headers=response.headers,
                text=text,
            )
        return text


def _read(response: requests.Response, until: float) -> str:
    body = bytearray()
    while part := response.raw.read1(_PART, decode_content=True):
        body += part
        if len(body) > _LARGEST:
            raise GeocoderParseError(f"The answer has more than {_LARGEST:,} bytes.")
        if time.monotonic() > until:
            raise GeocoderTimedOut("The answer took too long.")
    return body.decode(response.encoding or "utf-8", errors="replace")
