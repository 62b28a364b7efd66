"""From a push to a token, by what wakes the daemon: the hook of a repository, webhooks of each forge, signals; a daemon that
is started again behind its sockets; and requests that mean harm."""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import ssl
import unittest

import forges
from git_servers import HttpsServer
from harness import PROGRAM, SOURCE, Process, World, wait_until

MAIN = "refs/heads/main"


class Push(World):
    def push_tokens(self, *numbers):
        self.write_tokens(numbers)
        return self.push()

    def await_tokens(self, *numbers):
        wait_until(lambda: set(self.held()) == {str(n) for n in numbers}, f"the service holds {numbers}")

    def passes(self):
        """How many have ended, by the log; those without a change are told of at its level debug only."""
        return len(re.findall(r" (?:debug +nothing new|(?:info|warning) +pass ended)", self.daemon.stderr()))

    def passes_with_one_more(self):
        """After one of our own: whatever was asked for before that has ended too."""
        self.run_program("trigger", "--wait", expect=0)
        return self.passes()

    def start_listening(self):
        self.settings["log"]["level"] = "debug"
        self.write_config()
        self.start_daemon()
        self.await_control()
        self.passes_with_one_more()
        return self.webhook_address


class Hook(Push):
    def test_the_hook_that_comes_with_it_tells_the_one_who_pushes_what_the_pass_did(self):
        shutil.copy(os.path.join(SOURCE, "systemd/examples/post-receive"), os.path.join(self.bare, "hooks"))
        for name, value in (("program", PROGRAM), ("config", self.config), ("branch", "main"), ("wait", "true")):
            self.command("git", "config", f"tokensyncd.{name}", value, cwd=self.bare)
        self.start_daemon()
        self.await_control()
        # Whatever was asked for so far has ended: in an empty repository it cannot succeed.
        self.run_program("trigger", "--wait", expect=75)

        def push_telling(number, branch):
            self.write_tokens([number])
            self.git("add", "--all")
            self.git("commit", "--quiet", "--message", f"Bring {number}")
            return self.command("sh", "-c", f"git push --quiet origin main:{branch} 2>&1", cwd=self.clone)

        self.assertRegex(push_telling(1, "main"), r"remote: Pass \d+ at [0-9a-f]+: 1 created; 1 in sync")
        self.assertEqual(push_telling(2, "other"), "")
        self.assertEqual(set(self.held()), {"1"})
        self.assertEqual(self.daemon.stop(), 0)
        self.assertIn("not reached", push_telling(3, "main"))


class Listening(Push):
    def setUp(self):
        super().setUp()
        self.listen_to_webhooks()

    def deliver(self, forge, commit="1" * 40, repository="acme/tokens", ref=MAIN, secret=None, **options):
        return forges.send(self.webhook_address, forge(secret or self.webhook_secret, repository, ref, commit, **options))


class Webhook(Listening):
    def test_a_push_at_each_forge_is_applied_and_a_replay_does_no_harm(self):
        self.push_tokens(0)
        self.start_listening()
        for number, forge in enumerate(forges.FORGES, start=1):
            commit = self.push_tokens(number)
            for _ in range(2):
                status, told = self.deliver(forge, commit)
                self.assertEqual(status, 202, f"{forge.__name__}: {told}")
            self.await_tokens(*range(number + 1))
        self.assert_nothing_twice()
        self.assertEqual(self.daemon.stop(), 0)

    def test_what_is_not_a_push_to_what_is_followed_starts_nothing(self):
        self.push_tokens(1)
        self.start_listening()
        before = self.passes()
        good = {"github ping": lambda: self.deliver(forges.github, event="ping")}
        for forge in forges.FORGES:
            good[f"{forge.__name__}: other branch"] = lambda f=forge: self.deliver(f, ref="refs/heads/other")
            good[f"{forge.__name__}: other repository"] = lambda f=forge: self.deliver(f, repository="acme/other")
        for what, send in good.items():
            status, told = send()
            self.assertEqual(status, 200, f"{what}: {told}")
        for forge in forges.FORGES:
            status, told = self.deliver(forge, secret="x" + self.webhook_secret[1:])
            self.assertEqual(status, 401, f"{forge.__name__}: {told}")
            self.assertNotIn(self.webhook_secret, told)
            delivery = forge(self.webhook_secret, "acme/tokens", MAIN, "1" * 40)
            delivery.headers = {k: v for k, v in delivery.headers.items() if "Signature" not in k and "Token" not in k}
            self.assertEqual(forges.send(self.webhook_address, delivery)[0], 401, forge.__name__)
        self.assertEqual(self.passes_with_one_more(), before + 1)
        self.assertNotIn(self.webhook_secret, self.daemon.stderr())
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_webhook_ahead_of_its_commit_is_followed_up(self):
        self.push_tokens(1)
        self.start_listening()
        self.write_tokens([2])
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Bring 2")
        before = self.passes()
        self.assertEqual(self.deliver(forges.github, self.git("rev-parse", "HEAD").strip())[0], 202)
        wait_until(lambda: self.passes() > before, "a pass looks in vain")
        self.git("push", "--quiet", "origin", "main")
        # The next poll is an hour away.
        self.await_tokens(1, 2)

    def test_a_secret_is_replaced_without_a_gap(self):
        former = self.webhook_secret
        self.listen_to_webhooks(previous_secret_file=self.path("previous-secret"))
        with open(self.path("previous-secret"), "w", encoding="utf-8") as file:
            file.write(former + "\n")
        self.push_tokens(1)
        self.start_listening()
        for secret in (former, self.webhook_secret):
            self.assertEqual(self.deliver(forges.gitea, secret=secret)[0], 202)
        del self.settings["webhook"]["previous_secret_file"]
        self.write_config()
        self.daemon.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: self.deliver(forges.gitea, secret=former)[0] == 401, "the former secret is not taken any more")
        self.assertEqual(self.deliver(forges.gitea)[0], 202)

    def test_tls_of_its_own(self):
        server = self.follow(HttpsServer(self.path("https"), self.bare))
        self.settings["http"].update(certificate_file=self.path("https/server.pem"), key_file=self.path("https/server.key"))
        self.write_config()
        self.push_tokens(1)
        address = self.start_listening().replace("127.0.0.1", "localhost")
        context = ssl.create_default_context(cafile=server.ca_file)
        commit = self.push_tokens(2)
        delivery = forges.github(self.webhook_secret, "acme/tokens", MAIN, commit)
        self.assertEqual(forges.send(address, delivery, context)[0], 202)
        self.await_tokens(1, 2)


class Hostile(Listening):
    REQUESTS = 10_000
    MEBIBYTES_MAX = 16

    def mutants(self, chance):
        """Requests without end, each wrong in its own way."""
        def raw(path, headers, body, length=None):
            lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body) if length is None else length}"]
            return "\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode("latin-1") + body

        def junk(size):
            return bytes(chance.choices(range(256), k=size))

        def cut(delivery):
            body = delivery.body[:chance.randrange(len(delivery.body))]
            return raw(delivery.path, delivery.headers, body)

        def turned(delivery):
            if delivery.path.endswith("gitlab"):  # its token does not depend on the body
                return cut(delivery)
            body = bytearray(delivery.body)
            for place in chance.sample(range(len(body)), chance.randrange(1, 4)):
                body[place] ^= 1 << chance.randrange(8)
            return raw(delivery.path, delivery.headers, bytes(body))

        def signed_junk(forge, body):
            if forge is forges.generic:  # there, nothing at all means: look
                body += b","
            good = forge(self.webhook_secret, "acme/tokens", MAIN, "1" * 40)
            signature = forges.signed(self.webhook_secret, body)
            headers = {k: ("sha256=" if v.startswith("sha256=") else "") + signature if "Signature" in k else v
                       for k, v in good.headers.items()}
            return raw(good.path, headers, body)

        bodies = (b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b'{"ref":1}', b'{"ref":null,"after":[]}', b"[" * 3000,
                  b'{"a":' * 3000, b'{"ref":"refs/heads/main","ref":"x"}', b'{"repository":"x","project":[]}',
                  b'{"push":{"changes":{}}}', b'{"push":{"changes":[null,1,{"new":[]}]}}', b'{"ref":"\\ud800"}', b'1e99999')
        while True:
            forge = chance.choice(forges.FORGES)
            delivery = forge(self.webhook_secret, "acme/tokens", MAIN, "1" * 40)
            yield chance.choice((
                lambda: cut(delivery),
                lambda: turned(delivery),
                lambda: signed_junk(forge, chance.choice(bodies)),
                lambda: signed_junk(forge, junk(chance.randrange(200))),
                lambda: raw(delivery.path, {k: v[:-1] + "x" for k, v in delivery.headers.items()}, delivery.body),
                lambda: raw("/" + "webhook/" * chance.randrange(1000), {}, b"{}"),
                lambda: raw(delivery.path, {"X" * chance.randrange(1, 20000): "y"}, b"{}"),
                lambda: raw(delivery.path, {f"X-{i}": "y" for i in range(chance.randrange(500))}, b"{}"),
                lambda: raw(delivery.path, delivery.headers, delivery.body, length=chance.choice((-1, 1 << 40, "x", 7))),
                lambda: raw(delivery.path, {"Transfer-Encoding": "chunked"}, b"fffffffffffffff\r\n" + junk(50)),
                lambda: raw(delivery.path, {"Expect": "100-continue", **delivery.headers}, b""),
                lambda: delivery.path.encode() + b" \r\n\r\n",
                lambda: junk(chance.randrange(1, 300)) + b"\r\n\r\n",
            ))()

    def memory(self):
        with open(f"/proc/{self.daemon.popen.pid}/status", encoding="utf-8") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1]) / 1024

    def test_many_hostile_requests_start_nothing_and_cost_nothing(self):
        seed = int(os.environ.get("TOKENSYNC_SEED", random.SystemRandom().randrange(1 << 32)))
        mutants = self.mutants(random.Random(seed))
        self.push_tokens(1)
        host, port = self.start_listening().rsplit(":", 1)
        passes = self.passes()
        answers = {}
        memory = None
        for number in range(self.REQUESTS):
            with socket.create_connection((host, int(port)), timeout=60) as peer:
                try:
                    peer.sendall(next(mutants))
                    peer.shutdown(socket.SHUT_WR)
                    answer = peer.recv(4096).split(b"\r\n")[0]
                except (ConnectionResetError, BrokenPipeError):
                    answer = b"reset"
            words = answer.split()
            status = int(words[1]) if answer.startswith(b"HTTP/1.") else 0
            answers[status] = answers.get(status, 0) + 1
            self.assertTrue(status == 0 or 200 <= status < 500, f"{answer}; TOKENSYNC_SEED={seed}")
            if number == self.REQUESTS // 10:
                memory = self.memory()
        self.assertTrue(self.daemon.running())
        self.assertNotIn(202, answers, f"{answers}; TOKENSYNC_SEED={seed}")
        self.assertLess(answers.get(0, 0), self.REQUESTS // 4, f"silence is no answer: {answers}; TOKENSYNC_SEED={seed}")
        self.assertTrue({400, 401} <= answers.keys(), f"{answers}; TOKENSYNC_SEED={seed}")
        self.assertEqual(self.passes_with_one_more(), passes + 1, f"TOKENSYNC_SEED={seed}")
        grown = self.memory() - memory
        self.assertLess(grown, self.MEBIBYTES_MAX)
        self.assertEqual(self.deliver(forges.github, self.push_tokens(2))[0], 202)
        self.await_tokens(1, 2)
        self.assertEqual(self.daemon.stop(), 0)
        print(f"hostile webhooks: {self.REQUESTS} requests, answered {dict(sorted(answers.items()))}; passes 0, "
              f"memory grown by {grown:.1f} MiB (TOKENSYNC_SEED={seed})")


class Reload(Push):
    def test_sighup_reads_the_configuration_again_and_keeps_the_old_one_where_the_new_is_bad(self):
        self.push_tokens(1)
        self.git("push", "--quiet", "origin", "main:release")
        self.push_tokens(2)
        self.settings["source"]["branch"] = "release"
        self.write_config()
        daemon = self.start_daemon()
        self.await_control()
        self.await_tokens(1)
        good = self.settings["source"].pop("branch")
        self.settings["source"]["brunch"] = "main"
        self.write_config()
        daemon.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "brunch" in daemon.stderr(), "the bad configuration is told of")
        self.write_tokens([3])
        self.push()
        self.git("push", "--quiet", "origin", "HEAD~1:release")
        del self.settings["source"]["brunch"]
        self.settings["source"]["branch"] = good
        self.write_config()
        self.run_program("trigger", "--wait", expect=0)
        self.await_tokens(1, 2)
        self.settings["source"]["branch"] = "main"
        self.write_config()
        daemon.popen.send_signal(signal.SIGHUP)
        self.await_tokens(1, 2, 3)
        self.assertEqual(daemon.stop(), 0)

    def test_a_reload_without_the_token_file_goes_on_with_the_token_that_was_read_before(self):
        self.push_tokens(1)
        daemon = self.start_daemon()
        self.await_control()
        self.await_tokens(1)
        self.settings["source"]["poll_interval"] = "2h"
        self.write_config()
        os.rename(self.token_file, self.token_file + ".away")
        daemon.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "as it was" in daemon.stderr(), "the missing file is told of")
        self.push_tokens(2)
        self.run_program("trigger", "--wait", expect=0)
        self.await_tokens(1, 2)
        os.rename(self.token_file + ".away", self.token_file)
        daemon.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "read again" in daemon.stderr(), "the configuration is read again")
        self.assertEqual(daemon.stop(), 0)

    def test_a_stop_does_not_wait_for_a_fetch_that_hangs(self):
        self.push_tokens(1)
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.settings["source"]["url"] = f"http://127.0.0.1:{server.getsockname()[1]}/tokens.git"
        self.write_config()
        daemon = self.start_daemon()
        peer, _ = server.accept()
        self.addCleanup(peer.close)
        self.assertEqual(daemon.stop(deadline=60), 0)  # source.timeout is two minutes

    def test_a_pass_in_flight_goes_on_through_a_reload(self):
        self.faults(latency_ms=300)
        self.settings["api"]["concurrency"] = 4
        self.write_config()
        self.push_tokens(*range(1, 41))
        daemon = self.start_daemon()
        wait_until(lambda: self.service_state()["calls_in_flight"] >= 4, "calls are in flight")
        daemon.popen.send_signal(signal.SIGHUP)
        self.await_tokens(*range(1, 41))
        self.assertEqual(self.service_state()["answers"], {"200": self.creates() + 1})
        self.assert_nothing_twice()
        self.run_program("trigger", "--wait", expect=0)
        self.assertEqual(daemon.stop(), 0)


class Activated(Push):
    """The sockets are somebody else's, as systemd's are: what comes while no daemon runs waits for the next one."""

    def setUp(self):
        super().setUp()
        self.listen_to_webhooks()
        self.control = socket.socket(socket.AF_UNIX)
        self.control.bind(self.settings["control"]["socket"])
        self.http = socket.create_server(("127.0.0.1", 0))
        for listening in (self.control, self.http):
            self.addCleanup(listening.close)
            listening.listen(64)
        self.settings["http"]["listen"] = ""
        self.write_config()

    def start_activated(self):
        script = 'exec 3<&"$1" 4<&"$2"; shift 2; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=control:http exec "$@"'
        # Above the numbers that they get in the end.
        numbers = [os.dup2(listening.fileno(), number) for listening, number in ((self.control, 21), (self.http, 22))]
        self.daemon = Process(["bash", "-c", script, "bash", *map(str, numbers), PROGRAM, "--config", self.config, "run"],
                              self.folder, "daemon", env=self.env, pass_fds=numbers)
        for number in numbers:
            os.close(number)
        self.addCleanup(self.daemon.kill)
        return self.daemon

    def test_a_daemon_that_is_started_again_answers_what_came_meanwhile(self):
        address = f"127.0.0.1:{self.http.getsockname()[1]}"
        self.push_tokens(1)
        self.start_activated()
        self.await_control()
        self.await_tokens(1)
        commit = self.push_tokens(2)
        self.assertEqual(forges.send(address, forges.github(self.webhook_secret, "acme/tokens", MAIN, commit))[0], 202)
        self.await_tokens(1, 2)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertTrue(os.path.exists(self.settings["control"]["socket"]), "the socket is not the daemon's to remove")

        self.push_tokens(3)
        waiting = Process([PROGRAM, "--config", self.config, "trigger", "--wait"], self.folder, "trigger", env=self.env)
        self.addCleanup(waiting.kill)
        self.start_activated()
        self.assertEqual(waiting.popen.wait(60), 0, waiting.stderr())
        self.assertIn("1 created", waiting.stdout())
        self.await_tokens(1, 2, 3)
        self.assertEqual(self.daemon.stop(), 0)


@unittest.skipIf(os.geteuid() != 0, "SKIPPED: the program lets itself be traced by root only")
class Stalled(Push):
    """The loop's thread alone is held, as a debugger does it: the other threads go on."""

    PTRACE_CONT_AND_LEAVE, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
    WAIT_FOR_ANY_THREAD = 0x40000000

    def ptrace(self, request):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.assertEqual(libc.ptrace(request, self.daemon.popen.pid, None, None), 0, os.strerror(ctypes.get_errno()))

    def stalled(self):
        return self.status()["daemon"].get("stalled", False)

    def test_status_tells_of_a_loop_that_does_not_beat(self):
        self.push_tokens(1)
        daemon = self.start_daemon()
        self.await_control()
        self.await_tokens(1)
        self.assertFalse(self.stalled())
        self.ptrace(self.PTRACE_SEIZE)
        self.ptrace(self.PTRACE_INTERRUPT)
        os.waitpid(daemon.popen.pid, self.WAIT_FOR_ANY_THREAD)
        wait_until(self.stalled, "status tells that the loop is stuck", 30)
        self.assertIn("stalled", self.run_program("status", expect=0).stdout)
        self.ptrace(self.PTRACE_CONT_AND_LEAVE)
        wait_until(lambda: not self.stalled(), "the loop beats again", 30)
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
