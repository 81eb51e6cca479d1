"""The gate of `flnft viz`, knocked at with real requests: every refusal, and every way that is open."""

import http.client
import json
import signal
import socket
import time
from itertools import count
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_server import Served, served, served_alone

from flnft_sim.viz.address import Address

pytest.importorskip("solara", reason="pip install 'flnft-sim[viz]' for tests of the page")
client = pytest.importorskip("websockets.sync.client")
InvalidStatus = pytest.importorskip("websockets.exceptions").InvalidStatus

_numbers = count()


@pytest.fixture(scope="module")
def server():
    with served("tiny") as running:
        yield running


def ask(server: Served, path="/", *, method="GET", host=None, **headers):
    """Status, headers and text of one request; `host` in place of the true one ("" for none at all)."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    if host != "":
        connection.putheader("Host", host or f"localhost:{server.port}")
    for name, value in headers.items():
        for each in [value] if isinstance(value, str) else value:
            connection.putheader(name, each)
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def connect(server: Served, *, host=None, origin=None, cookie=None, kernel=None):
    """A websocket to a kernel, as the page opens it."""
    host, kernel = host or f"localhost:{server.port}", kernel or f"kernel-{next(_numbers)}"
    return client.connect(
        f"ws://{host}/jupyter/api/kernels/{kernel}/channels?session_id=page",
        origin=origin,
        additional_headers={"Cookie": cookie} if cookie else {},
        sock=socket.create_connection(("localhost", server.port)),
        open_timeout=20,
    )


def kernels(server: Served):
    return json.loads(ask(server, "/resourcez", Cookie=server.cookie)[2])["kernels"]["total"]


def is_one_sentence(text):
    return text.endswith(".\n") and text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.parametrize(
    "path", ["/", "/resourcez", "/readyz", "/static/main-vuetify.js", "/_solara/cdn/requirejs@2.3.6/require.js"]
)
def test_without_token_or_cookie_nothing_is_shown(server, path):
    status, _, text = ask(server, path)
    assert status == 403 and is_one_sentence(text) and "open the whole address" in text


@pytest.mark.parametrize("cookie", ["flnft-{port}=wrong", "flnft-{port}=", "flnft-1={token}", "flnft-{port}={token}x"])
def test_a_wrong_cookie_is_none(server, cookie):
    assert ask(server, Cookie=cookie.format(port=server.port, token=server.token))[0] == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(server):
    status, headers, _ = ask(server, f"/?token={server.token}")
    assert status == 200 and headers["Refresh"] == "0; url=/" and headers["Referrer-Policy"] == "no-referrer"
    value, *attributes = headers["Set-Cookie"].split("; ")
    assert value == server.cookie
    assert {each.lower() for each in attributes} == {"httponly", "samesite=strict", "path=/"}
    status, headers, text = ask(server, Cookie=value)
    assert status == 200 and "<html" in text and server.token not in text
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("token", ["", "wrong", "%00", "é%ff"])
def test_a_wrong_token_opens_nothing(server, token):
    assert ask(server, f"/?token={quote(token, safe='%')}")[0] == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost",
        "localhost:1",
        "localhost.evil.example:{port}",
        "10.0.0.1:{port}",
        "",
        "@localhost:{port}",
    ],
)
@pytest.mark.parametrize("path", ["/", "/?token={token}"])
def test_another_name_is_refused_whatever_it_brings(server, host, path):
    """DNS rebinding: the foreign page's own name leads here, and the browser sends it as `Host`."""
    path = path.format(token=server.token)
    status, headers, text = ask(server, path, host=host.format(port=server.port), Cookie=server.cookie)
    assert status in (400, 403) and "Set-Cookie" not in headers
    assert status == 400 or (is_one_sentence(text) and "is not called" in text)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_every_name_of_loopback_is_ours(server, host):
    assert ask(server, host=f"{host}:{server.port}", Cookie=server.cookie)[0] == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:1",
        "https://localhost:{port}",
        "http://localhost:{port}.evil.example",
    ],
)
def test_a_foreign_page_may_not_ask(server, method, origin):
    answer = ask(server, method=method, Origin=origin.format(port=server.port), Cookie=server.cookie)
    assert answer[0] == 403 and is_one_sentence(answer[2]) and "may not use this server" in answer[2]


@pytest.mark.parametrize(("header", "before"), [("Host", ""), ("Origin", "http://")])
def test_a_second_name_beside_our_own_is_refused(server, header, before):
    pair = [f"{before}localhost:{server.port}", f"{before}evil.example"]
    host = "" if header == "Host" else None  # else a third would be sent
    for names in (pair, pair[::-1]):
        assert ask(server, host=host, Cookie=server.cookie, **{header: names})[0] in (400, 403)


def test_our_own_page_may(server):
    assert ask(server, Origin=f"http://localhost:{server.port}", Cookie=server.cookie)[0] == 200


def test_websockets_pass_the_same_gate(server):
    own, before = f"http://localhost:{server.port}", kernels(server)
    refused = [
        {},
        {"origin": own},
        {"origin": own, "cookie": "flnft-1=x"},
        {"origin": "http://evil.example", "cookie": server.cookie},
        {"origin": "null", "cookie": server.cookie},
        {
            "host": f"evil.example:{server.port}",
            "origin": f"http://evil.example:{server.port}",
            "cookie": server.cookie,
        },
    ]
    for knock in refused:
        with pytest.raises(InvalidStatus) as refusal, connect(server, **knock):
            pass
        assert refusal.value.response.status_code == 403 and is_one_sentence(refusal.value.response.body.decode())
    assert kernels(server) == before
    with connect(server, origin=own, cookie=server.cookie), connect(server, cookie=server.cookie):
        until(lambda: kernels(server) == before + 2)


def until(holds, patience_s=20):
    """Wait until something holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_sessions_are_counted_and_culled_when_their_page_is_gone():
    with served("tiny", "--sessions", 2, "--idle-minutes", 0.02) as server:
        with connect(server, cookie=server.cookie, kernel="a"), connect(server, cookie=server.cookie, kernel="b"):
            status, headers, text = ask(server, Cookie=server.cookie)
            assert (
                status == 503 and is_one_sentence(text) and "this server keeps 2:" in text and headers["Refresh"] == "5"
            )
            with pytest.raises(InvalidStatus) as refusal, connect(server, cookie=server.cookie, kernel="c"):
                pass
            assert refusal.value.response.status_code == 503
            with connect(server, cookie=server.cookie, kernel="a"):  # one that is held comes back
                pass
        assert ask(server, Cookie=server.cookie)[0] == 503  # held a moment for pages that come back
        until(lambda: kernels(server) == 0)
        assert ask(server, Cookie=server.cookie)[0] == 200
        with connect(server, cookie=server.cookie, kernel="c"):
            pass


def test_opens_the_browser_at_the_whole_address_and_ends_within_two_seconds_of_sigterm(tmp_path):
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    with served_alone("tiny", "--open", BROWSER=f"{browser} %s") as server, connect(server, cookie=server.cookie):
        until(lambda: opened.exists() and opened.read_text().strip() == server.address)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 143
        assert time.monotonic() - started < 2


LOOPBACK = Address(host="localhost", bound="127.0.0.1", port=8765, token="t")


@given(st.text(max_size=30) | st.from_regex(r"[a-z0-9.:\[\]-]{1,30}", fullmatch=True))
def test_no_other_name_is_ours(name):
    ours = name.lower() in ("localhost", "127.0.0.1", "[::1]")
    assert LOOPBACK.is_ours(f"{name}:8765") == ours
    assert not LOOPBACK.is_ours(name) or name.lower().endswith(":8765")


@pytest.mark.parametrize(
    ("host", "bound", "ours", "not_ours", "page"),
    [
        ("localhost", "127.0.0.1", ["localhost", "127.0.0.1", "[::1]"], ["box"], "http://localhost:8765/"),
        ("::1", "::1", ["[::1]", "localhost"], ["::1"], "http://[::1]:8765/"),
        ("box", "192.0.2.7", ["box", "BOX"], ["localhost", "127.0.0.1", "192.0.2.8", "evil.box"], "http://box:8765/"),
        ("192.0.2.7", "192.0.2.7", ["192.0.2.7"], ["192.0.2.8", "box"], "http://192.0.2.7:8765/"),
        ("0.0.0.0", "0.0.0.0", ["127.0.0.1", "192.0.2.7", "localhost"], ["evil.example"], "http://127.0.0.1:8765/"),
        ("::", "::", ["[::1]", "[2001:db8::1]"], ["evil.example", "[evil]"], "http://[::1]:8765/"),
    ],
)
def test_the_names_of_what_it_was_started_on(host, bound, ours, not_ours, page):
    address = Address(host=host, bound=bound, port=8765, token="t")
    assert all(address.is_ours(f"{name}:8765") for name in ours)
    assert not any(address.is_ours(f"{name}:8765") for name in not_ours)
    assert not any(address.is_ours(f"{name}:8766") or address.is_ours(name) for name in ours)
    assert (address.page, address.with_token) == (page, f"{page}?token=t")


def test_a_browser_leaves_out_port_80():
    assert Address(host="box", bound="192.0.2.7", port=80).is_ours("box")


def test_every_start_has_a_token_of_its_own():
    starts = [Address(host="localhost", bound="127.0.0.1", port=1) for _ in range(100)]
    assert len({start.token for start in starts}) == 100 and all(len(start.token) >= 22 for start in starts)
    assert starts[0].token not in repr(starts[0])
