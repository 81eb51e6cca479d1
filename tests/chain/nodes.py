"""Nodes to run on: anvil on a free port, and servers that answer as a test wants."""

import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def started(root, **changed):
    """A node with the options of `make chain-node`, some of them changed; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = (root / "contracts/anvil.options").read_text().split()
    for name, value in changed.items():
        options[options.index(f"--{name}") + 1] = value
    program = root / "contracts/node_modules/.bin/anvil"
    running = subprocess.Popen([program, *options, "--port", str(port), "--silent"])
    for _ in range(100):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    running.terminate()
    running.wait(timeout=10)


@contextlib.contextmanager
def served(answers):
    """A server of JSON-RPC that answers a question by `answers(asked)`; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {"jsonrpc": "2.0", "id": asked["id"]} | answers(asked)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def limited(node, refuses):
    """A node that is `node`, but does not know the methods that it `refuses`."""
    return served(lambda asked: refusal(asked) if refuses(asked["method"]) else passed_on(node, asked))


def passed_on(node, asked):
    """What the node answers."""
    request = urllib.request.Request(node, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def refusal(asked):
    """What a node answers that does not know a method."""
    return {"error": {"code": -32601, "message": f"the method {asked['method']} does not exist"}}
