"""How long after `git push` a token is at the service: tests/bench/run.sh [OPTION...], or this file with TOKENSYNC_BUILD.

For each transport: a real repository behind a real server, the real daemon idle beside it, and the stand-in service. One
new manifest is committed and pushed with `git push`, again and again. A push ends for its author when the command ends;
a token is at the service when the stand-in has read the whole CreateToken request, by the same monotonic clock.

  path, https, ssh  the repository's post-receive hook calls `tokensyncd trigger`
  webhook           no hook; a push webhook as GitHub signs it is sent when the command has ended; fetched over https

The yardstick is `git fetch` of the same push into a plain bare clone over the same transport: nothing but fetching, by a
program that is started for it, as ours is. It runs after each push, when the daemon is idle again.

Columns, in milliseconds, as median and p99 (nearest rank):
  git push        the command, with the hook that it waits for
  git fetch       the yardstick
  after its end   from the end of the push command to CreateToken received; below zero: it was there before that
  after its start  from the start of the push command to CreateToken received
  in the pass     from the start of the pass to CreateToken received: fetching in a child process, reading what changed,
                  planning, the durable intent, and the call on its way
  ratio           `after its end` and `in the pass` by `git fetch`, medians

Nothing is asserted about time. Exit status 0: every push was applied, once."""

import argparse
import math
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import forges  # noqa: E402
from git_servers import HttpsServer, PathServer, SshServer  # noqa: E402
from harness import World, wait_until  # noqa: E402

TRANSPORTS = ("path", "https", "ssh", "webhook")


def milliseconds(begin_ns, end_ns):
    return (end_ns - begin_ns) / 1e6


def median_and_p99(values):
    return statistics.median(values), sorted(values)[math.ceil(0.99 * len(values)) - 1]


class Bench(World):
    """One transport in a world of its own."""

    COLUMNS = ("git push", "git fetch", "after its end", "after its start", "in the pass")

    def begin(self, transport):
        self.setUp()
        self.by_webhook = transport == "webhook"
        if transport == "path":
            server = PathServer(self.bare)
        elif transport == "ssh":
            server = SshServer(self.path("ssh"), self.bare)
        else:
            server = HttpsServer(self.path("https"), self.bare)
        self.follow(server)
        if self.by_webhook:
            self.listen_to_webhooks()
        else:
            self.trigger_from_hook()
        self.write_tokens([1])
        head = self.push()
        self.plain = self.path("plain.git")
        options = [part for name, value in server.git_settings.items() for part in ("--config", f"{name}={value}")]
        self.command("git", "clone", "--quiet", "--bare", *options, server.url, self.plain)
        # Nothing tidies up in the middle of a measurement.
        for repository in (self.bare, self.clone, self.plain):
            self.command("git", "config", "gc.auto", "0", cwd=repository)
        self.start_daemon()
        self.await_control()
        self.await_idle(head)
        self.times = {name: [] for name in self.COLUMNS}

    def await_idle(self, head):
        wait_until(lambda: head in self.select("SELECT head_applied, 0 FROM runner"), "the push is applied")
        wait_until(lambda: not self.status()["daemon"]["passing"], "the daemon is idle")

    def push_one(self, number):
        self.write_tokens([number])
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Bring {number}")
        head = self.git("rev-parse", "HEAD").strip()
        delivery = forges.github(self.webhook_secret, "acme/tokens", "refs/heads/main", head) if self.by_webhook else None

        begin = time.monotonic_ns()
        self.git("push", "--quiet", "origin", "main")
        end = time.monotonic_ns()
        if delivery:
            self.assertEqual(forges.send(self.webhook_address, delivery)[0], 202)
        self.await_idle(head)

        fetching = time.monotonic_ns()
        self.command("git", "fetch", "--quiet", "origin", "main", cwd=self.plain)
        fetched = time.monotonic_ns()
        self.assertEqual(self.command("git", "rev-parse", "FETCH_HEAD", cwd=self.plain).strip(), head)

        [received] = [r["arrived_ns"] for r in self.ask_service("/standin/requests")
                      if r["path"].endswith("/CreateToken") and r["key"].endswith(f"/{number}")]
        wall_ahead = time.time_ns() - time.monotonic_ns()
        [(pass_ms, _)] = self.select("SELECT max(started_ms), 0 FROM pass WHERE created > 0").items()
        for name, value in zip(self.COLUMNS, (
                milliseconds(begin, end), milliseconds(fetching, fetched), milliseconds(end, received),
                milliseconds(begin, received), milliseconds(pass_ms * 1_000_000 - wall_ahead, received))):
            self.times[name].append(value)

    def finish(self):
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_converged(range(1, len(self.times["git push"]) + 2))
        self.doCleanups()


def header():
    line = f"{'':8}" + "".join(f"{name:>18}" for name in Bench.COLUMNS) + f"{'ratio':>14}"
    return line + f"\n{'':8}" + f"{'median':>10}{'p99':>8}" * len(Bench.COLUMNS) + f"{'end':>7}{'pass':>7}"


def row(transport, times):
    parts = [median_and_p99(times[name]) for name in Bench.COLUMNS]
    fetch = parts[1][0]
    ratios = (parts[2][0] / fetch, parts[4][0] / fetch)
    return f"{transport:8}" + "".join(f"{m:10.1f}{p:8.1f}" for m, p in parts) + "".join(f"{r:7.2f}" for r in ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=100, help="for each transport (default 100)")
    parser.add_argument("--transports", default=",".join(TRANSPORTS), help="default: all of them")
    arguments = parser.parse_args()
    print(f"{arguments.pushes} pushes of one new manifest for each transport; milliseconds")
    print(header(), flush=True)
    for transport in arguments.transports.split(","):
        bench = Bench()
        try:
            bench.begin(transport)
            for number in range(2, arguments.pushes + 2):
                bench.push_one(number)
            bench.finish()
        finally:
            bench.doCleanups()
        print(row(transport, bench.times), flush=True)


if __name__ == "__main__":
    main()
