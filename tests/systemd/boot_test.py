"""The units and the package under a real systemd, in a machine of their own: see machine.py."""

import os
import subprocess
import tempfile

import machine
from machine import wait_until
from service_machine import CONFIG, CONTROL, CREDENTIALS, HERE, LEDGER, UNIT, Repository, ServiceMachine, package


class Service(ServiceMachine):
    """What the units promise."""

    # ---- start, push, end

    def test_the_service_is_active_when_it_says_so_and_tells_what_it_did(self):
        self.repository.push(1, 2)
        self.start()
        self.assertEqual(self.active(), "active")
        self.await_held(1, 2)
        wait_until(lambda: "2 tokens in sync" in self.machine.property(UNIT, "StatusText"), "STATUS= tells of the pass")
        journal = self.machine.journal(UNIT, "--lines=50")
        self.assertIn("tokensyncd runs", journal)
        self.assertIn("created 1/7/2", self.machine.journal(UNIT, "TOKENSYNCD_KEY=1/7/2"))

    def test_a_push_by_a_git_user_creates_the_token_and_tells_the_pusher(self):
        self.start_and_settle()
        self.repository.install_hook(wait="true", branch="main")
        told = self.repository.push(1)
        self.assertIn("1 created", told)
        self.assertEqual(self.held(), [1])

    def test_a_push_need_not_wait(self):
        self.start()
        self.repository.install_hook()
        self.assertIn("tokensyncd applies it now", self.repository.push(1))
        self.await_held(1)

    def test_a_push_to_another_branch_does_not_trigger_where_one_is_named(self):
        self.start_and_settle()
        self.repository.install_hook(wait="true", branch="main")
        self.assertEqual(self.repository.push(1, branch="draft"), "")
        self.assertIn("1 created", self.repository.push(branch="main"))

    def test_a_push_succeeds_without_a_daemon_and_the_pusher_knows(self):
        self.repository.install_hook(wait="true")
        self.assertIn("tries again by itself", self.repository.push(1))
        self.start()
        self.await_held(1)

    def test_a_push_waits_no_longer_than_it_was_told(self):
        self.start()
        self.ask("/standin/faults", {"latency_ms": 1500})
        self.repository.install_hook(wait="true", timeout="1")
        self.assertIn("the pass goes on", self.repository.push(1))
        self.ask("/standin/faults", {"latency_ms": 0})
        self.await_held(1)

    def test_users_outside_of_the_group_do_not_reach_the_daemon(self):
        self.start()
        done = self.machine.run("tokensyncd", "trigger", user="stranger", expect=None)
        self.assertNotEqual(done.returncode, 0)
        self.machine.run("tokensyncd", "trigger", user="git")

    def test_a_stop_ends_in_order_within_seconds_with_a_call_in_flight(self):
        self.ask("/standin/faults", {"latency_ms": 1500})
        self.repository.push(1)
        self.start()
        wait_until(lambda: self.ask("/standin/state")["calls_in_flight"] > 0, "a call is in flight")
        self.machine.run("systemctl", "stop", UNIT, deadline=10)
        self.assertEqual(self.machine.property(UNIT, "Result"), "success")
        self.assertEqual(self.machine.property(UNIT, "ExecMainStatus"), "0")

    def test_a_reload_lets_a_pass_in_flight_go_on(self):
        self.ask("/standin/faults", {"latency_ms": 700})
        self.repository.push(1, 2, 3)
        self.start()
        pid = self.pid()
        wait_until(lambda: self.ask("/standin/state")["calls_in_flight"] > 0, "a call is in flight")
        self.configure(source={"poll_interval": "2h"})
        self.machine.run("systemctl", "reload", UNIT)
        self.await_held(1, 2, 3)
        wait_until(lambda: "the configuration was read again" in self.machine.journal(UNIT, f"--since=@{self.began}"),
                   "the journal tells of the new configuration")
        wait_until(lambda: self.machine.property(UNIT, "SubState") == "running", "the reload has ended")
        self.assertEqual(self.pid(), pid)
        self.assertEqual(self.machine.property(UNIT, "NRestarts"), "0")
        self.assertEqual(self.ask("/standin/state")["creates_applied"], 3)

    # ---- sockets that systemd holds

    def test_a_trigger_starts_the_service_where_systemd_holds_the_control_socket(self):
        self.repository.push(1)
        self.start("tokensyncd.socket")
        self.assertEqual(self.active(), "inactive")
        socket = self.machine.output("stat", "--format=%a %G %i", CONTROL)
        self.assertEqual(socket.split()[:2], ["660", "tokensyncd"])
        self.machine.run("tokensyncd", "trigger", user="stranger", expect=75)
        self.assertEqual(self.active(), "inactive")
        self.machine.run("tokensyncd", "trigger", "--wait", user="git")
        self.assertEqual(self.held(), [1])
        self.assertEqual(self.active(), "active")
        # Stopped, it stays so until somebody asks again, at the same socket.
        self.machine.run("systemctl", "stop", UNIT)
        self.assertEqual(self.active("tokensyncd.socket"), "active")
        self.assertEqual(self.machine.output("stat", "--format=%a %G %i", CONTROL), socket)
        self.assertEqual(self.active(), "inactive")
        self.repository.install_hook(wait="true")
        self.repository.push(2)
        self.assertEqual(self.held(), [1, 2])

    def test_a_push_during_a_restart_is_heard_where_systemd_holds_the_control_socket(self):
        self.start("tokensyncd.socket")
        self.start_and_settle()
        self.repository.push(1)
        self.machine.run("systemctl", "restart", "--no-block", UNIT)
        wait_until(lambda: self.machine.run("tokensyncd", "trigger", "--wait", expect=None).returncode == 0,
                   "a pass has ended")
        self.assertEqual(self.held(), [1])

    def test_a_trigger_does_not_start_a_service_again_and_again_that_cannot_run(self):
        self.start("tokensyncd.socket")
        self.configure(ledger={"path": "/proc/none/ledger.db"})
        self.drop_in("Restart=no")
        self.machine.run("tokensyncd", "trigger", "--wait", expect=75)
        wait_until(lambda: self.active() == "failed", "the service has failed")
        self.assertEqual(self.active("tokensyncd.socket"), "active")
        self.assertEqual(self.machine.journal(UNIT, f"--since=@{self.began}").count("Starting tokensyncd.service"), 1)

    def test_a_delivery_starts_the_service_where_systemd_holds_the_http_listener(self):
        self.repository.push(1)
        self.start("tokensyncd-http.socket")
        answer = self.machine.output("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
                                     "--max-time", "10", "--data", "{}", "http://127.0.0.1:9180/nothing-here")
        self.assertEqual(answer[0], "4", answer)
        self.assertEqual(self.active(), "active")
        self.await_held(1)

    # ---- what goes wrong

    def test_a_loop_that_stands_still_is_ended_and_started_again(self):
        with tempfile.TemporaryDirectory() as folder:
            library = os.path.join(folder, "hang.so")
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, os.path.join(HERE, "hang.c"), "-ldl"],
                           check=True)
            self.machine.copy(library, "/usr/local/lib/hang.so", 0o755)
        self.drop_in("Environment=LD_PRELOAD=/usr/local/lib/hang.so HANG=/run/hang\nWatchdogSec=2s\nRestartSec=100ms")
        self.repository.push(1)
        self.start()
        self.await_held(1)
        pid = self.pid()
        self.machine.run("touch", "/run/hang")
        try:
            wait_until(lambda: self.machine.property(UNIT, "NRestarts") != "0", "the watchdog has ended the service")
        finally:
            self.machine.run("rm", "/run/hang")
        wait_until(lambda: self.active() == "active" and self.pid() != pid, "the service is active again")
        self.assertIn("Watchdog timeout", self.machine.journal(UNIT))
        self.repository.push(2)
        self.machine.run("tokensyncd", "trigger", "--wait")
        self.assertEqual(self.held(), [1, 2])

    def test_a_configuration_that_cannot_be_used_is_not_tried_again(self):
        self.machine.write(CONFIG, "sources: {}\n")
        self.drop_in("RestartSec=100ms")
        self.machine.run("systemctl", "start", UNIT, expect=1)
        self.assertEqual(self.machine.property(UNIT, "ExecMainStatus"), "78")
        self.assertEqual(self.active(), "failed")
        self.assertEqual(self.machine.property(UNIT, "NRestarts"), "0")
        self.assertIn("did you mean 'source'", self.machine.journal(UNIT))

    def test_a_killed_daemon_is_started_again(self):
        self.drop_in("RestartSec=100ms")
        self.start()
        pid = self.pid()
        self.machine.run("kill", "-KILL", str(pid))
        wait_until(lambda: self.active() == "active" and self.pid() not in (0, pid), "the service is active again")

    # ---- secrets

    def test_secrets_are_readable_for_nobody_else(self):
        self.start()
        credentials = f"/run/credentials/{UNIT}"
        held = self.machine.output("ls", credentials).split()
        self.assertIn("tokensyncd_sequence.jwt", held)
        for user in ("git", "stranger"):
            for path in (credentials, CREDENTIALS):
                self.machine.run("ls", path, user=user, expect=2)
            self.machine.run("cat", f"{credentials}/tokensyncd_sequence.jwt", user=user, expect=1)
            self.machine.run("cat", f"{CREDENTIALS}/sequence.jwt", user=user, expect=1)
            self.machine.run("cat", f"/proc/{self.pid()}/environ", user=user, expect=1)
            self.machine.run("ls", "/var/lib/tokensyncd", user=user, expect=2)
        everything = self.machine.output("sh", "-c", "journalctl --no-pager --output=export;"
                                                     " cat /var/lib/tokensyncd/*.db* | strings")
        self.assertNotIn(self.secret, everything)

    def test_the_service_token_beside_the_configuration_is_found(self):
        self.machine.run("rm", "-r", CREDENTIALS)
        self.put_secret("sequence.jwt", self.secret, folder="/etc/tokensyncd")
        self.machine.run("chmod", "0755", "/etc/tokensyncd")
        self.repository.push(1)
        self.start()
        self.await_held(1)

    def test_a_missing_service_token_is_said_by_the_program(self):
        self.machine.run("rm", f"{CREDENTIALS}/sequence.jwt")
        self.repository.push(1)
        self.machine.run("systemctl", "start", UNIT, expect=None)
        wait_until(lambda: "sequence.jwt" in self.machine.journal(UNIT, "--identifier=tokensyncd"),
                   "the journal names the file")

    def test_a_command_by_hand_has_the_secrets_as_the_man_page_says(self):
        """Only systemd hands them to the service's user."""
        self.repository.push(1)
        done = self.machine.run(
            "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=User=tokensyncd",
            f"--property=LoadCredential=tokensyncd:{CREDENTIALS}", "tokensyncd", "sync")
        self.assertIn("1 created", done.stdout)
        self.assertEqual(self.held(), [1])

    # ---- the sandbox

    def test_signatures_can_be_checked_within_the_sandbox(self):
        script = """set -e
            cd "$STATE_DIRECTORY" && mkdir -m 700 gnupg && export GNUPGHOME=$PWD/gnupg
            ssh-keygen -q -t ed25519 -N '' -f key && echo text >text && ssh-keygen -q -Y sign -f key -n git text
            echo "ada $(cat key.pub)" >allowed
            ssh-keygen -Y verify -f allowed -I ada -n git -s text.sig <text
            gpg --batch --quiet --no-autostart --import /usr/local/share/ada.asc
            gpg --batch --quiet --no-autostart --trust-model always --verify /usr/local/share/text.asc
            echo all good"""
        self.machine.run("sh", "-c", """set -e
            export GNUPGHOME=$(mktemp -d)
            gpg --batch --quiet --pinentry-mode loopback --passphrase '' \\
                --quick-generate-key ada@example.com ed25519 sign never
            gpg --armor --export >/usr/local/share/ada.asc
            echo text | gpg --batch --clearsign >/usr/local/share/text.asc
            gpgconf --kill all && rm -r "$GNUPGHOME" """)
        self.machine.write("/usr/local/bin/signatures", f"#!/bin/sh\n{script}\n", 0o755)
        self.drop_in("Type=oneshot\nExecStart=\nExecStart=/usr/local/bin/signatures\nRestart=no\nWatchdogSec=0")
        self.machine.run("systemctl", "start", UNIT, expect=None, deadline=60)
        self.assertIn("all good", self.machine.journal(UNIT, "--lines=20"))

    def test_what_the_service_has_written_is_not_executed(self):
        self.machine.write("/usr/local/bin/own-program", """#!/bin/sh
            for folder in "$STATE_DIRECTORY" "$RUNTIME_DIRECTORY" /tmp /var/tmp /dev/shm; do
                cp /usr/bin/true "$folder" || exit 1
                ! "$folder/true" || exit 2
            done
            """, 0o755)
        self.drop_in("Type=oneshot\nExecStart=\nExecStart=/usr/local/bin/own-program\nRestart=no\nWatchdogSec=0")
        self.machine.run("systemctl", "start", UNIT)

    def test_a_repository_below_home_takes_the_drop_in_of_the_example(self):
        example = self.machine.output("cat", "/usr/share/doc/tokensyncd/examples/drop-in.conf")
        lines = [line.lstrip("#") for line in example.splitlines()
                 if line.startswith(("#BindReadOnlyPaths=", "#ProtectHome="))]
        self.assertEqual(len(lines), 2)
        self.machine.run("chmod", "0755", "/home/git")
        self.repository = Repository(self.machine, "/home/git/tokens.git")
        self.configure()
        self.repository.push(1)
        self.drop_in("\n".join(lines))
        self.start()
        self.await_held(1)
        self.machine.run("nsenter", f"--target={self.pid()}", "--mount", "ls", self.repository.clone, expect=2)

    # ---- several repositories

    def test_an_instance_of_the_template_runs_beside_the_service(self):
        other = Repository(self.machine, "/srv/git/other.git")
        self.configure("eu", source={"url": other.bare})
        self.put_secret("sequence.jwt", self.secret, folder="/etc/tokensyncd/eu/credentials")
        self.repository.push(1)
        other.push(2, collection=8)
        self.start()
        self.start("tokensyncd@eu.service")
        self.await_held(1, 2)
        configuration = "/etc/tokensyncd/eu/tokensyncd.yaml"
        self.machine.run("tokensyncd", "--config", configuration, "trigger", "--wait", user="git")
        self.machine.run("systemctl", "stop", UNIT)
        # The folder of the instance's socket has not gone with the service's.
        other.install_hook(wait="true", config=configuration)
        self.assertIn("1 created", other.push(3, collection=8))
        pid = self.pid("tokensyncd@eu.service")
        seen = self.machine.output("nsenter", f"--target={pid}", "--mount", "ls", "/run/credentials")
        self.assertEqual(seen, "tokensyncd@eu.service")


class Package(ServiceMachine):
    """What an administrator does with the package."""

    def test_installed_it_starts_nothing_and_enables_nothing(self):
        self.assertEqual(self.active(), "inactive")
        self.assertEqual(self.machine.output("systemctl", "is-enabled", UNIT, expect=1), "disabled")
        self.assertEqual(self.machine.output("stat", "--format=%a %U %G", "/etc/tokensyncd", CREDENTIALS,
                                             "/var/lib/tokensyncd", "/run/tokensyncd").split("\n"),
                         ["755 root root", "700 root root", "700 tokensyncd tokensyncd", "750 tokensyncd tokensyncd"])

    def test_its_life(self):
        """Upgraded with a running service, removed, installed again, purged."""
        self.repository.push(1, 2)
        self.machine.run("systemctl", "enable", "--quiet", "--now", UNIT)
        self.await_held(1, 2)
        wait_until(lambda: "2 tokens" in self.machine.property(UNIT, "StatusText"), "the pass has ended")
        pid = self.pid()
        history = self.machine.output("tokensyncd", "history", "--json")

        self.machine.package("--install", self.place(package("0.1.1-1")))
        self.assertEqual(self.machine.output("dpkg-query", "--show", "--showformat=${Version}", "tokensyncd"),
                         "0.1.1-1")
        self.assertEqual(self.active(), "active")
        self.assertNotEqual(self.pid(), pid)
        # The changed configuration is kept, and so is the ledger, which is known as the one that ran last.
        self.assertIn(self.repository.bare, self.machine.output("cat", CONFIG))
        wait_until(lambda: "2 tokens" in self.machine.property(UNIT, "StatusText"), "the new version has made a pass")
        self.assertTrue(self.machine.output("tokensyncd", "history", "--json").startswith(history))
        self.machine.run("tokensyncd", "audit")
        self.assertEqual(self.ask("/standin/state")["creates_applied"], 2)
        self.assertNotIn("ran here", self.machine.journal(UNIT))

        self.machine.package("--remove", "tokensyncd")
        self.assertEqual(self.active(), "inactive")
        self.machine.run("test", "!", "-e", "/usr/bin/tokensyncd")
        for kept in (CONFIG, f"{CREDENTIALS}/sequence.jwt", LEDGER, f"{LEDGER}.mark"):
            self.machine.run("test", "-f", kept)

        self.machine.package("--install", self.place(package("0.1.1-1")))
        self.assertEqual(self.machine.output("systemctl", "is-enabled", UNIT), "enabled")
        self.start()
        self.machine.run("tokensyncd", "trigger", "--wait")
        self.assertEqual(self.ask("/standin/state")["creates_applied"], 2)

        self.machine.run("systemctl", "enable", "--quiet", "tokensyncd.socket",
                         "tokensyncd@eu.service", "tokensyncd@eu.socket")
        self.machine.package("--purge", "tokensyncd")
        self.assertEqual(self.active(), "inactive")
        left = self.machine.output("sh", "-c", "find /etc /run /usr /var -path /var/cache -prune"
                                               " -o -name '*tokensync*' -print | grep -v tokensync-test || true")
        self.assertEqual(left, "")
        self.machine.package("--install", self.place(package(self.VERSION)))


if __name__ == "__main__":
    machine.main()
