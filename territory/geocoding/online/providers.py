"""Asks online geocoders through geopy, and never takes a failure for an answer."""

from __future__ import annotations

import inspect
import os
import time
import warnings
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from geopy.exc import (
    ConfigurationError,
    GeocoderAuthenticationFailure,
    GeocoderInsufficientPrivileges,
    GeocoderNotFound,
    GeocoderParseError,
    GeocoderQueryError,
    GeocoderQuotaExceeded,
    GeocoderRateLimited,
    GeocoderServiceError,
    GeocoderTimedOut,
    GeocoderUnavailable,
)
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import get_geocoder_for_service

from territory.errors import PolicyError
from territory.geocoding.online.answer_ledger import ProviderAnswer
from territory.geocoding.online.answers import FAILURES, FOUND, NONE, SEVERAL
from territory.geocoding.online.http import BoundedAdapter
from territory.geocoding.online.results import UNREADABLE, Match, read
from territory.geodesy import inverse
from territory.schemas import PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from territory.policy import OnlinePolicy, ProviderPolicy

# geopy's "here" is a service that HERE has replaced.
_SUCCESSORS = {"here": "herev7"}
# The first that an error is an instance of says what went wrong.
_WRONG = (
    (GeocoderRateLimited, "too_fast"),
    (GeocoderQuotaExceeded, "quota"),
    ((GeocoderAuthenticationFailure, GeocoderInsufficientPrivileges), "denied"),
    (GeocoderTimedOut, "timed_out"),
    (GeocoderUnavailable, "unavailable"),
    (GeocoderParseError, "unreadable"),
    (GeocoderQueryError, "refused"),
    (GeocoderServiceError, "unavailable"),
    (UNREADABLE, "unreadable"),
)
_RAISED = (GeocoderServiceError, *UNREADABLE)
_RETRIED = ("too_fast", "timed_out", "unavailable", "unreadable")
_FATAL = ("quota", "denied")
_PATIENCE_S = 60.0  # a provider that wants a longer pause is left alone for the run
_NOMINATIM = ("nominatim", "pickpoint", "openmapquest")
# These give several results that fit alike; the others' further results are guesses.
_GIVES_SEVERAL = (
    *_NOMINATIM, "google", "googlev3", "arcgis", "bing", "here",
    "herev7", "pelias", "geocodeearth", "geocodio",
)  # fmt: skip
_ALIKE = 0.05  # scores this near are the same
_SAME_PLACE_M = 1_609.0
_EXTRA: dict[str, dict[str, Any]] = {
    **{name: {"addressdetails": True, "language": "en", "limit": 5} for name in _NOMINATIM},
    "photon": {"language": "en"},
    "arcgis": {"out_fields": "Addr_type,Type,AddNum"},
    "here": {"limit": 5},
    "herev7": {"limit": 5},
}


@dataclass(frozen=True)
class AddressQuery:
    """An address to ask about: its key in the cache, how it is written, and its country.

    ``country`` is an ISO 3166-1 alpha-2 code that the answer is limited to where the provider can;
    None limits nothing.
    """

    query: str
    line: str
    country: str | None
    has_street: bool


class Provider:
    """One provider for the length of a run: paces, retries, counts and knows when to give up.

    Parameters
    ----------
    countries
        ISO 3166-1 alpha-2 code to alpha-3 code.

    Raises
    ------
    PolicyError
        If geopy has no such geocoder, or it lacks a key or is given what it does not take.
    """

    def __init__(
        self, provider: ProviderPolicy, online: OnlinePolicy, countries: Mapping[str, str]
    ) -> None:
        self.name = provider.name
        self.sent = 0  # requests, retries included
        self.given_up: str | None = None  # one of FAILURES
        self._provider = provider
        self._give_up_after = online.give_up_after
        self._countries = countries
        self._failed_in_a_row = 0
        self._geocoder = _geocoder(provider, online.contact)
        self._paced = RateLimiter(
            self._geocoder.geocode,
            min_delay_seconds=provider.min_delay_s,
            max_retries=0,
            error_wait_seconds=provider.min_delay_s,
            swallow_exceptions=False,
        )

    def __enter__(self) -> Provider:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._geocoder.adapter.__exit__(kind, error, trace)

    def ask(self, question: AddressQuery, allowed: int) -> ProviderAnswer:
        """Ask, again where that may help, with at most ``allowed`` (1 or more) requests.

        A provider that was given up is not asked; the answer says why it was.
        """
        if self.given_up:
            return ProviderAnswer(self.name, question.query, self.given_up)
        tries = min(self._provider.retries + 1, allowed)
        answer, pause_s = self._request(question)
        for attempt in range(1, tries):
            wait_s = max(pause_s, self._provider.retry_wait_s * 2 ** (attempt - 1))
            if answer.answer not in _RETRIED or wait_s > _PATIENCE_S:
                break
            time.sleep(wait_s)
            answer, pause_s = self._request(question)
        self._note(answer.answer, pause_s)
        return answer

    def _note(self, answer: str, pause_s: float) -> None:
        """Give the provider up where asking on is of no use."""
        has_failed = answer in FAILURES
        self._failed_in_a_row = self._failed_in_a_row + 1 if has_failed else 0
        is_hopeless = answer in _FATAL or pause_s > _PATIENCE_S
        if has_failed and (is_hopeless or self._failed_in_a_row >= self._give_up_after):
            self.given_up = answer

    def _request(self, question: AddressQuery) -> tuple[ProviderAnswer, float]:
        """Send one request; give the answer and the seconds that the provider wants to rest."""
        self.sent += 1
        try:
            with warnings.catch_warnings():  # geopy warns of a latitude that it then refuses
                warnings.simplefilter("ignore", UserWarning)
                results = self._paced(question.line, **self._arguments(question))
            return self._read(results, question), 0.0
        except _RAISED as error:
            code = next(code for kinds, code in _WRONG if isinstance(error, kinds))
            pause_s = float(getattr(error, "retry_after", None) or 0)
            return ProviderAnswer(self.name, question.query, code), pause_s

    def _read(self, results: Any, question: AddressQuery) -> ProviderAnswer:
        if not results:
            # geopy takes null and {} for "nothing found" too; no provider says it that way.
            document = self._geocoder.adapter.document
            is_none = bool(document) or document == []
            return ProviderAnswer(self.name, question.query, NONE if is_none else "unreadable")
        matches = [
            read(self.name, one, question.line, has_street=question.has_street)
            for one in (results if isinstance(results, list) else [results])
        ]
        if _differ(matches):
            return ProviderAnswer(self.name, question.query, SEVERAL)
        first = matches[0]
        return ProviderAnswer(
            self.name,
            question.query,
            FOUND,
            first.lon,
            first.lat,
            first.precision,
            first.uncertainty_m,
            first.match_score,
            first.address,
        )

    def _arguments(self, question: AddressQuery) -> dict[str, Any]:
        exactly_one = {"exactly_one": self.name not in _GIVES_SEVERAL}
        limits = _limits(self.name, question.country, self._countries)
        return exactly_one | _EXTRA.get(self.name, {}) | limits


def _limits(name: str, country: str | None, countries: Mapping[str, str]) -> dict[str, Any]:
    """Give the arguments that limit the answers of a provider to a country, if it can do that."""
    if country is None:
        return {}
    if name in _NOMINATIM:
        return {"country_codes": [country.lower()]}
    if name in ("google", "googlev3"):
        return {"components": {"country": country}}
    if name in ("here", "herev7") and country in countries:
        return {"countries": [countries[country]]}
    if name in ("pelias", "geocodeearth"):
        return {"countries": [country]}
    if name in ("mapbox", "opencage", "geonames"):
        return {"country": country}
    return {}


def _differ(matches: list[Match]) -> bool:
    """Tell whether results that fit as well as the first are at another place."""
    first = matches[0]
    fineness = PRECISIONS.index(first.precision)
    for other in matches[1:]:
        if PRECISIONS.index(other.precision) > fineness:
            continue
        if first.match_score is not None and (other.match_score or 0) < first.match_score - _ALIKE:
            continue
        apart = inverse([first.lon], [first.lat], [other.lon], [other.lat])[0]
        if apart > first.uncertainty_m + other.uncertainty_m + _SAME_PLACE_M:
            return True
    return False


def _geocoder(provider: ProviderPolicy, contact: str) -> Any:
    """Make geopy's geocoder as the policy says."""
    try:
        kind = get_geocoder_for_service(_SUCCESSORS.get(provider.name, provider.name))
    except GeocoderNotFound:
        raise PolicyError(
            f"geopy has no geocoder {provider.name!r}. docs/geocoding.md names those there are."
        ) from None
    takes = inspect.signature(kind).parameters
    arguments: dict[str, Any] = {"scheme": provider.scheme} if "scheme" in takes else {}
    arguments |= {"domain": provider.domain} if provider.domain else {}
    arguments |= _keys(provider)
    if unknown := [name for name in arguments if name not in takes]:
        raise PolicyError(
            f"provider {provider.name!r} does not take {', '.join(unknown)}. "
            f"It takes {', '.join(name for name in takes if name not in _OURS)}."
        )
    own = f"territory-mapper/{metadata.version('territory-mapper')}"
    try:
        return kind(
            **arguments,
            timeout=provider.timeout_s,
            user_agent=f"{own} ({contact})" if contact else own,
            adapter_factory=BoundedAdapter,
        )
    except (ConfigurationError, TypeError, ValueError) as error:
        raise PolicyError(f"provider {provider.name!r} cannot be set up: {error}") from None


_OURS = ("timeout", "user_agent", "adapter_factory", "proxies", "ssl_context")


def _keys(provider: ProviderPolicy) -> dict[str, str]:
    """Look up the keys in the environment."""
    missing = [variable for _, variable in provider.keys if not os.environ.get(variable)]
    if missing:
        raise PolicyError(
            f"provider {provider.name!r} needs {', '.join(missing)}, which the environment does "
            "not have. Set it before you start, and keep it out of the policy."
        )
    return {argument: os.environ[variable] for argument, variable in provider.keys}
