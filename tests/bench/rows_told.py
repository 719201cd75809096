# SPDX-License-Identifier: Apache-2.0
"""Rows about what is decided: kept for good, and told."""
import hashlib
import http.client
import json
import os
import re
import subprocess
import threading
import time

from agent import Agent, checks_toml, command_toml
from limits import Sink
from processes import wait_quiet
from report import Row, percentile
from rows_exec import SETTLE_S, read_stamps
from rows_size import EMPTY

FAILING = 200  # checks that begin to fail, a message each
FAILING_EVERY_S = 10


def told_ms(stamps, arrivals):
    """From the start of the run that failed, the last one before the message, to the message; all of them."""
    if len(arrivals) < FAILING:
        raise RuntimeError(f"only {len(arrivals)} of {FAILING} messages came")
    return [(at - max(start for start in stamps[number] if start < at)) / 1e6 for number, at in arrivals.items()]


def limit_told(world):
    path, marker = world.stamp_file(), os.path.join(world.make_dir("marker"), "broken")
    with open(marker, "w"), Sink(world) as sink:
        world.limit("page", FAILING, FAILING // FAILING_EVERY_S, os.path.join(world.make_dir("db"), "limit.db"), sink.url,
                    world.program("stamp"), path, "{}", marker)
        return told_ms(read_stamps(path), sink.arrivals())


def agent_told(world):
    path, marker = world.stamp_file(), os.path.join(world.make_dir("marker"), "broken")
    command = command_toml([world.program("stamp"), path, "{}", marker])
    with Sink(world) as sink:
        config = checks_toml(FAILING, "exec.nagios", f"{FAILING_EVERY_S}s", f'severity = "p1"\ncommand = {command}')
        with Agent(world, config + sink.notifier()) as agent:
            time.sleep(1 + SETTLE_S)
            wait_quiet(agent.pid, share=0.5, limit_s=20)
            with open(marker, "w"):
                pass
            end = time.monotonic() + FAILING_EVERY_S + 20
            while len(sink.arrivals()) < FAILING and time.monotonic() < end:
                time.sleep(0.5)
            return told_ms(read_stamps(path), sink.arrivals())


def row_message(world):
    shares = (("p50", 0.5, 8, 2.3), ("p99", 0.99, 25, 4.3))
    rows = [Row(f"failing check's start to message in a local sink: {name}", "ms", [], must, nominal=nominal)
            for name, _, must, nominal in shares]
    for _ in range(world.rounds):
        limit, ours = limit_told(world), agent_told(world)
        for row, (_, share, _, _) in zip(rows, shares):
            row.limit.append(percentile(limit, share))
            row.ours.append(percentile(ours, share))
    rows[0].note = f"{FAILING} checks within {FAILING_EVERY_S} s; the limit commits one row before it posts"
    return rows


def row_commit(world):
    row = Row("durable incident commits", "commits/s", [], 1000, more_is_better=True, nominal=3589)
    for _ in range(world.rounds):
        seconds = world.window(8)
        limit = world.limit("commit", os.path.join(world.make_dir("db"), "limit.db"), seconds)
        row.limit.append(limit["runs"] / limit["wall_s"])
        with Agent(world, EMPTY) as agent:
            opened = json.loads(agent.request("POST", "/v1/incidents", {"text": "a bench", "level": "p4"}))
            target, note = f"/v1/incidents/{opened['incident']}/note", json.dumps({"text": "x" * 100})
            many = world.limit("ask", agent.socket, 16, seconds, target, note)
            one = world.limit("ask", agent.socket, 1, world.window(3), target, note)
        row.ours.append(many["runs"] / many["wall_s"])
        row.note = (f"notes of 16 who ask at once, each answered when it is on the disk, p99 {many['p99_ms']:.3g} ms; of one: "
                    f"p50 {one['p50_ms']:.3g} ms, p99 {one['p99_ms']:.3g} ms. The limit is one row a commit")
    return [row]


STORM, STORM_OF_A_REQUEST = 10_000, 200  # alerts; as many of them as the door takes at once
TOKEN = "bench-storm"
STORM_CONFIG = f"""
[api]
listen = "127.0.0.1:0"

[token.prometheus]
role = "reporter"
inbox = ["@alertmanager"]
sha256 = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"

[service.shop]
title = "The shop"
"""


def storm_requests():
    """Their bodies, as Alertmanager would post them."""
    alerts = [{"status": "firing", "labels": {"alertname": "Down", "severity": "critical", "instance": f"h{i}:9100", "service": "shop"},
               "annotations": {"summary": "it does not answer"}, "fingerprint": f"{i + 1:016x}"} for i in range(STORM)]
    return [json.dumps({"version": "4", "status": "firing", "alerts": alerts[first:first + STORM_OF_A_REQUEST]})
            for first in range(0, STORM, STORM_OF_A_REQUEST)]


def storm(agent, bodies):
    """Posts them one after the other; seconds until the last was taken."""
    port = int(re.findall(r"the API is also on http://127\.0\.0\.1:(\d+)", agent.log())[-1])
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begin = time.monotonic()
    for body in bodies:
        door.request("POST", "/v1/alertmanager", body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        answer = door.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"the door answered {answer.status}: {answer.read()[:200]}")
        answer.read()
    took = time.monotonic() - begin
    door.close()
    return took


class Asker:
    """Runs `ronda status` some ten times a second meanwhile; what each took, in ms."""

    def __init__(self, world, agent):
        self.command = [world.program("ronda"), "status", *agent.options()]
        self.took_ms = []
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ends.wait(0.05):
            begin = time.monotonic()
            done = subprocess.run(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if done.returncode not in (0, 2):
                raise RuntimeError(f"ronda status ended with {done.returncode}")
            self.took_ms.append((time.monotonic() - begin) * 1000)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


def row_storm(world):
    taken = Row(f"{STORM:,} alerts at the door: until all are taken", "s", [], 1)
    answer = Row("the same: ronda status meanwhile, the slowest", "ms", [], 200)
    told = Row("the same: messages of the group within 10 s", "messages", [], 2)
    asked = 0
    for _ in range(world.rounds):
        with Sink(world) as sink, Agent(world, EMPTY + STORM_CONFIG + sink.notifier()) as agent:
            time.sleep(SETTLE_S)
            bodies = storm_requests()
            with Asker(world, agent) as asker:
                took = storm(agent, bodies)
                time.sleep(2)  # what they cost afterwards counts, too
            time.sleep(8)
            with open(sink.file) as file:
                messages = len(file.readlines())
        if messages == 0:
            raise RuntimeError("no message came")
        taken.ours.append(took)
        answer.ours.append(max(asker.took_ms))
        told.ours.append(messages)
        asked += len(asker.took_ms)
    taken.note = f"of one service, {STORM_OF_A_REQUEST} a request, one request after the other"
    answer.note = f"asked {asked} times, with the program's start"
    return [taken, answer, told]


def row_year(world):
    row = Row("a year of the shop by a virtual clock", "s", [], 60)
    for _ in range(world.rounds):
        begin = time.monotonic()
        subprocess.run([os.path.join(world.built, "tests/agent/response/test_year"), "a year of the shop*"], check=True,
                       stdout=subprocess.DEVNULL)
        row.ours.append(time.monotonic() - begin)
    row.note = "each rule of the shipped conf.d over and under its limit, every message compared; until its program has ended"
    return [row]
