"""The browser page: from a step to its redraw, what it sends, how long it loads; beside SolaraViz with nothing on it.

The browser's part needs Chromium; without it the server's part is measured alone.
"""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from flnft_sim.scenario import Scenario, load_scenario
from flnft_sim.viz.live import BrowserModel
from flnft_sim.viz.player import Pane
from flnft_sim.viz.stage import Stage

_REPEATS = 15
_USERS = (10, 500)
_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Click, then look at every frame whether the clock has changed: milliseconds.
_CLICK = """async button => {
  const clock = () => document.querySelector("#clock").innerText, before = clock(), begun = performance.now();
  button.click();
  while (clock() === before && performance.now() - begun < 20000) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""


def main() -> None:
    """Print the server's part by the number of users, then the browser's beside the floor."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {_REPEATS}")
    print(f"{'users':>6} {'model ms':>9} {'redraw ms':>10} {'KB changed':>11} {'KB in all':>10}")
    for users in _USERS:
        _server(users)
    if _CHROMIUM is None:
        print("no Chromium: the browser's part is left out")
        return
    floor_ms, floor_load_ms = _in_browser(_empty_page, "button:has(> span:text-is('Step'))")
    print(f"{'page':>22} {'load s':>7} {'step to redraw ms':>18} {'of the floor':>13}")
    print(f"{'SolaraViz, empty':>22} {floor_load_ms / 1e3:7.1f} {floor_ms:18.0f}")
    for users in _USERS:
        step_ms, load_ms = _in_browser(lambda users=users: _our_page(users), "#step")
        print(f"{f'ours, {users} users':>22} {load_ms / 1e3:7.1f} {step_ms:18.0f} {step_ms / floor_ms:12.1f}×")


def _settings(users: int) -> Scenario:
    return load_scenario("roblox10", overrides=_fields(users))


def _fields(users: int) -> dict[str, object]:
    return {"population.users": users, "radio.placement": "random", "game.history_auctions": 0}


def _server(users: int) -> None:
    """A step of the model, and what its redraw costs the server: scene, parts, and the JSON of what changed."""
    model = BrowserModel(_settings(users))
    pane, stage, sent = Pane(model), Stage(), list[int]()
    stage.send = lambda message: sent.append(len(json.dumps(message)))  # type: ignore[method-assign]  # nobody listens
    stage.show([pane.parts()])
    steps, redraws = [], []
    for _ in range(_REPEATS):
        steps.append(_seconds(model.step))
        redraws.append(_seconds(lambda: stage.show([pane.parts()])))
    step_ms, redraw_ms = (1e3 * statistics.median(times) for times in (steps, redraws))
    print(f"{users:6} {step_ms:9.1f} {redraw_ms:10.1f} {statistics.median(sent[1:]) / 1e3:11.1f} {sent[0] / 1e3:10.1f}")


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


# ---- in the browser --------------------------------------------------------------------------------------------------


def _in_browser(serve: Callable[[], AbstractContextManager[str]], button: str) -> tuple[float, float]:
    """Milliseconds from a click to its redraw, and from the request to the first clock (the second visit's)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, serve() as address:
        browser = driver.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        loads = []
        for _ in range(2):
            page = browser.new_page()
            begun = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("#clock", timeout=120_000)
            loads.append(1e3 * (time.perf_counter() - begun))
        page.wait_for_timeout(1000)
        clicks = [page.locator(button).first.evaluate(_CLICK) for _ in range(_REPEATS)]
        browser.close()
    return statistics.median(clicks), loads[-1]


def _our_page(users: int) -> AbstractContextManager[str]:
    fields = [f"--set={name}={value}" for name, value in _fields(users).items()]
    return _served("from flnft_sim.cli import main; main()", "viz", "roblox10", *fields, "--port", "0")


def _empty_page() -> AbstractContextManager[str]:
    """Behind the same server."""
    return _served(
        "from flnft_sim.scenario import load_scenario; from flnft_sim.viz import server\n"
        "server.APP = server._SOLARA['SOLARA_APP'] = 'benchmarks._peer_empty_page'\n"
        "server.serve(load_scenario('tiny'), port=0, on_address=print)"
    )


@contextmanager
def _served(program: str, *arguments: str) -> Iterator[str]:
    """The address that a server of its own prints."""
    command = [sys.executable, "-u", "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found
            yield found[0]
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
