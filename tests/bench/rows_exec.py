# SPDX-License-Identifier: Apache-2.0
"""Rows about checks that start processes."""
import collections
import time

from agent import Agent, checks_toml, command_toml
from processes import boottime_ns, tree_cpu_s, tree_wakeups, wait_quiet
from report import Row, percentile

MASK = (1 << 64) - 1
SETTLE_S = 3  # after the first runs were due


def read_stamps(path, begin_ns=0, end_ns=1 << 62):
    """When each check started, by its number, in ns of CLOCK_BOOTTIME."""
    out = collections.defaultdict(list)
    with open(path) as file:
        for line in file:
            number, at = line.split()
            if begin_ns <= int(at) < end_ns:
                out[number].append(int(at))
    return out


def count_lines(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def limit_phase_ns(number, interval_ms):
    """The phase that the bare scheduler gives a check; see phase_ms in spawn.cpp."""
    x = ((number + 1) * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return (x ^ (x >> 31)) % interval_ms * 1_000_000


def per_run(world, agent, rate, seconds):
    """CPU and wake-ups of the agent's tree per check."""
    woken, cpu, begin = tree_wakeups(agent.pid), tree_cpu_s(agent.pid), time.monotonic()
    time.sleep(world.window(seconds))
    runs = rate * (time.monotonic() - begin)
    return (tree_cpu_s(agent.pid) - cpu) / runs, (tree_wakeups(agent.pid) - woken) / runs


def exec_pair(world, work, count, seconds, must):
    """CPU of `count` exec checks at 10 s, against the bare scheduler."""
    row = Row(work, "ms CPU/check", [], must, ratio=True, nominal=3)
    for _ in range(world.rounds):
        limit = world.limit("spawn", count, 10000, world.window(seconds), "/bin/true")
        row.limit.append(limit["cpu_s"] / limit["runs"] * 1e3)
        with Agent(world, checks_toml(count, "exec.nagios", "10s", f"command = {command_toml(['/bin/true'])}")) as agent:
            time.sleep(1 + SETTLE_S)
            cpu, woken = per_run(world, agent, count / 10, seconds)
            row.ours.append(cpu * 1e3)
            row.note = f"{woken:.1f} wake-ups a check"
    return [row]


def row_exec(world):
    return exec_pair(world, "exec checks at 60/s", 600, 20, 1.4)


def row_idle_exec(world):
    return exec_pair(world, "100 exec checks at 10 s", 100, 30, 1.4)


def row_exec_max(world):
    row = Row("exec checks, sustained maximum", "checks/s", [], 0.85, ratio=True, more_is_better=True)
    for _ in range(world.rounds):
        stamps = world.stamp_file()
        limit = world.limit("spawn", 1, 0, world.window(10), world.program("stamp"), stamps, "{}")
        row.limit.append(limit["runs"] / limit["wall_s"])
        stamps = world.stamp_file()
        count = int(row.limit[-1] * 1.5)
        command = command_toml([world.program("stamp"), stamps, "{}"])
        with Agent(world, checks_toml(count, "exec.nagios", "1s", f"command = {command}")):
            time.sleep(SETTLE_S)
            before, begin = count_lines(stamps), time.monotonic()
            time.sleep(world.window(10))
            row.ours.append((count_lines(stamps) - before) / (time.monotonic() - begin))
    return [row]


def lateness_ms(stamps, phases, interval_ns):
    return [(at - phases[number]) % interval_ns / 1e6 for number, starts in stamps.items() for at in starts]


def limit_lateness(world, count, interval_ms, seconds):
    path = world.stamp_file()
    world.limit("spawn", count, interval_ms, seconds, world.program("stamp"), path, "{}")
    phases = {str(n): limit_phase_ns(n, interval_ms) for n in range(count)}
    return lateness_ms(read_stamps(path), phases, interval_ms * 1_000_000)


def agent_lateness(world, count, every_s, seconds):
    path = world.stamp_file()
    command = command_toml([world.program("stamp"), path, "{}"])
    interval = every_s * 1_000_000_000
    with Agent(world, checks_toml(count, "exec.nagios", f"{every_s}s", f"command = {command}")) as agent:
        time.sleep(min(every_s / 10, 5) + SETTLE_S)
        wait_quiet(agent.pid, share=0.8, limit_s=60)  # first runs that wait for a thread are done
        begin = boottime_ns()
        time.sleep(seconds)
        stamps = read_stamps(path, begin, boottime_ns())
        phases = {number: agent.phase_ns(f"c{number}", interval) for number in stamps}
    return lateness_ms(stamps, phases, interval)


def lateness_rows(world, work, count, every_s, seconds, musts, nominals):
    shares = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    rows = [Row(f"{work}: {name}", "ms late", [], must, nominal=nominal) for (name, _), must, nominal in zip(shares, musts, nominals)]
    for _ in range(world.rounds):
        limit = limit_lateness(world, count, every_s * 1000, seconds)
        ours = agent_lateness(world, count, every_s, seconds)
        for row, (_, share) in zip(rows, shares):
            row.limit.append(percentile(limit, share))
            row.ours.append(percentile(ours, share))
        rows[0].note = f"{len(ours)} runs"
    return rows


def row_lateness_1000(world):
    return lateness_rows(world, "lateness, 1,000 at 10 s", 1000, 10, world.window(20), (5, 25, 100), (0.1, 6.6, 15))


def row_lateness_10000(world):
    return lateness_rows(world, "lateness, 10,000 at 60 s", 10000, 60, world.window(60), (5, 40, 150), (0.1, 3, 43))


def grid_counts(starts, phase, interval, begin, end):
    """For each due instant of [begin, end): how often it ran."""
    first = (begin - phase + interval - 1) // interval
    last = (end - phase - 1) // interval
    counts = collections.Counter((at - phase) // interval for at in starts)
    return [counts[turn] for turn in range(first, last + 1)]


def reload_round(world, count=1000, interval=10_000_000_000):
    path = world.stamp_file()
    command = command_toml([world.program("stamp"), path, "{}"])
    waits = []  # of each reload, asked to answered
    with Agent(world, checks_toml(count, "exec.nagios", "10s", f"command = {command}")) as agent:
        time.sleep(1 + SETTLE_S)
        begin = boottime_ns()
        for number in range(5):
            time.sleep(world.window(5))
            # another check each time, and a change to the one before
            agent.write_config("20-more.toml", "\n".join(
                checks_toml(1, "exec.nagios", "1h", f'command = ["/bin/true", "{number}"]', count + i) for i in range(number + 1)))
            answer, asked, answered = agent.reload()
            if not answer["ok"]:
                raise RuntimeError("the reload was refused: " + str(answer))
            waits.append((asked, answered))
        time.sleep(world.window(5))
        end = boottime_ns()
        time.sleep(1)  # what was due by then has started
        stamps = read_stamps(path)
        phases = {str(n): agent.phase_ns(f"c{n}", interval) for n in range(count)}
    counts = [c for n, phase in phases.items() for c in grid_counts(stamps[n], phase, interval, begin, end)]
    around = []
    for number, starts in stamps.items():
        for at in starts:
            late = (at - phases[number]) % interval
            if any(asked <= at - late <= answered for asked, answered in waits):
                around.append(late / 1e6)
    return {"missed": counts.count(0), "doubled": sum(c - 1 for c in counts if c > 1), "pause": max(around, default=0),
            "answer": max(answered - asked for asked, answered in waits) / 1e6, "turns": len(counts)}


def row_reload(world):
    rounds = [reload_round(world) for _ in range(world.rounds)]
    work = "reload of 1,000 at 10 s"
    turns = f"{rounds[0]['turns']} turns a round"
    return [Row(f"{work}: missed", "runs", [r["missed"] for r in rounds], 0, note=turns),
            Row(f"{work}: doubled", "runs", [r["doubled"] for r in rounds], 0),
            Row(f"{work}: pause", "ms", [r["pause"] for r in rounds], 50,
                note="the latest start of what was due between question and answer; "
                     f"the answer took {max(r['answer'] for r in rounds):.0f} ms")]


def first_stamp_s(path, begin_ns):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        starts = read_stamps(path)
        if starts:
            return (min(min(times) for times in starts.values()) - begin_ns) / 1e9
        time.sleep(0.01)
    raise RuntimeError("no check has run")


def row_start(world):
    row = Row("start to first check executed", "s", [], 0.15)
    for _ in range(max(world.rounds, 5)):
        path, begin = world.stamp_file(), boottime_ns()
        world.limit("spawn", 1, 0, 0.02, world.program("stamp"), path, "{}")
        row.limit.append(first_stamp_s(path, begin))
        path = world.stamp_file()
        command = command_toml([world.program("stamp"), path, "{}"])
        with Agent(world, checks_toml(1, "exec.nagios", "60s", f"command = {command}")) as agent:
            row.ours.append(first_stamp_s(path, agent.started_ns))
    return [row]
