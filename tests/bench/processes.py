# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of a tree of processes: CPU, memory, and the clock that the agent plans by."""
import os
import time

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def boottime_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _stat(pid):
    """Fields of /proc/PID/stat from the state on, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(root):
    """The process and all its descendants, as pids."""
    children = {}
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def tree_cpu_s(root):
    """utime, stime, cutime and cstime of all of them: with the children that they waited for."""
    total = 0
    for pid in tree(root):
        fields = _stat(pid)
        if fields:
            total += sum(int(fields[i]) for i in (11, 12, 13, 14))
    return total * TICK_S


def tree_run_s(root):
    """Time on a processor of all living threads, in finer steps than ticks; what ended meanwhile is not in it."""
    total = 0
    for pid in tree(root):
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except FileNotFoundError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                    total += int(file.read().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return total / 1e9


def tree_wakeups(root):
    """How often threads that live now were put to sleep and woken: what a busy machine does not distort."""
    total = 0
    for pid in tree(root):
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/status") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def pss_bytes(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def tree_pss_bytes(root):
    return sum(pss_bytes(pid) for pid in tree(root))


def wait_quiet(root, share=0.02, limit_s=120):
    """Until the tree uses less than `share` of one processor for a second."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        before = tree_cpu_s(root)
        time.sleep(1)
        if tree_cpu_s(root) - before <= share + TICK_S:
            return True
    return False


def machine():
    """One line each: what the figures were taken on."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/etc/os-release") as file:
        system = dict(line.rstrip().split("=", 1) for line in file if "=" in line)["PRETTY_NAME"].strip('"')
    return {"processor": models[0] if models else "unknown", "cores": os.cpu_count(), "kernel": os.uname().release, "system": system}
