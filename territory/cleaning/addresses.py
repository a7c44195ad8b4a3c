"""Addresses: country, state and postal code in one form, whichever way a file spells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.cleaning import codes, columns

if TYPE_CHECKING:
    import pandas as pd


def clean_address(
    country: pd.Series, state: pd.Series, postal_code: pd.Series
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Country code, state code and postal code in form.

    A row without a country is American or Canadian if its state is. A US territory filed as a
    country is a state of the US. A country that is unknown stays as it was written.
    """
    coded = columns.clean_countries(country)
    territory = coded.isin(codes.US_TERRITORIES)
    state = state.where(~territory | state.notna(), coded)
    coded = coded.where(~territory, "US")
    written = columns.clean_text(country)
    coded = coded.where(coded.notna() | written.isna(), written)

    state = columns.clean_states(state, coded)
    blank = coded.isna() & state.notna()
    coded = coded.where(~(blank & state.isin(set(codes.US_STATES.values()))), "US")
    blank &= coded.isna() & state.isin(set(codes.CANADIAN_PROVINCES.values()))
    coded = coded.where(~blank, "CA")
    coded = coded.astype(object).where(coded.notna(), None)
    return coded, state, columns.clean_postal_codes(postal_code, coded)
