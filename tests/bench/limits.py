# SPDX-License-Identifier: Apache-2.0
"""Limit programs that stay, and the one that takes messages."""
import json
import os
import subprocess

TOLD = """
[notifier.sink]
use = "webhook"
url = "{url}"

[contact.ana]
channels = [{{ notifier = "sink" }}]

[escalation.default.p1]
steps = [{{ from = "0m", notify = ["ana"] }}]
"""


class LimitProcess:
    """A limit program that waits until its standard input closes."""

    def __init__(self, world, *words):
        self.process = subprocess.Popen([world.program(words[0]), *words[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first_line = self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Sink:
    """A local HTTP sink and what it got, with the instants."""

    def __init__(self, world):
        self.file = os.path.join(world.make_dir("sink"), "got")
        self.limit = LimitProcess(world, "sink", self.file)
        self.url = f"http://127.0.0.1:{int(self.limit.first_line)}/"

    def notifier(self):
        """The configuration that sends each P1 to it."""
        return TOLD.format(url=self.url)

    def arrivals(self):
        """When the first message about each check was there, by the check's number (or name, where it is no number)."""
        out = {}
        with open(self.file) as file:
            for line in file:
                at, _, body = line.partition(" ")
                check = json.loads(body)["fields"]["check"]
                out.setdefault(check.removeprefix("c"), int(at))
        return out

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.limit.__exit__(*exception)
