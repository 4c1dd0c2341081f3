"""Single sign-on through a certified OpenID provider that others wrote: `oidc-provider` of npm."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from pipeline.settings import Settings
from pipeline.store.report.serving import single_sign_on_of
from tests.store.report.serving_report import Running
from tests.support.npm import NODE, NPM_FOLDER, needs_package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database

URL = "http://127.0.0.1:1"
CLIENT, SECRET = "twoway-report", "a secret: +/% of the client, long enough"

pytestmark = needs_package("oidc-provider")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    script = Path(__file__).with_name("certified_provider.mjs")
    given = [NPM_FOLDER, CLIENT, SECRET, f"{URL}/sign-in/return"]
    with subprocess.Popen(
        [NODE, script, *given], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as provider:
        try:
            assert provider.stdout
            yield f"http://127.0.0.1:{int(provider.stdout.readline())}"
        finally:
            provider.kill()


@pytest.fixture
def running(database: Database, issuer: str) -> Iterator[Running]:
    given = {
        "report_url": URL,
        "report_oidc_issuer": issuer,
        "report_oidc_client": CLIENT,
        "report_oidc_secret": SECRET,
        "report_oidc_roles": "roles",
        "report_oidc_rights": "support=numbers",
    }
    opened = Running(database, single_sign_on=single_sign_on_of(Settings(**given)), **given)
    yield opened
    opened.stop()


def _sent_back(where: str, issuer: str, *, name: str) -> str:
    """Sign in at the page `where`, and agree; returns where the browser is sent back to."""
    with httpx.Client(base_url=issuer, timeout=30) as browser:
        answer = browser.get(where)
        for _ in range(12):
            if answer.is_redirect:
                if answer.headers["Location"].startswith(URL):
                    return str(answer.headers["Location"])
                answer = browser.get(answer.headers["Location"])
                continue
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, (answer.status_code, answer.text)
            assert prompt, answer.text
            fields = {"prompt": prompt[1], "login": name, "password": "any"}
            answer = browser.post(action[1], data=fields)
    raise AssertionError("the provider asks and asks")


def _signed_in(running: Running, issuer: str, *, name: str) -> httpx.Response:
    away = running.client.get("/sign-in/elsewhere")
    back = _sent_back(away.headers["Location"], issuer, name=name).removeprefix(URL)
    return running.client.get(back, headers={"Sec-Fetch-Site": "cross-site"})


def test_who_has_a_role_is_in_with_its_rights(running: Running, issuer: str) -> None:
    assert _signed_in(running, issuer, name="berta").status_code == 200
    page = running.client.get("/")
    assert page.status_code == 200
    assert "berta" in page.text
    assert running.client.get("/dictionary").status_code == 403  # needs a right of its own


def test_who_has_no_role_of_ours_is_not_let_in(running: Running, issuer: str) -> None:
    assert _signed_in(running, issuer, name="carl").status_code == 403
    assert running.client.get("/").status_code == 401


def test_a_code_counts_once_at_the_provider(running: Running, issuer: str) -> None:
    away = running.client.get("/sign-in/elsewhere")
    back = _sent_back(away.headers["Location"], issuer, name="berta").removeprefix(URL)
    assert running.client.get(back).status_code == 200
    with running.new_client() as other:
        begun = other.get("/sign-in/elsewhere").headers["Location"]
        state = re.search(r"[?&]state=([^&]+)", begun)
        assert state
        again = re.sub(r"state=[^&]+", f"state={state[1]}", back)
        assert other.get(again).status_code == 403
