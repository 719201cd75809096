# SPDX-License-Identifier: Apache-2.0
"""Starts the real agent on a generated configuration and asks it what it did."""
import calendar
import http.client
import json
import math
import os
import shutil
import socket
import subprocess
import time

from processes import boottime_ns


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.unix_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.unix_path)


def command_toml(words):
    return "[" + ", ".join(json.dumps(word) for word in words) + "]"


def checks_toml(count, use, every, options, first=0):
    """`count` checks that differ in their names; "{}" in the options becomes the number."""
    out = []
    for number in range(first, first + count):
        out.append(f'[check.c{number}]\nuse = "{use}"\nevery = "{every}"\n{options.replace("{}", str(number))}\n')
    return "\n".join(out)


class Agent:
    """One run of the agent; everything it writes is in a directory of its own."""

    def __init__(self, world, config):
        self.world = world
        self.dir = world.make_dir("agent")
        self.conf = os.path.join(self.dir, "conf.d")
        self.state = os.path.join(self.dir, "state")
        self.socket = os.path.join(self.dir, "s")
        os.mkdir(self.conf)
        os.mkdir(self.state, 0o700)
        self.write_config("10-bench.toml", config)
        self.process = None
        self.connection = None

    def write_config(self, name, text):
        temporary = os.path.join(self.conf, "." + name)
        with open(temporary, "w") as file:
            file.write(text)
        os.rename(temporary, os.path.join(self.conf, name))

    def options(self):
        plugins = [word for directory in self.world.plugins for word in ("--plugins", directory)]
        return ["--config", self.conf, *plugins, "--state", self.state, "--socket", self.socket]

    def start(self):
        self.started_ns = boottime_ns()
        with open(os.path.join(self.dir, "log"), "w") as log:
            self.process = subprocess.Popen([self.world.program("ronda"), "run", *self.options()], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        end = time.monotonic() + 60
        while True:
            try:
                self.get("/healthz")
                return self
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise RuntimeError("the agent does not answer:\n" + self.log()[-2000:]) from None
                time.sleep(0.005)

    def log(self):
        with open(os.path.join(self.dir, "log")) as file:
            return file.read()

    @property
    def pid(self):
        return self.process.pid

    def request(self, method, path, body=None):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = UnixConnection(self.socket)
            try:
                self.connection.request(method, path, None if body is None else json.dumps(body),
                                        {} if body is None else {"Content-Type": "application/json"})
                return self.connection.getresponse().read()
            except (http.client.HTTPException, ConnectionError, FileNotFoundError) as error:
                self.connection = None
                if attempt == 2:
                    raise OSError(str(error)) from error
        raise AssertionError

    def get(self, path):
        body = self.request("GET", path)
        return json.loads(body) if body[:1] in b"{[" else body

    def explain(self, name):
        return self.get("/v1/explain/" + name)

    def runs(self, names):
        """How often each ran so far, and when that was asked."""
        return {name: (self.explain(name)["runs"], time.monotonic()) for name in names}

    def rate_between(self, before, after, count):
        """Runs a second of `count` checks, of which some were asked before and after."""
        rates = [(after[n][0] - before[n][0]) / (after[n][1] - before[n][1]) for n in before]
        return sum(rates) / len(rates) * count

    def phase_ns(self, name, interval_ns):
        """Where in its interval a check is due, on CLOCK_BOOTTIME. The trail gives the wall clock cut to milliseconds;
        a grid of a second and more stands on whole milliseconds of CLOCK_BOOTTIME, so the rest is made up for."""
        for _ in range(20):
            due = self.explain(name)["next_run"]
            offset = time.time_ns() - boottime_ns()
            if due:
                break
            time.sleep(0.05)
        whole, _, milli = due.rstrip("Z").partition(".")
        seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
        wall = seconds * 1_000_000_000 + int(milli) * 1_000_000
        return math.ceil((wall - offset - 100_000) / 1_000_000) * 1_000_000 % interval_ns

    def reload(self):
        """Asks for a reload; the answer and when it was asked and answered, on CLOCK_BOOTTIME."""
        begin = boottime_ns()
        answer = json.loads(self.request("POST", "/v1/reload"))
        return answer, begin, boottime_ns()

    def stop(self):
        if self.connection is not None:
            self.connection.close()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.world.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
