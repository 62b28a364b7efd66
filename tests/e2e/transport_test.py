"""A push over https and ssh, to real servers whose hook triggers the daemon: applied; credentials that are wrong, and
replaced while the daemon runs; a server that hangs."""

import time
import unittest

from git_servers import HttpsServer, SshServer
from harness import World, wait_until

TRY_LATER = 75


class Transport(World):
    def push_showing(self, number):
        """Pushes one more token; gives what the server's hook says to the one who pushes."""
        self.write_tokens([number])
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Bring {number}")
        done = self.command("sh", "-c", "git push --quiet origin main 2>&1", cwd=self.clone)
        return "\n".join(line.removeprefix("remote: ").rstrip() for line in done.splitlines())

    def check_credential(self, file, wrong, told):
        """`file` holds the credential; `wrong` is put in its place. The server stays reachable for who pushes."""
        with open(file, encoding="utf-8") as right:
            right = right.read()

        def give(text):
            with open(file, "w", encoding="utf-8") as out:
                out.write(text)

        give(wrong)
        self.trigger_from_hook("--wait", "|| true")
        self.write_tokens([1])
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Bring the first")
        self.git("push", "--quiet", "origin", "main")
        self.assertRegex(self.sync(expect=TRY_LATER).stderr, told)
        daemon = self.start_daemon()
        self.await_control()
        self.assertRegex(self.push_showing(2), told)
        self.assertRegex(daemon.stderr(), told)
        self.assertRegex(self.run_program("status", expect=0).stdout, told)
        self.assertRegex(self.status()["last_error"], told)
        self.assertEqual(self.creates(), 0)

        give(right)
        self.assertRegex(self.push_showing(3), r"Pass \d+ at [0-9a-f]+: .*3 in sync")
        self.assertIn("1 created", self.push_showing(4))
        self.assertEqual(self.status()["failures_in_a_row"], 0)
        self.assertEqual(set(self.held()), {"1", "2", "3", "4"})
        for secret in (right, wrong):
            self.assertNotIn(secret.strip(), daemon.stderr())
        self.assertEqual(daemon.stop(), 0)

    def test_https_with_a_password_that_is_wrong_at_first(self):
        server = self.follow(HttpsServer(self.path("https"), self.bare))
        self.check_credential(server.token_file, server.password[::-1] + "\n", "refuses the credential of user 'deploy'")

    def test_ssh_with_a_key_that_is_wrong_at_first(self):
        server = self.follow(SshServer(self.path("ssh"), self.bare))
        # The one who pushes keeps the right key.
        self.git("config", "core.sshCommand",
                 server.git_settings["core.sshCommand"].replace(server.key_file, self.path("own_key")))
        self.command("cp", server.key_file, self.path("own_key"))
        with open(server.make_key("stranger"), encoding="utf-8") as file:
            stranger = file.read()
        self.check_credential(server.key_file, stranger, "refuses the key .*user for user")

    def test_a_server_that_hangs_is_given_up_and_the_daemon_goes_on(self):
        server = self.follow(HttpsServer(self.path("https"), self.bare))
        self.settings["source"]["timeout"] = "1s"
        self.write_config()
        self.write_tokens([1])
        self.push()
        self.start_daemon()
        wait_until(lambda: len(self.held()) == 1, "the first token is created")
        self.write_tokens([2])
        self.push()
        server.hang()
        begun = time.monotonic()
        self.run_program("trigger", expect=0)
        wait_until(lambda: self.status()["daemon"]["passing"], "the daemon fetches")
        done = self.run_program("trigger", "--wait", expect=TRY_LATER)
        self.assertLess(time.monotonic() - begun, 20)
        self.assertIn("1 s", done.stdout)
        self.assertIn("1 s", self.status()["last_error"])
        server.go_on()
        # A fetch that hung so far may still end by its time-out.
        wait_until(self.trigger_is_complete, "the second token is created")
        self.assertEqual(len(self.held()), 2)
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
