# SPDX-License-Identifier: Apache-2.0
"""Rows about checks that run inside a plugin and keep what they need: HTTP, PostgreSQL, nothing at all."""
import collections
import time

from agent import Agent, checks_toml
from processes import tree_cpu_s, tree_run_s, tree_wakeups
from report import Row

Measured = collections.namedtuple("Measured", "cpu wakeups other_cpu rate")
SAMPLE = 100  # checks that are asked how often they ran


def measure(world, agent, count, seconds, also=None):
    """Per check: CPU of the agent's tree, its wake-ups, CPU of the tree `also`. And checks a second."""
    names = [f"c{number}" for number in range(0, count, max(count // SAMPLE, 1))]
    before = agent.runs(names)
    woken = tree_wakeups(agent.pid)
    cpu, other, begin = tree_run_s(agent.pid), tree_cpu_s(also) if also else 0, time.monotonic()
    time.sleep(world.window(seconds))
    cpu, other = tree_run_s(agent.pid) - cpu, (tree_cpu_s(also) if also else 0) - other
    wall, woken = time.monotonic() - begin, tree_wakeups(agent.pid) - woken
    rate = agent.rate_between(before, agent.runs(names), count)
    if rate == 0:
        raise RuntimeError("no check has run: " + str(agent.explain(names[0])))
    first = agent.explain(names[0])
    if first["status"] != "ok":
        raise RuntimeError("the check is not ok: " + str(first))
    runs = rate * wall
    return Measured(cpu / runs, woken / runs, other / runs, rate)


def row_http(world):
    url = world.web_url()
    row = Row("HTTP checks at 100/s", "us CPU/check", [], 1.0, ratio=True, nominal=132)
    for _ in range(world.rounds):
        limit = world.limit("http", url, 100, world.window(20))
        row.limit.append(limit["cpu_s"] / limit["runs"] * 1e6)
        with Agent(world, checks_toml(1000, "http.request", "10s", f'url = "{url}"')) as agent:
            time.sleep(4)
            got = measure(world, agent, 1000, 20)
            row.ours.append(got.cpu * 1e6)
            row.note = f"{got.rate:.1f}/s, {got.wakeups:.2f} wake-ups a check"
    return [row]


def row_http_max(world):
    url = world.web_url()
    row = Row("HTTP checks, maximum", "checks/s", [], 8000, more_is_better=True, nominal=37700)
    for _ in range(world.rounds):
        limit = world.limit("http", url, 0, world.window(8))
        row.limit.append(limit["runs"] / limit["wall_s"])
        with Agent(world, checks_toml(20000, "http.request", "1s", f'url = "{url}"')) as agent:
            time.sleep(6)
            row.ours.append(measure(world, agent, 20000, 10).rate)
    return [row]


def row_postgresql(world):
    server, conninfo = world.postgres()
    row = Row("PostgreSQL SELECT 1 at 20/s", "us CPU/check", [], 1.4, ratio=True, nominal=173)
    served = Row("the same, CPU of the server", "ms CPU/check", [], 0.7, nominal=0.6)
    for _ in range(world.rounds):
        before = tree_cpu_s(server)
        limit = world.limit("pg", conninfo, 20, world.window(20))
        row.limit.append(limit["cpu_s"] / limit["runs"] * 1e6)
        served.limit.append((tree_cpu_s(server) - before) / limit["runs"] * 1e3)
        options = f'dsn = "{conninfo}"\nsql = "SELECT 1"'
        with Agent(world, checks_toml(200, "postgresql.query", "10s", options)) as agent:
            time.sleep(4)
            got = measure(world, agent, 200, 20, server)
            row.ours.append(got.cpu * 1e6)
            row.note = f"{got.rate:.1f}/s, {got.wakeups:.2f} wake-ups a check"
            served.ours.append(got.other_cpu * 1e3)
    return [row, served]


def row_trivial(world):
    row = Row("trivial check at 10,000/s, both sides", "us CPU/check", [], 60, nominal=28)
    for _ in range(world.rounds):
        limit = world.limit("pair", "cross", world.window(5))
        row.limit.append(limit["cpu_s"] / limit["runs"] * 1e6)
        same = world.limit("pair", "same", world.window(3))
        with Agent(world, checks_toml(10000, "bench.trivial", "1s", "")) as agent:
            time.sleep(4)
            got = measure(world, agent, 10000, 10)
            row.ours.append(got.cpu * 1e6)
            row.note = (f"{got.rate:,.0f}/s, {got.wakeups:.2f} wake-ups a check; the limit is a round trip across two processors, "
                        f"on one {same['cpu_s'] / same['runs'] * 1e6:.3g}")
    return [row]
