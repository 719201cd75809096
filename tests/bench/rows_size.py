# SPDX-License-Identifier: Apache-2.0
"""Rows about what it takes to be there: memory, idle CPU, and reading the configuration."""
import json
import os
import resource
import subprocess
import time

from agent import Agent, checks_toml, command_toml
from limits import LimitProcess, Sink
from processes import pss_bytes, tree, tree_cpu_s, tree_pss_bytes, tree_run_s, wait_quiet
from report import Row

EMPTY = '[agent]\nlanguage = "en"\n'
IN_USE = """
[check.web]
use = "http.request"
every = "10s"
url = "{web}"

[check.database]
use = "postgresql.connect"
every = "10s"
dsn = "{dsn}"

[check.memory]
use = "host.memory"
every = "10s"

[check.program]
use = "exec.nagios"
every = "10s"
command = ["/bin/true"]

[check.job]
use = "heartbeat.job"
every = "10s"
expect = "1d"

[check.told]
use = "exec.nagios"
every = "1h"
severity = "p1"
command = ["/bin/sh", "-c", "exit 2"]
{notifier}"""


def in_use(world, sink):
    return IN_USE.format(web=world.web_url(), dsn=world.postgres()[1], notifier=sink.notifier())


def exec_checks(count, every):
    return checks_toml(count, "exec.nagios", every, f"command = {command_toml(['/bin/true', '{}'])}")


def limit_memory(world, config, count):
    """Bytes a check that the bare program keeps, its whole PSS and its CPU."""
    def load(text):
        directory = world.make_dir("conf")
        with open(os.path.join(directory, "10.toml"), "w") as file:
            file.write(text)
        with LimitProcess(world, "memory", directory) as limit:
            return pss_bytes(limit.process.pid), json.loads(limit.first_line)["cpu_s"]
    base, _ = load("")
    full, cpu = load(config)
    return (full - base) / count, full, cpu


def row_validate(world):
    row = Row("validate 10,000 checks", "s", [], 0.3)
    cpu = Row("the same, CPU", "s", [], 0.3)
    agent = Agent(world, exec_checks(10000, "60s"))
    for _ in range(max(world.rounds, 5)):
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([world.program("ronda"), "validate", *agent.options()], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        row.ours.append(time.monotonic() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.ours.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    agent.stop()
    return [row, cpu]


def idle_pss(world, config):
    with Agent(world, config) as agent:
        time.sleep(3)
        wait_quiet(agent.pid)
        return tree_pss_bytes(agent.pid), tree_pss_bytes(agent.pid) - pss_bytes(agent.pid)


def row_memory_10000(world):
    count = 10000
    row = Row("memory per configured check (10,000)", "bytes", [], 2000, nominal=100)
    config = exec_checks(count, "1h")
    for _ in range(world.rounds):
        row.limit.append(limit_memory(world, config, count)[0])
        few, few_runner = idle_pss(world, exec_checks(1, "1h"))
        many, many_runner = idle_pss(world, config)
        row.ours.append((many - few) / count)
        row.note = f"of it {(many_runner - few_runner) / count:.0f} in the runner; all of them have run once"
    return [row]


def row_memory_100000(world):
    count = 100000
    pss = Row("100,000 configured checks: PSS", "MiB", [], 220, nominal=11)
    load = Row("100,000 configured checks: CPU to load", "s", [], 5, nominal=0.06)
    config = checks_toml(count, "bench.trivial", "1h", "")
    for _ in range(world.rounds):
        _, full, cpu = limit_memory(world, config, count)
        pss.limit.append(full / 2**20)
        load.limit.append(cpu)
        with Agent(world, config) as agent:
            load.ours.append(tree_cpu_s(agent.pid))
            time.sleep(6)
            wait_quiet(agent.pid)
            pss.ours.append(tree_pss_bytes(agent.pid) / 2**20)
            pss.note = f"of it {pss_bytes(agent.pid) / 2**20:.0f} in the agent; all of them have run once"
    return [pss, load]


def row_idle(world):
    empty = Row("idle, nothing configured: PSS", "MiB", [], 7, nominal=1.5)
    cpu = Row("idle, nothing configured: CPU", "s/h", [], 1, nominal=0.35)
    used = Row("http, postgresql, host, exec, heartbeat and a notifier in use: PSS", "MiB", [], 20)
    for _ in range(world.rounds):
        seconds = world.window(30)
        with LimitProcess(world, "idle") as limit:
            time.sleep(1)
            empty.limit.append(pss_bytes(limit.process.pid) / 2**20)
            before = tree_run_s(limit.process.pid)
            time.sleep(seconds)
            cpu.limit.append((tree_run_s(limit.process.pid) - before) / seconds * 3600)
        with Agent(world, EMPTY) as agent:
            time.sleep(3)
            empty.ours.append(tree_pss_bytes(agent.pid) / 2**20)
            before = tree_run_s(agent.pid)
            time.sleep(seconds)
            cpu.ours.append((tree_run_s(agent.pid) - before) / seconds * 3600)
        with Sink(world) as sink, Agent(world, in_use(world, sink)) as agent:
            time.sleep(13)
            if not sink.arrivals():
                raise RuntimeError("the notifier is not in use: no message came")
            used.ours.append(tree_pss_bytes(agent.pid) / 2**20)
            used.note = f"{len(tree(agent.pid))} processes, the agent {pss_bytes(agent.pid) / 2**20:.1f}"
    return [empty, cpu, used]
