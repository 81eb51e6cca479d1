"""The pages in a real headless Chromium: they load, step, play, jump, rebuild, replay, and keep to themselves.

Screenshots of what was seen are kept under tests/artefacts/.
"""

import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from page_server import served, served_alone

from flnft_sim import load_scenario, run

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'flnft-sim[dev,viz]' for browser tests")
pytest.importorskip("solara", reason="pip install 'flnft-sim[viz]' for browser tests")

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 60_000
QUICK = ("learning.rounds=2", "timeline.tick_s=2.0", "game.history_auctions=2")
LEAST_CONTRAST = 4.5


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
def runs(tmp_path_factory):
    """Two runs of the same random numbers: one of the game's scheme, one of random participation."""
    folders = []
    for scheme in ("pms-am", "random"):
        folder = tmp_path_factory.mktemp("runs") / scheme
        run(load_scenario("tiny", overrides={"learning.scheme": scheme})).save(folder, figures=False)
        folders.append(folder)
    return folders


@pytest.fixture(scope="module")
def replay(chromium, runs):
    with served("--run", runs[0]) as server:
        yield server.address


class Session:
    """One browser session on a page, which notes everything that goes wrong in it."""

    def __init__(self, browser, address, size=(1366, 768), **context):
        self.troubles = []
        width, height = size
        self.page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        self.page.on("response", self._note_response)
        self.page.on("request", lambda request: self._note_request(request.url, address.partition("?")[0]))
        self.page.goto(address)
        self.page.wait_for_selector("#clock", timeout=PATIENCE_MS)
        self.page.wait_for_selector("#map svg.flnft-ground", timeout=PATIENCE_MS)

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

    def press(self, name):
        self.page.click(f"#{name}")

    def jump(self, goal):
        """Press a jump and wait until it has arrived: its button is busy, and then is not."""
        self.page.evaluate(
            """goal => {
                const button = document.querySelector(`[data-jump='${goal}']`);
                window.arrived = false;
                new MutationObserver((_, observer) => {
                    window.arrived = !button.classList.contains("flnft-busy");
                    if (window.arrived) observer.disconnect();
                }).observe(button, { attributeFilter: ["class"] });
            }""",
            goal,
        )
        self.page.click(f"[data-jump='{goal}']")
        self.page.wait_for_function("window.arrived", timeout=PATIENCE_MS)

    def jump_until(self, pattern):
        """From phase to phase until the story matches."""
        for _ in range(20):
            self.jump("next phase")
            if re.search(pattern, self.read("story")):
                return
        raise AssertionError(f"{pattern} never came: {self.read('story')}")

    def until(self, name, pattern):
        """Wait until the element's text matches."""
        self.page.wait_for_function(
            "([name, pattern]) => new RegExp(pattern).test(document.getElementById(name).innerText)",
            arg=[name, pattern],
            timeout=PATIENCE_MS,
        )

    def step(self):
        before = self.read("clock")
        self.press("step")
        self.page.wait_for_function(
            "before => document.querySelector('#clock').innerText != before", arg=before, timeout=PATIENCE_MS
        )

    def move_to_middle(self, label):
        """Click the middle of a slider's track."""
        self.page.locator(".v-input__slider", has_text=label).locator(".v-slider").click()

    def animation(self, selector):
        """The animation with which an element comes in."""
        return self.page.eval_on_selector(selector, "element => getComputedStyle(element).animationName")

    def end_movements(self):
        """Let all that fades, grows or slides be where it is going."""
        self.page.evaluate("document.getAnimations().forEach(movement => movement.finish())")

    def toggle_theme(self):
        """From automatic, light in a headless browser, to dark."""
        self.page.locator("header button").last.click()
        self.page.wait_for_selector(".flnft-dark", timeout=PATIENCE_MS)

    def keep(self, name):
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def close(self):
        self.page.context.close()
        assert self.troubles == []


# ---- a live market ---------------------------------------------------------------------------------------------------


def test_steps_plays_pauses_jumps_and_resets(chromium, live):
    session = Session(chromium, live)
    assert session.clock_s() == 0
    assert session.read("story").startswith("Press ▶ or the space bar: 10 users")  # the first paint says what to press
    assert session.page.locator("#map [data-name^='user-']").count() == 10
    for number in range(1, 4):
        session.step()
        assert session.clock_s() == 2.0 * number
    session.page.locator("#speed").select_option("20 ×")
    session.page.locator("body").press("Space")
    session.until("state", "^(auction|minting: 2 of 2)")
    session.page.locator("body").press("Space")
    session.until("play", "play")
    paused_s = session.clock_s()
    session.page.wait_for_timeout(500)  # frames are 0.1 s apart
    assert session.clock_s() == paused_s
    assert 10 < float(session.read("accuracy").removesuffix("%")) <= 100
    assert re.search(r"dao-0 ends round 2: accuracy", session.read("events"))
    session.until("blocks", "update")
    session.jump("to the end")
    assert session.read("state") == "finished"
    session.until("play", "finished")
    assert session.page.locator("#step").is_disabled()
    session.until("reset", "start anew")
    session.press("reset")
    session.until("state", "0 of 2 rounds")
    assert session.clock_s() == 0
    session.close()


def test_speed_is_simulated_seconds_a_second(chromium, live):
    session = Session(chromium, live)
    session.jump("to the auction")  # nothing to train: the clock is free to run
    session.page.locator("#speed").select_option("5 ×")
    session.press("play")
    session.until("play", "pause")
    clock = """() => [performance.now() / 1000, parseFloat(document.querySelector("#clock").innerText)]"""
    begun_s, start_s = session.page.evaluate(clock)
    session.page.wait_for_timeout(3000)
    ended_s, end_s = session.page.evaluate(clock)
    session.press("play")
    assert (end_s - start_s) / (ended_s - begun_s) == pytest.approx(5, rel=0.35)  # frames are 0.1 s apart, or more
    session.close()


def test_a_moved_slider_rebuilds_reset_keeps_it_and_an_impossible_one_is_told(chromium, live):
    session = Session(chromium, live)
    session.jump("to the end")
    session.until("play", "finished")
    session.move_to_middle("providers M")  # goes on with another model when the first is finished
    session.until("who", "10 users, (19|20|21|22) providers")
    assert session.clock_s() == 0
    providers = session.read("who")
    session.step()
    session.press("reset")
    session.until("clock", "^0.00 s")
    assert session.read("who") == providers
    session.move_to_middle("users N")
    session.page.get_by_text("'trace' has ten points").first.wait_for(timeout=PATIENCE_MS)
    session.keep("impossible")
    assert session.read("who") == providers
    session.step()  # the model that was there goes on
    session.close()


def test_two_sessions_do_not_disturb_each_other(chromium, live):
    one, other = Session(chromium, live), Session(chromium, live)
    one.step()
    one.step()
    other.step()
    assert (one.clock_s(), other.clock_s()) == (4.0, 2.0)
    one.press("reset")
    one.until("clock", "^0.00 s")
    assert other.clock_s() == 2.0
    one.close()
    other.close()


# ---- what is to be seen ----------------------------------------------------------------------------------------------

# How much text there is, and which of it stands out too little from what lies behind it, by the formula of WCAG 2.
_WEAK = """least => {
  const parse = colour => { const n = colour.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0.9) return colour;
    }
    return [255, 255, 255, 1];
  };
  const weak = [], walker = document.createTreeWalker(document.querySelector(".flnft"), NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !e.getClientRects().length || e.closest("title")) continue;
    const style = getComputedStyle(e), ink = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(parse(ink)), light(behind(e))].sort((x, y) => y - x);
    seen += 1;
    if ((a + 0.05) / (b + 0.05) < least) weak.push(`${text}: ${ink}`);
  }
  return [seen, weak];
}"""

# How many names and marks there are on the map, and which of them lie upon one another.
_OVERLAPS = """() => {
  const marks = document.querySelectorAll("#map text, #map [data-name='base-station']");
  const boxes = [...marks].map(mark => [mark.textContent || "the station", mark.getBoundingClientRect()]);
  const hits = [];
  boxes.forEach(([a, p], n) => boxes.slice(n + 1).forEach(([b, q]) => {
    const across = p.left < q.right - 1 && q.left < p.right - 1, along = p.top < q.bottom - 3 && q.top < p.bottom - 3;
    if (across && along) hits.push(`${a} / ${b}`);
  }));
  return [boxes.length, hits];
}"""


def test_the_book_is_sealed_then_opens_beside_the_map_and_money_moves(chromium, live):
    session = Session(chromium, live)
    session.until("book", "Sealed bids will come in here")
    session.jump("to the auction")
    while not session.page.locator("#book code").count():
        session.step()
    beside, of_map = session.page.locator("#book").bounding_box(), session.page.locator("#map").bounding_box()
    assert beside["y"] == pytest.approx(of_map["y"], abs=2)
    assert beside["x"] >= of_map["x"] + of_map["width"]
    assert session.animation("#book code") == "flnft-grow"
    assert session.page.locator("#map text", has_text="sealed").count()
    assert "won" not in session.read("book")
    session.jump_until("Bids are open")
    assert session.animation("#book tr.flnft-line") == "flnft-open"
    assert re.search(r"price [\d.,]+ = [a-z -]+ \((lowest ask|reserve) [\d.,]+", session.read("book"))
    assert re.search(r"won dao-0's licence", session.read("book"))
    assert session.page.locator("#map text", has_text="won, rank 1").count() == 1
    session.jump("to the end")
    session.page.wait_for_selector("#map .flnft-flow circle")
    paid = session.page.locator("#map text.flnft-money", has_text="−").first.text_content()
    pays = session.page.locator("#book tr.flnft-won td:nth-child(4)").first.inner_text()
    assert float(paid.strip("−").replace(",", "")) == pytest.approx(float(pays.replace(",", "")), abs=0.01)
    session.close()


def test_several_daos_are_chosen_from_and_every_auction_has_a_tab(chromium):
    fields = ("population.users=6", "population.daos=2", "population.providers=6", "population.categories=2")
    fields += ("learning.rounds=2", "radio.placement=random", "learning.learner=surrogate", "game.history_auctions=2")
    with served("tiny", *(f"--set={field}" for field in fields)) as server:
        session = Session(chromium, server.address)
        session.jump("next round")
        session.jump("to the auction")
        session.until("whose", "mean of 2 DAOs")
        assert session.page.locator("#accuracy-chart .flnft-band").count() == 1
        tabs = session.page.locator("#book [role=tab]")
        assert tabs.count() == 2
        tabs.nth(1).click()
        session.until("book", f"{tabs.nth(1).inner_text()}: ")
        session.page.locator("#dao").select_option("dao-1")
        session.until("whose", "^dao-1$")
        session.page.wait_for_selector("#accuracy-chart .flnft-curve")
        assert session.page.locator("#accuracy-chart .flnft-band").count() == 0
        session.keep("daos")
        session.close()


def test_a_crowd_is_counted_and_drawn_as_density(chromium):
    fields = ("population.users=2000", "population.crowd_from=1000", "radio.placement=random", "radio.cross_talk=0")
    fields += ("learning.rounds=1", "learning.learner=surrogate", "game.history_auctions=0")
    with served("tiny", *(f"--set={field}" for field in fields)) as server:
        session = Session(chromium, server.address)
        assert session.read("who").startswith("2,000 users")
        session.jump_until("train")
        counted = session.page.locator("#map .flnft-states b").all_inner_texts()
        assert sum(int(count.replace(",", "")) for count in counted) == 2000
        assert session.page.locator("#map .flnft-ground g rect").count() > 100
        assert session.page.locator("#map [data-name^='user-']").count() == 0
        session.keep("crowd")
        session.close()


# ---- eight moments ---------------------------------------------------------------------------------------------------

DESKTOPS = {"1366x768": (1366, 768), "1920x1080": (1920, 1080)}
PHONE = (390, 844)
MOMENTS = {
    "training": ("phases", r"users train on their own data\.$"),
    "upload": ("phases", "uploads at"),
    "consensus": ("phases", "ledger agrees"),
    "sealed": ("bids", "sealed bid"),
    "opened": ("phases", "Bids are open"),
    "settled": ("end", "It is over"),
}


def moments(session):
    """Lead the session from the start through the story, and name each moment when it is there and nothing moves."""
    yield "start"
    for moment, (way, pattern) in MOMENTS.items():
        if way == "bids":
            session.jump("to the auction")
            while session.page.locator("#book code").count() < 3:
                session.step()
        elif way == "end":
            session.jump("to the end")
        else:
            session.jump_until(pattern)
        session.until("story", pattern)
        session.end_movements()
        yield moment


def test_on_a_desk_every_moment_is_pictured_and_legible(chromium, live):
    session = Session(chromium, live)
    for moment in moments(session):
        for colours, ground in {"dark": ".flnft-dark", "light": ".flnft-light"}.items():
            session.page.emulate_media(color_scheme=colours)
            session.page.wait_for_selector(ground, timeout=PATIENCE_MS)
            session.end_movements()
            seen, weak = session.page.evaluate(_WEAK, LEAST_CONTRAST)
            assert seen > 60
            assert weak == [], (moment, colours)
        for name, (width, height) in DESKTOPS.items():
            session.page.set_viewport_size({"width": width, "height": height})
            count, hits = session.page.evaluate(_OVERLAPS)
            assert count >= 16
            assert hits == [], (moment, name)
            session.keep(f"{moment}-{name}")
    session.close()


def test_on_a_phone_every_moment_fits(chromium, live):
    session = Session(chromium, live, PHONE, is_mobile=True)
    session.page.wait_for_selector(".v-navigation-drawer--close", state="attached")
    session.end_movements()
    for moment in moments(session):
        session.keep(f"{moment}-phone")
        assert session.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        for name in ("play", "timeline", "map"):
            box = session.page.locator(f"#{name}").bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= PHONE[1], (moment, name)
    session.toggle_theme()
    session.end_movements()
    session.keep("dark-phone")
    session.close()


# ---- playback --------------------------------------------------------------------------------------------------------


def test_replays_a_run_to_its_end(chromium, replay):
    session = Session(chromium, replay)
    session.jump("next round")
    session.until("state", "1 of 3 rounds")
    session.press("play")
    session.until("state", "2 of 3 rounds")
    session.press("play")
    track = session.page.locator("#timeline [role=slider]")
    box = track.bounding_box()
    session.page.mouse.click(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    session.until("book", "won")
    assert "…" not in session.read("book")
    session.page.locator("#events button", has_text="sealed bid").first.click()  # back to when it happened
    session.until("book", "…")
    track.press("Home")
    session.until("state", "0 of 3 rounds")
    session.close()


def test_two_runs_side_by_side_share_one_clock(chromium, runs):
    with served("--run", runs[0], "--run", runs[1]) as server:
        session = Session(chromium, server.address)
        session.jump("next round")
        for _ in range(2):
            assert session.read("clock") == session.read("clock-2")
            session.step()
        session.jump("to the end")
        assert (session.read("state"), session.read("state-2")) == ("finished", "finished")
        assert session.read("accuracy") != session.read("accuracy-2")
        assert session.page.locator("h2").all_inner_texts() == ["pms-am", "random"]
        session.keep("side-by-side")
        session.close()


# ---- who may look ----------------------------------------------------------------------------------------------------
def test_with_the_network_cut_it_serves_calls_nobody_and_ends_within_two_seconds_of_sigterm(driver, tmp_path):
    """Every name but localhost leads nowhere, in the browser; the server's own look-ups and connections are noted."""
    calls = tmp_path / "calls"
    browser = launched(driver, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost")
    probe = browser.new_page()
    with pytest.raises(playwright.Error, match="ERR_NAME_NOT_RESOLVED"):
        probe.goto("http://flnft.example/")
    with served_alone("roblox10", *(f"--set={field}" for field in QUICK), watched_in=calls) as server:
        session = Session(browser, server.address)
        assert session.page.url == server.page  # the token has left the address
        session.step()
        missing = session.page.request.get(f"{server.page}_solara/cdn/not-installed@1.0.0/index.js")
        assert missing.status == 404  # and is fetched from nowhere
        session.press("play")
        session.until("clock", "^(?!2.00 s)")
        assert session.troubles == []
        sent_s = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 143
        assert time.monotonic() - sent_s < 2
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
    page.wait_for_selector("#map svg.flnft-ground", timeout=PATIENCE_MS)
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
