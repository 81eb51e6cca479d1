"""The pages in a real headless Chromium: they load, step, play, reset, rebuild, replay, and keep to themselves.

Screenshots of what was seen are kept under tests/artefacts/.
"""

import shutil
import signal
import time
from pathlib import Path

import pytest
from page_server import served

from flnft_sim import load_scenario, run

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'flnft-sim[dev,viz]' for browser tests")
pytest.importorskip("solara", reason="pip install 'flnft-sim[viz]' for browser tests")

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 60_000
QUICK = ("learning.rounds=2", "timeline.tick_s=2.0", "game.history_auctions=2")


@pytest.fixture(scope="module")
def driver():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium` (root) lets browser tests run")
    with playwright.sync_playwright() as driver:
        yield driver


def launched(driver, *arguments):
    return driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])


@pytest.fixture(scope="module")
def chromium(driver):
    browser = launched(driver)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def live(chromium):
    with served("roblox10", *(f"--set={field}" for field in QUICK)) as server:
        yield server.address


@pytest.fixture(scope="module")
def replay(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    run(load_scenario("tiny")).save(folder, figures=False)
    with served("--run", folder) as server:
        yield server.address


class Session:
    """One browser session on a page, which notes everything that goes wrong in it."""

    def __init__(self, browser, address):
        self.troubles = []
        self.page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        self.page.on("response", self._note_response)
        self.page.on("request", lambda request: self._note_request(request.url, address.partition("?")[0]))
        self.page.goto(address)
        self.page.wait_for_selector("#clock", timeout=PATIENCE_MS)
        self.page.wait_for_selector("#map canvas", timeout=PATIENCE_MS)

    def _note_console(self, message):
        if message.type == "error":
            self.troubles.append(f"console: {message.text}")

    def _note_response(self, response):
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    def _note_request(self, url, address):
        if not url.startswith((address, "data:", "blob:", address.replace("http", "ws"))):
            self.troubles.append(f"outside request: {url}")

    def read(self, name):
        return self.page.inner_text(f"#{name}")

    def clock_s(self):
        return float(self.read("clock").removesuffix(" s").replace(",", ""))

    def press(self, label):
        self.page.get_by_role("button", name=label, exact=True).click()

    def until(self, name, pattern):
        """Wait until the element's text matches."""
        self.page.wait_for_function(
            "([name, pattern]) => new RegExp(pattern).test(document.getElementById(name).innerText)",
            arg=[name, pattern],
            timeout=PATIENCE_MS,
        )

    def step(self):
        before = self.read("clock")
        self.press("Step")
        self.page.wait_for_function(
            "before => document.querySelector('#clock').innerText != before", arg=before, timeout=PATIENCE_MS
        )

    def move_to_middle(self, label):
        """Click the middle of a slider's track."""
        self.page.locator(".v-input__slider", has_text=label).locator(".v-slider").click()

    def keep(self, name):
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def close(self):
        self.page.context.close()
        assert self.troubles == []


def test_steps_plays_pauses_and_resets(chromium, live):
    session = Session(chromium, live)
    assert session.clock_s() == 0
    for number in range(1, 4):
        session.step()
        assert session.clock_s() == 2.0 * number
    session.press("▶")
    session.until("state", "^(auction|minting: 2 of 2)")
    session.press("❚❚")
    session.page.wait_for_timeout(1500)
    paused_s = session.clock_s()
    session.page.wait_for_timeout(1000)
    assert session.clock_s() == paused_s
    assert 10 < float(session.read("accuracy").removesuffix("%")) <= 100
    session.until("blocks", "update")
    session.keep("live")
    session.press("Reset")
    session.until("state", "0 of 2 rounds")
    assert session.clock_s() == 0
    session.close()


def test_a_moved_slider_rebuilds_and_reset_keeps_it(chromium, live):
    session = Session(chromium, live)
    session.step()
    session.move_to_middle("providers M")
    session.until("who", "10 users, (19|20|21|22) providers")
    assert session.clock_s() == 0
    providers = session.read("who")
    session.step()
    session.press("Reset")
    session.until("clock", "^0.00 s")
    assert session.read("who") == providers
    session.close()


def test_goes_on_with_another_model_when_the_first_is_finished(chromium):
    with served("tiny", "--set", "timeline.tick_s=1000") as server:
        session = Session(chromium, server.address)
        session.step()
        assert session.read("state") == "finished"
        ended_s = session.clock_s()
        session.press("▶")
        session.page.wait_for_timeout(1000)
        session.press("❚❚")
        assert session.clock_s() == ended_s
        session.keep("finished")
        session.move_to_middle("providers M")
        session.until("clock", "^0.00 s")
        session.step()
        assert session.read("state") == "finished"
        session.close()


def test_an_impossible_combination_is_said_on_the_page(chromium, live):
    session = Session(chromium, live)
    session.move_to_middle("users N")
    session.page.get_by_text("'trace' has ten points").first.wait_for(timeout=PATIENCE_MS)
    session.keep("impossible")
    assert session.read("who").startswith("10 users")
    session.step()  # the model that was there goes on
    session.close()


def test_two_sessions_do_not_disturb_each_other(chromium, live):
    one, other = Session(chromium, live), Session(chromium, live)
    one.step()
    one.step()
    other.step()
    assert (one.clock_s(), other.clock_s()) == (4.0, 2.0)
    one.press("Reset")
    one.until("clock", "^0.00 s")
    assert other.clock_s() == 2.0
    one.close()
    other.close()


def test_replays_a_run_to_its_end(chromium, replay):
    session = Session(chromium, replay)
    session.press("round ▶")
    session.until("state", "1 of 3 rounds")
    session.press("▶")
    session.until("state", "2 of 3 rounds")
    session.press("❚❚")
    box = session.page.locator(".v-slider").bounding_box()
    session.page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    session.until("book", "accepted")
    assert "…" not in session.read("book")
    session.keep("replay")
    session.press("Reset")
    session.until("state", "0 of 3 rounds")
    session.close()


def test_with_the_network_cut_the_page_paints_and_the_server_calls_nobody(driver, tmp_path):
    """Every name but localhost leads nowhere, in the browser; the server's own look-ups and connections are noted."""
    calls = tmp_path / "calls"
    browser = launched(driver, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost")
    probe = browser.new_page()
    with pytest.raises(playwright.Error, match="ERR_NAME_NOT_RESOLVED"):
        probe.goto("http://flnft.example/")
    with served("tiny", watched_in=calls) as server:
        session = Session(browser, server.address)
        assert session.page.url == server.page  # the token has left the address
        session.step()
        missing = session.page.request.get(f"{server.page}_solara/cdn/not-installed@1.0.0/index.js")
        assert missing.status == 404  # and is fetched from nowhere
        session.close()
    browser.close()
    assert {line.split()[1] for line in calls.read_text().splitlines()} == {"'localhost'"}


def foreign(context, body):
    """A page of another site, in the browser that has our cookie."""
    page = context.new_page()
    headers = {"Access-Control-Allow-Origin": "*"}  # the other site would let us read it
    page.route(
        "http://foreign.example/**", lambda route: route.fulfill(body=body, headers=headers, content_type="text/html")
    )
    page.goto("http://foreign.example/")
    return page


def test_the_address_opens_from_a_foreign_page(chromium, live):
    """A terminal may be a page itself, and `SameSite=Strict` would hold the cookie back from a redirect."""
    page = foreign(chromium.new_context(), f'<a href="{live}">open</a>')
    ask = "() => fetch('http://foreign.example/x').then(answer => answer.ok, () => 'refused')"
    assert page.evaluate(ask) is True
    page.click("a")
    page.wait_for_selector("#map canvas", timeout=PATIENCE_MS)
    assert page.evaluate(ask) == "refused"  # by the policy of our page, which asks no other server
    page.context.close()


def test_a_foreign_page_gets_nothing_though_the_browser_has_the_cookie(chromium, live):
    """It asks, embeds and opens sockets, by our own name: the browser sends `Origin`, and holds back the cookie."""
    session = Session(chromium, live)
    page, home = foreign(session.page.context, "<p>"), live.partition("?")[0]
    asked = page.evaluate("url => fetch(url, {credentials: 'include'}).catch(() => 'refused')", f"{home}resourcez")
    opened = page.evaluate(
        """url => new Promise(done => {
            const socket = new WebSocket(url);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })""",
        f"{home.replace('http', 'ws')}jupyter/api/kernels/x/channels?session_id=y",
    )
    assert (asked, opened) == ("refused", "refused")
    session.close()


def test_sigterm_ends_it_within_two_seconds_while_a_session_plays(chromium):
    with served("roblox10", "--set=timeline.tick_s=2.0", "--set=game.history_auctions=2") as server:
        session = Session(chromium, server.address)
        session.step()
        session.press("▶")
        session.until("clock", "^(?!2.00 s)")
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 143
        assert time.monotonic() - started < 2
        session.page.context.close()
