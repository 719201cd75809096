# SPDX-License-Identifier: Apache-2.0
"""Where a bench runs: the built programs, a directory for what they write, and real servers on loopback."""
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

NOBODY = 65534


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class World:
    def __init__(self, build, rounds, scale, keep):
        self.rounds = rounds
        self.scale = scale  # of windows: below 1 for a quick look
        self.keep = keep
        self.dir = tempfile.mkdtemp(prefix="ronda-bench.")
        os.chmod(self.dir, 0o755)
        self.installed = os.path.join(self.dir, "installed")
        self.built = os.path.abspath(build)
        self.install(self.built)
        self.plugins = [os.path.join(self.installed, "plugins"), os.path.join(self.installed, "bench", "plugins")]
        self.servers = []
        self._web_port = self._postgres = None
        self._dirs = 0

    def install(self, build):
        """Copies programs and plugins without their debug information, as a package would."""
        for place in ("bin", "plugins", "bench", "bench/plugins"):
            os.makedirs(os.path.join(self.installed, place), exist_ok=True)
            for name in os.listdir(os.path.join(build, place)):
                path = os.path.join(build, place, name)
                if os.path.isfile(path) and (place != "plugins" or name.endswith(".so")) and not name.endswith((".cmake", ".d")):
                    subprocess.run(["strip", "--strip-unneeded", "-o", os.path.join(self.installed, place, name), path], check=True)

    def program(self, name):
        return os.path.join(self.installed, "bin" if name.startswith("ronda") else "bench", name)

    def window(self, seconds):
        return max(seconds * self.scale, 3)

    def make_dir(self, name):
        self._dirs += 1
        path = os.path.join(self.dir, f"{name}{self._dirs}")
        os.mkdir(path, 0o755)
        return path

    def stamp_file(self):
        """An empty file that every user's child may append to."""
        path = os.path.join(self.make_dir("stamps"), "stamps")
        with open(path, "w"):
            os.chmod(path, 0o666)
        return path

    def limit(self, *words):
        """Runs a limit program to its end: {"runs", "wall_s", "cpu_s"}."""
        command = [self.program(words[0]), *map(str, words[1:])]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)

    # ---- servers -----------------------------------------------------------------------------------

    def _as_nobody(self):
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

    def _own_dir(self, name):
        path = self.make_dir(name)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        return path

    def _serve(self, command, directory, answers):
        with open(os.path.join(directory, "log"), "w") as log:
            server = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_nobody())
        self.servers.append(server)
        end = time.monotonic() + 30
        while not answers():
            if time.monotonic() > end or server.poll() is not None:
                raise RuntimeError(f"{command[0]} does not start; see {directory}")
            time.sleep(0.1)
        return server

    def web_url(self):
        """A page of nginx, started at the first call."""
        if self._web_port is None:
            port = free_port()
            own = self._own_dir("web")
            with open(os.path.join(own, "index.html"), "w") as page:
                page.write("The shop is open.\n")
            bodies = " ".join(f"{kind}_temp_path {own}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            with open(os.path.join(own, "conf"), "w") as conf:
                conf.write(f"daemon off; pid {own}/pid; error_log {own}/error.log; worker_processes 1;\n"
                           "events { worker_connections 1024; }\n"
                           f"http {{ access_log off; root {own}; keepalive_timeout 600s; keepalive_requests 1000000000; {bodies}\n"
                           f"server {{ listen 127.0.0.1:{port}; }} }}\n")

            def answers():
                with socket.socket() as one:
                    return one.connect_ex(("127.0.0.1", port)) == 0

            self._serve(["/usr/sbin/nginx", "-e", f"{own}/error.log", "-c", f"{own}/conf"], own, answers)
            self._web_port = port
        return f"http://127.0.0.1:{self._web_port}/"

    def postgres(self):
        """The pid of a PostgreSQL and how to connect to it, started at the first call."""
        if self._postgres is None:
            programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
            port = free_port()
            own = self._own_dir("pg")
            data = os.path.join(own, "data")
            subprocess.run([f"{programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C.UTF-8"],
                           check=True, cwd="/", stdout=subprocess.DEVNULL, **self._as_nobody())
            command = [f"{programs}/postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c",
                       f"unix_socket_directories={own}", "-c", "fsync=off"]
            ready = [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            server = self._serve(command, own, lambda: subprocess.run(ready, check=False).returncode == 0)
            self._postgres = (server.pid, f"host=127.0.0.1 port={port} user=postgres dbname=postgres")
        return self._postgres

    def close(self):
        for server in reversed(self.servers):
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        if self.keep:
            print(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
