"""The daemon: triggers, backlog, signals."""

import os
import signal
import time
import unittest

from harness import World, wait_until


class Daemon(World):
    def test_a_trigger_starts_a_pass_at_once_and_wait_tells_what_it_did(self):
        self.write_tokens([1])
        self.push()
        daemon = self.start_daemon()
        self.await_control()
        wait_until(lambda: len(self.held()) == 1, "the first token is created")
        self.write_tokens([2])
        self.push()
        done = self.run_program("trigger", "--wait", expect=0)
        self.assertIn("1 created", done.stdout)
        self.assertEqual(len(self.held()), 2)
        self.assertEqual(daemon.stop(), 0)

    def test_sighup_starts_a_pass(self):
        self.write_tokens([1])
        self.push()
        daemon = self.start_daemon()
        wait_until(lambda: len(self.held()) == 1, "the first token is created")
        self.write_tokens([2])
        self.push()
        daemon.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.held()) == 2, "the second token is created")

    def test_polling_finds_a_push_by_itself(self):
        self.settings["source"]["poll_interval"] = "1s"
        self.write_config()
        self.write_tokens([1])
        self.push()
        self.start_daemon()
        wait_until(lambda: len(self.held()) == 1, "the first token is created")
        self.write_tokens([2])
        self.push()
        wait_until(lambda: len(self.held()) == 2, "the second token is created")

    def test_a_push_in_a_backlog_goes_first_and_what_left_git_is_not_created(self):
        self.settings["api"]["requests_per_minute"] = 600
        self.write_config()
        self.write_tokens(range(1, 401))
        self.push("A backlog of four hundred")
        self.start_daemon()
        wait_until(lambda: self.creates() >= 5, "the backlog is under way")
        self.write_tokens([900])
        self.command("rm", "-r", self.path("clone/tokens/3"))  # 300 to 399
        self.push("One that does not wait")
        pushed = time.monotonic()
        self.run_program("trigger", expect=0)
        wait_until(lambda: "900" in self.held(), "the pushed token is created")
        self.assertLess(len(self.held()), 200)
        print(f"a push in a backlog: at the service after {time.monotonic() - pushed:.2f} s")
        self.assertEqual(self.daemon.stop(), 0)
        self.settings["api"]["requests_per_minute"] = 0
        self.write_config()
        self.sync(expect=0)
        self.assertEqual(set(self.held()), {str(n) for n in [*range(1, 300), 400, 900]})
        self.assert_nothing_twice()

    def test_sigterm_awaits_and_records_the_calls_in_flight(self):
        self.write_tokens(range(1, 101))
        self.push()
        self.faults(latency_ms=300)
        daemon = self.start_daemon()
        wait_until(lambda: self.service_state()["calls_in_flight"] >= 4, "calls are in flight")
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("submitting", self.states())
        self.assertEqual(self.states().get("confirmed"), len(self.held()))
        self.assertLess(len(self.held()), 100)

    def test_status_and_history_read_beside_the_running_daemon(self):
        self.write_tokens(range(1, 6))
        head = self.push()
        daemon = self.start_daemon()
        wait_until(lambda: len(self.held()) == 5, "all are created")
        wait_until(lambda: self.status()["head_applied"] == head, "the head is applied")
        status = self.status()
        self.assertEqual(status["entries"].get("confirmed"), 5)
        self.assertEqual(status["daemon"]["pid"], daemon.popen.pid)
        self.assertEqual(len([r for r in self.history() if r["event"] == "token-created"]), 5)

    def test_failures_in_a_row_back_off_and_are_visible(self):
        self.write_tokens([1])
        self.push()
        os.rename(self.bare, self.path("away.git"))
        self.start_daemon()
        wait_until(lambda: os.path.exists(self.settings["ledger"]["path"]) and
                   self.run_program("status", "--json").returncode == 0 and
                   self.status()["failures_in_a_row"] >= 1, "the failure is visible")
        self.assertIn("tokens.git", self.run_program("status", expect=0).stdout)
        os.rename(self.path("away.git"), self.bare)
        self.run_program("trigger", "--wait", expect=0)
        self.assertEqual(self.status()["failures_in_a_row"], 0)
        self.assertEqual(len(self.held()), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
