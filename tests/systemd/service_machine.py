"""A machine with the package installed, the stand-in service, and a bare repository that a git user owns, for tests of
the units."""

import base64
import json
import os
import secrets
import subprocess
import time
import unittest

from machine import Machine, wait_until

BUILD = os.environ["TOKENSYNC_BUILD"]
HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = "/etc/tokensyncd/tokensyncd.yaml"
CONTROL = "/run/tokensyncd/control.sock"
LEDGER = "/var/lib/tokensyncd/ledger.db"
CREDENTIALS = "/etc/tokensyncd/credentials"
PORT = 18080
PROJECT = 1
UNIT = "tokensyncd.service"
GIT_ENV = {"HOME": "/home/git", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada Example",
           "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada Example",
           "GIT_COMMITTER_EMAIL": "ada@example.com"}


def package(version):
    """The package of that version, as package_test.sh has built it."""
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    return os.path.join(BUILD, "packages", f"tokensyncd_{version}_{done.stdout.strip()}.deb")


def bearer():
    """A token of the shape that a service token has."""
    def part(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    claims = json.dumps({"project": PROJECT}).encode()
    return ".".join((part(b'{"alg":"HS256"}'), part(claims), part(secrets.token_bytes(32))))


class Repository:
    """A bare repository that the git user owns, and a clone of it."""

    def __init__(self, machine, bare, branch="main"):
        self.machine = machine
        self.bare = bare
        self.clone = f"/home/git/{bare.strip('/').replace('/', '-')}-clone"
        self.machine.run("install", "-d", "-o", "git", "-g", "git", bare)
        self.git("init", "--quiet", "--bare", f"--initial-branch={branch}", bare, folder="/")
        self.git("init", "--quiet", f"--initial-branch={branch}", self.clone, folder="/")
        self.git("remote", "add", "origin", bare)

    def git(self, *arguments, folder=None, **options):
        return self.machine.run("git", *arguments, user="git", folder=folder or self.clone, env=GIT_ENV, **options)

    def write(self, token_id, collection=7):
        text = json.dumps({"projectId": PROJECT, "collectionId": collection, "private": False,
                           "token": {"tokenId": str(token_id), "name": f"Token {token_id}"}})
        self.machine.run("tee", f"{self.clone}/{token_id}.yaml", user="git", text=text + "\n")

    def push(self, *token_ids, branch="main", **options):
        """Pushes manifests of tokens; gives what the pusher was told."""
        for token_id in token_ids:
            self.write(token_id, **options)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change tokens")
        return self.git("push", "--quiet", "origin", f"HEAD:{branch}", deadline=60).stderr

    def install_hook(self, **settings):
        self.machine.run("install", "-o", "git", "-g", "git", "-m", "0755",
                         "/usr/share/doc/tokensyncd/examples/post-receive", f"{self.bare}/hooks/post-receive")
        for key, value in settings.items():
            self.git("config", f"tokensyncd.{key}", value, folder=self.bare)


class ServiceMachine(unittest.TestCase):
    """Base of the tests: one machine for a class. Each test finds the unit without drop-ins, stopped, with an empty
    ledger, a new repository and a working configuration."""

    VERSION = "0.1.0-1"
    machine = None

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.stop)
        cls.machine.package("--install", cls.place(package(cls.VERSION)))
        cls.machine.copy(os.path.join(BUILD, "standin-metadata"), "/usr/local/bin/standin-metadata", 0o755)
        cls.machine.run("useradd", "--create-home", "--shell", "/bin/sh", "--groups", "tokensyncd", "git")
        cls.machine.run("useradd", "--create-home", "--shell", "/bin/sh", "stranger")
        cls.secret = bearer()
        cls.machine.write("/var/lib/standin/bearer", cls.secret + "\n", 0o600)
        cls.machine.run("systemd-run", "--quiet", "--unit=standin", "/usr/local/bin/standin-metadata", f"--port={PORT}",
                        "--token-file=/var/lib/standin/bearer", "--stay", "--lifetime=900")
        wait_until(lambda: cls.machine.run("curl", "--silent", "--fail", f"http://127.0.0.1:{PORT}/standin/state",
                                           expect=None).returncode == 0, "the stand-in service answers")

    @classmethod
    def place(cls, file):
        """Puts a file of the build into the machine; gives its name there."""
        name = f"/var/cache/{os.path.basename(file)}"
        cls.machine.copy(file, name)
        return name

    def setUp(self):
        self.stop_all()
        self.began = time.time()
        self.machine.run("sh", "-c", "rm -rf /etc/systemd/system/tokensyncd* /var/lib/tokensyncd/* /srv/git /home/git/*"
                                     " /etc/tokensyncd/*.jwt /etc/tokensyncd/*/* && systemctl daemon-reload")
        self.ask("/standin/reset", {})
        self.repository = Repository(self.machine, "/srv/git/tokens.git")
        self.configure()
        self.put_secret("sequence.jwt", self.secret)

    def tearDown(self):
        outcome = self._outcome.result
        if any(test is self for test, _ in outcome.failures + outcome.errors):
            print(self.machine.output("journalctl", "--no-pager", "--lines=60", "--unit=tokensyncd*", expect=None))

    def stop_all(self):
        self.machine.run("systemctl", "stop", "tokensyncd.socket", "tokensyncd-http.socket", "tokensyncd@*.socket")
        self.machine.run("systemctl", "stop", UNIT, "tokensyncd@*.service", deadline=60)
        self.machine.run("systemctl", "reset-failed")

    # ---- what the service is given

    def configure(self, name="", **sections):
        """Writes the configuration of the service, or of the instance of that name."""
        below = f"/{name}" if name else ""
        settings = {
            "source": {"url": self.repository.bare, "poll_interval": "1h"},
            "api": {"endpoint": f"http://127.0.0.1:{PORT}", "token_file": "sequence.jwt", "requests_per_minute": 0},
            "ledger": {"path": f"/var/lib/tokensyncd{below}/ledger.db"},
            "control": {"socket": f"/run/tokensyncd{below}/control.sock"},
        }
        for section, values in sections.items():
            settings.setdefault(section, {}).update(values)
        self.machine.write(f"/etc/tokensyncd{below}/tokensyncd.yaml", json.dumps(settings, indent=2) + "\n")

    def put_secret(self, name, text, folder=CREDENTIALS):
        self.machine.run("install", "-d", "-m", "0700", folder)
        self.machine.run("install", "-m", "0600", "/dev/stdin", f"{folder}/{name}", text=text + "\n")

    def drop_in(self, text, unit=UNIT, section="Service"):
        self.machine.write(f"/etc/systemd/system/{unit}.d/test.conf", f"[{section}]\n{text}\n")
        self.machine.run("systemctl", "daemon-reload")

    # ---- what it does

    def start(self, unit=UNIT):
        self.machine.run("systemctl", "start", unit, deadline=60)

    def start_and_settle(self):
        """Starts the service, and awaits the end of its first pass."""
        self.start()
        self.machine.run("tokensyncd", "trigger", "--wait", expect=None)

    def active(self, unit=UNIT):
        return self.machine.property(unit, "ActiveState")

    def pid(self, unit=UNIT):
        return int(self.machine.property(unit, "MainPID"))

    def ask(self, path, body=None):
        data = [] if body is None else ["--data", json.dumps(body)]
        return json.loads(self.machine.output("curl", "--silent", "--show-error", "--fail", *data,
                                              f"http://127.0.0.1:{PORT}{path}") or "{}")

    def held(self):
        """The numbers of the tokens that the stand-in service holds."""
        return sorted(int(token["token"]["tokenId"]) for token in self.ask("/standin/tokens"))

    def await_held(self, *token_ids):
        wait_until(lambda: self.held() == sorted(token_ids), f"the service holds {token_ids}, not {self.held()}")
