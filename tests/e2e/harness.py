"""A small world for tests of the whole program: a bare repository and a clone of it, the stand-in service, a
configuration, and the real tokensyncd. Everything lives in one temporary folder and ends with the test."""

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.request

# All servers are on loopback.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
BUILD = os.environ["TOKENSYNC_BUILD"]
E2E = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(E2E))
PROGRAM = os.path.join(BUILD, "tokensyncd")
STANDIN = os.path.join(BUILD, "standin-metadata")
DEADLINE = 120.0


def wait_until(condition, what, deadline=DEADLINE):
    """Waits until condition() is true and gives its value; fails after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:.0f} s: {what}")
        time.sleep(0.01)


class Process:
    """A program with its output in files."""

    def __init__(self, arguments, folder, name, env=None, **options):
        self.stdout_path = os.path.join(folder, name + ".out")
        self.stderr_path = os.path.join(folder, name + ".err")
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "ab") as err:
            self.popen = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, **options)

    def stdout(self):
        with open(self.stdout_path, encoding="utf-8") as file:
            return file.read()

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8") as file:
            return file.read()

    def running(self):
        return self.popen.poll() is None

    def stop(self, number=signal.SIGTERM, deadline=DEADLINE):
        if self.running():
            self.popen.send_signal(number)
        return self.popen.wait(deadline)

    def kill(self):
        if self.running():
            self.popen.kill()
        self.popen.wait(DEADLINE)


class World(unittest.TestCase):
    """Base of the tests: `setUp` makes repository, service and configuration; nothing is started but the service."""

    PROJECT = 1
    COLLECTION = 7

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tokensync-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.bearer = secrets.token_urlsafe(48)
        self.token_file = self.path("bearer")
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write(self.bearer + "\n")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "JOURNAL", "NOTIFY", "CREDENTIALS"))}
        self.env.update(
            HOME=self.folder, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1",
            GIT_AUTHOR_NAME="Ada Example", GIT_AUTHOR_EMAIL="ada@example.com",
            GIT_COMMITTER_NAME="Ada Example", GIT_COMMITTER_EMAIL="ada@example.com")
        self.bare = self.path("tokens.git")
        self.clone = self.path("clone")
        self.command("git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare)
        self.command("git", "init", "--quiet", "--initial-branch=main", self.clone)
        self.git("remote", "add", "origin", self.bare)
        self.service = self.start_service()
        self.settings = {
            "source": {"url": self.bare, "poll_interval": "1h"},
            "api": {"endpoint": self.url, "token_file": self.token_file, "timeout": "2s", "requests_per_minute": 0},
            "ledger": {"path": self.path("state/ledger.db")},
            "log": {"format": "text"},
            "control": {"socket": self.path("control.sock")},
        }
        os.mkdir(self.path("state"))
        self.write_config()

    # ---- files and git

    def path(self, name):
        return os.path.join(self.folder, name)

    def command(self, *arguments, **options):
        return subprocess.run(arguments, check=True, env=self.env, capture_output=True, text=True, **options).stdout

    def git(self, *arguments):
        return self.command("git", *arguments, cwd=self.clone)

    def write(self, name, text):
        target = os.path.join(self.clone, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)

    def manifest(self, token_id, **fields):
        token = {"tokenId": str(token_id), "name": f"Token {token_id}", **fields}
        return json.dumps({"projectId": self.PROJECT, "collectionId": self.COLLECTION, "private": False, "token": token},
                          indent=2)

    def write_tokens(self, numbers, **fields):
        for number in numbers:
            self.write(f"tokens/{number // 100}/{number}.yaml", self.manifest(number, **fields))

    def push(self, subject="Change tokens"):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD").strip()

    def follow(self, server):
        """Pushes and fetches go by this server (see git_servers.py) from now on."""
        self.addCleanup(server.close)
        self.git("remote", "set-url", "origin", server.url)
        for name, value in server.git_settings.items():
            self.git("config", name, value)
        self.settings["source"].update(server.source)
        self.write_config()
        return server

    def trigger_from_hook(self, *arguments):
        """The repository's post-receive hook calls `trigger`."""
        hook = os.path.join(self.bare, "hooks/post-receive")
        with open(hook, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec '{PROGRAM}' --config '{self.config}' trigger {' '.join(arguments)}\n")
        os.chmod(hook, 0o755)

    def listen_to_webhooks(self, **webhook):
        """Webhooks of acme/tokens, signed with `webhook_secret`, are taken at `webhook_address`."""
        self.webhook_secret = secrets.token_hex(32)
        self.webhook_secret_file = self.path("webhook-secret")
        with open(self.webhook_secret_file, "w", encoding="utf-8") as file:
            file.write(self.webhook_secret + "\n")
        self.settings["http"] = {"listen": "127.0.0.1:0"}
        self.settings["webhook"] = {"secret_file": self.webhook_secret_file, "repository": "acme/tokens",
                                    "requests_per_minute": 100_000, **webhook}
        self.write_config()

    @property
    def webhook_address(self):
        """HOST:PORT where the daemon that was started last listens."""
        wait_until(lambda: "the HTTP server listens" in self.daemon.stderr() or not self.daemon.running(),
                   "the daemon listens")
        self.assertTrue(self.daemon.running(), self.daemon.stderr())
        return re.findall(r"the HTTP server listens.* address=\"?([^\s\"]+)", self.daemon.stderr())[-1]

    # ---- configuration

    def write_config(self):
        self.config = self.path("tokensyncd.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(self.settings, file, indent=2)

    # ---- the service

    def start_service(self, *arguments):
        process = Process([STANDIN, "--token-file", self.token_file, *arguments], self.folder, "service")
        self.addCleanup(process.kill)
        wait_until(lambda: "\n" in process.stdout() or not process.running(), "the service listens")
        self.assertTrue(process.running(), process.stderr())
        self.url = process.stdout().split()[-1]
        return process

    def ask_service(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.url + path, data=data, timeout=30) as reply:
            return json.load(reply)

    def faults(self, **settings):
        self.ask_service("/standin/faults", settings)

    def service_state(self):
        return self.ask_service("/standin/state")

    def creates(self):
        return self.service_state()["calls"].get("CreateToken", 0)

    def held(self):
        """The tokens that the service holds, by tokenId."""
        return {t["token"]["tokenId"]: t for t in self.ask_service("/standin/tokens")}

    # ---- the program

    def run_program(self, *arguments, expect=None, env=None, **options):
        done = subprocess.run([PROGRAM, "--config", self.config, *arguments], env={**self.env, **(env or {})},
                              capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL, check=False,
                              **options)
        if expect is not None:
            self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def sync(self, expect=0):
        return self.run_program("sync", expect=expect)

    def shim(self):
        """The environment that puts shim.c ahead of the C library."""
        library = self.path("shim.so")
        if not os.path.exists(library):
            self.command("cc", "-O2", "-shared", "-fPIC", "-o", library, os.path.join(E2E, "shim.c"), "-ldl")
        return {"LD_PRELOAD": library}

    def start_daemon(self, env=None, **options):
        daemon = Process([PROGRAM, "--config", self.config, "run"], self.folder, "daemon", env={**self.env, **(env or {})},
                         **options)
        self.addCleanup(daemon.kill)
        self.daemon = daemon
        return daemon

    def await_control(self):
        wait_until(lambda: self.run_program("trigger").returncode == 0, "the daemon takes triggers")

    def status(self):
        return json.loads(self.run_program("status", "--json", expect=0).stdout)

    def history(self, *arguments):
        done = self.run_program("history", "--json", *arguments, expect=0)
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextlib.contextmanager
    def ledger(self):
        connection = sqlite3.connect(f"file:{self.settings['ledger']['path']}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()

    def select(self, query):
        """Rows of the ledger as pairs; none while there is no ledger yet."""
        try:
            with self.ledger() as ledger:
                return dict(ledger.execute(query))
        except sqlite3.OperationalError:
            return {}

    def states(self):
        return self.select("SELECT state, count(*) FROM entry GROUP BY state")

    def entry_states(self):
        """The state of each entry, by tokenId."""
        return self.select("SELECT token_id, state FROM entry")

    def trigger_is_complete(self):
        return self.run_program("trigger", "--wait").returncode == 0

    def assert_nothing_twice(self):
        self.assertEqual(self.service_state()["duplicates"], [])

    def assert_converged(self, numbers):
        """With all faults off: every declared token is at the service, once, as git has it, and the ledger says so."""
        wait_until(lambda: self.service_state()["late_pending"] == 0, "late requests are applied")
        self.assert_nothing_twice()
        held = self.held()
        self.assertEqual({n: t["token"]["name"] for n, t in held.items()}, {str(n): f"Token {n}" for n in numbers})
        self.assertEqual(self.service_state()["creates_applied"], len(held))
        self.assertEqual(self.states(), {"confirmed": len(held)})
        self.run_program("audit", expect=0)


class UncheckedWorld(World):
    """The service refuses no second create of a token, so that one that should not be is seen and counted."""

    def start_service(self, *arguments):
        process = super().start_service(*arguments)
        self.faults(existing="overwrite")
        return process

    def reset_service(self):
        self.ask_service("/standin/reset", {})
        self.faults(existing="overwrite")
