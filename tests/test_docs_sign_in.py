"""The page on signing in to OctoMesh says what the code does: its keys, its words and its times."""

import re
import tomllib
from dataclasses import fields
from datetime import timedelta

from bridge.providers.octomesh import grant, sign_in
from bridge.providers.octomesh.client import Client, Flow
from bridge.providers.octomesh.person import BROWSER_AWAITED_S, _invitation
from bridge.transport.oauth import MEANINGS, DeviceCode
from tests.test_docs import SIGN_IN, blocks, one, rows

LINES = " ".join(SIGN_IN.split())
OF_THE_SOURCE = {"provider", "url"}


def test_every_key_of_a_client_is_shown_and_no_other() -> None:
    text = one(SIGN_IN, "toml", "identity_url")
    shown = tomllib.loads(re.sub(r"(?m)^# (?=\w+ = )", "", text))["sources"]["mesh"]
    assert set(shown) - OF_THE_SOURCE == {field.name for field in fields(Client)} - {"redirect_path"}
    assert {flow for flow in Flow if f'"{flow}"' in text} == set(Flow)
    assert f"http://127.0.0.1:PORT{Client('', '', '').redirect_path}`" in LINES


def test_every_refusal_is_explained_in_the_words_that_one_sees() -> None:
    explained = " ".join(said for said, *_ in rows(SIGN_IN, "| what it says | why | what to do |"))
    assert [code for code, meaning in MEANINGS.items() if f"{meaning} ({code})" not in explained] == []


def test_the_terminal_looks_as_it_is_shown() -> None:
    code = DeviceCode("", "123456789", "https://connect.example.com/device", None, timedelta(minutes=5), timedelta(seconds=5))
    (shown,) = blocks(SIGN_IN, "console")
    assert shown.strip() == f"$ kwh2mqtt login mesh\n{_invitation(code).partition('Waiting')[0]}".strip()


def test_the_times_are_those_of_the_code() -> None:
    assert (timedelta(minutes=5), timedelta(minutes=1)) == (grant.EARLY, sign_in.REFUSED_FOR)
    assert (timedelta(minutes=15), 600) == (sign_in.LONGEST_OUTAGE, BROWSER_AWAITED_S)
    for said in (
        "renewed 5 minutes before its end, at most a tenth of its life",
        "renewed once a minute at the most",
        "asked for again after a minute; where nobody answers, ever more rarely, to every 15 minutes",
        "until it comes back, for ten minutes at the most",
    ):
        assert said in LINES
