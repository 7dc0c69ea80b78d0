"""What runs beside this program: the product as make run starts it, and Lambda's own emulator around each function. All of it
listens on loopback, and is ended by its process id."""

import contextlib
import json
import pathlib
import platform
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

NOW = "2026-11-15T12:00:00Z"  # the functions' clock, and partnerctl's
ATTEMPTS = 3
START_TIMEOUT, END_TIMEOUT, ANSWER_TIMEOUT = 300, 20, 60  # seconds


class Failed(Exception):
    """Something did not start, or has ended, and why."""


def end(process):
    """Ends a process that was started here, and waits until it has."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def product(root, folder):
    """Runs build/local with empty tables, and yields what its ready file says. Where the machine is so busy that its engine does not
    start in time, it is started again."""
    ready, log = pathlib.Path(folder, "ready.json"), pathlib.Path(folder, "product.log")
    arguments = ["--listen", "127.0.0.1:0", "--build-dir", root / "build", "--ready-file", ready, "--now", NOW, "--empty", "--until-eof",
                 "--parameter", "AuthorizerTtlSeconds=0"]
    for _ in range(ATTEMPTS):
        with open(log, "wb") as out:
            process = subprocess.Popen([root / "build" / "local", *arguments], cwd=root, stdin=subprocess.PIPE, stdout=out, stderr=out)
        try:
            late = time.monotonic() + START_TIMEOUT
            while not ready.exists() and process.poll() is None and time.monotonic() < late:
                time.sleep(0.1)
            if ready.exists():
                yield json.loads(ready.read_text())
                return
        finally:
            end(process)
    raise Failed(f"the product does not serve: {log.read_text()}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Emulator:
    """A function's binary under the Runtime Interface Emulator, which Lambda's images for containers have. One event at a time."""

    def __init__(self, samcli, bootstrap, name, environment, timeout, memory):
        self.name, self.lock = name, threading.Lock()
        architecture = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
        self.binary = pathlib.Path(samcli, "local", "rapid", f"aws-lambda-rie-{architecture}")
        self.bootstrap = bootstrap
        self.environment = environment | {
            "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory), "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local-" + name, "PATH": "/usr/local/bin:/usr/bin:/bin"}

    def start(self, folder):
        """Starts it, and returns when it can be called. The function itself starts at its first event."""
        self.port = free_port()
        self.log = pathlib.Path(folder, self.name + ".log")
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [self.binary, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}", "--runtime-api-address", f"127.0.0.1:{free_port()}", self.bootstrap],
                cwd=folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        late = time.monotonic() + START_TIMEOUT
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            if self.process.poll() is not None or time.monotonic() > late:
                raise Failed(f"the emulator of {self.name} does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def invoke(self, event):
        """Hands an event to the function, as text or bytes: what it answered, as bytes."""
        data = event if isinstance(event, bytes) else event.encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/2015-03-31/functions/function/invocations", data, {"Content-Type": "application/json"})
        with self.lock:
            try:
                with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT) as response:
                    return response.read()
            except urllib.error.HTTPError as error:
                return error.read()

    def function(self):
        """The process id of the function, as Linux tells the emulator's children; None: it does not run."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return next((int(pid) for file in children for pid in file.read_text().split()), None)

    def stop(self):
        end(self.process)  # and with it the function, which it ends


@contextlib.contextmanager
def emulators(functions, folder):
    """Starts all, and ends them: by logical id."""
    with contextlib.ExitStack() as started:
        for emulator in functions:
            emulator.start(folder)
            started.callback(emulator.stop)
        yield {emulator.name: emulator for emulator in functions}


@contextlib.contextmanager
def workplace():
    """A folder for logs and the ready file, whose keys only its owner may read. It goes in the end."""
    with tempfile.TemporaryDirectory(prefix="partnerview-gateway-") as folder:
        yield folder
