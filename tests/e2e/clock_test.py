"""Steps of the machine's wall clock: hours forward and back, in mid-call and while entries wait. A step makes no
duplicate, and nothing waits longer than it would have without it."""

import datetime
import mmap
import os
import random
import struct
import threading
import time
import unittest

from harness import UncheckedWorld, wait_until

HOUR = 3600.0
DAY = 24 * HOUR
# Far above every wait of these tests' configuration, and far below a step.
SOON = 45.0


class SteppedClock(UncheckedWorld):
    THROTTLED_MAX = 15 * 60 + 5  # what a service may ask for, at most

    def setUp(self):
        super().setUp()
        name = self.path("clock")
        with open(name, "wb") as file:
            file.write(struct.pack("=q", 0))
        with open(name, "r+b") as file:
            self.offset = mmap.mmap(file.fileno(), 8)
        self.addCleanup(self.offset.close)
        self.env.update(self.shim(), SHIM_CLOCK=name)
        self.settings["api"]["timeout"] = "500ms"
        self.write_config()

    def step(self, seconds):
        """The wall clock is off by this from now on, for every process of this test but the service."""
        self.offset[:8] = struct.pack("=q", int(seconds * 1e9))

    def times_by_pass(self):
        with self.ledger() as ledger:
            passes = {}
            for number, at in ledger.execute("SELECT pass, time_ms FROM log ORDER BY seq"):
                passes.setdefault(number, []).append(at)
            return passes

    def assert_no_pass_steps_back(self):
        for number, times in self.times_by_pass().items():
            self.assertEqual(times, sorted(times), f"pass {number}")

    def restart(self):
        self.daemon.kill()
        self.start_daemon()
        self.await_control()

    def lose_the_first_create(self, applies):
        self.faults(rules=[{"effect": "nothing", "method": "CreateToken", "times": 1, "applies": applies}])

    def state_of_one(self):
        states = self.states()
        return next(iter(states)) if states else None

    def await_confirmed(self, numbers):
        wait_until(lambda: self.states() == {"confirmed": len(numbers)}, "all is confirmed", SOON)

    # ---- many steps

    def test_steps_at_any_moment_create_nothing_twice(self):
        seed = int(os.environ.get("TOKENSYNC_SEED", random.SystemRandom().randrange(1 << 32)))
        chance = random.Random(seed)
        steps_wanted = int(os.environ.get("TOKENSYNC_CLOCK_STEPS", "20"))
        numbers = range(1, 10 * steps_wanted + 1)
        self.settings["api"]["requests_per_minute"] = 60_000
        self.write_config()
        self.write_tokens(numbers)
        self.push()
        self.faults(latency_ms=20, latency_jitter_ms=150, rules=[
            {"effect": "cut", "method": "CreateToken", "probability": 0.05, "applies": True},
            {"effect": "cut", "method": "CreateToken", "probability": 0.05},
            {"effect": "apply_late", "method": "CreateToken", "delay_ms": 700, "probability": 0.03}])
        self.start_daemon()
        steps = restarts = 0
        while steps < steps_wanted:
            self.step(chance.uniform(-12 * HOUR, 12 * HOUR))
            steps += 1
            if chance.random() < 0.1:
                self.daemon.kill()
                self.start_daemon()
                restarts += 1
            # Not a wait for something, but the pace of the steps.
            threading.Event().wait(chance.uniform(0, 0.2))
        self.step(0)
        self.faults(rules=[], latency_ms=0, latency_jitter_ms=0)
        self.restart()
        wait_until(lambda: self.states() == {"confirmed": len(numbers)}, f"all is confirmed; TOKENSYNC_SEED={seed}", 180)
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_no_pass_steps_back()
        self.assert_converged(numbers)
        print(f"clock steps: {steps} of up to 12 hours, {restarts} restarts, {len(numbers)} tokens; "
              f"duplicates 0, losses 0 (TOKENSYNC_SEED={seed})")

    # ---- one step, at the worst moment

    def test_an_entry_that_settles_does_not_wait_for_a_clock_that_was_set_back(self):
        self.write_tokens([1])
        self.push()
        self.lose_the_first_create(applies=False)
        self.start_daemon()
        wait_until(lambda: self.state_of_one() == "uncertain", "the create is lost")
        self.daemon.kill()
        self.step(-DAY)
        self.start_daemon()
        self.await_confirmed([1])
        self.assert_converged([1])

    def test_an_entry_that_backs_off_does_not_wait_for_a_clock_that_was_set_back(self):
        self.write_tokens([1])
        self.push()
        self.faults(rules=[{"effect": "raw", "status": 429, "headers": {"Retry-After": "60"}, "method": "CreateToken"}])
        self.start_daemon()
        wait_until(lambda: self.state_of_one() == "pending", "the create is put off")
        self.daemon.kill()
        self.step(-DAY)
        self.faults(rules=[])
        self.start_daemon()
        self.await_control()
        self.run_program("trigger", "--wait")
        if self.state_of_one() == "confirmed":
            return
        next_pass = self.status()["daemon"]["next_pass"].replace("Z", "+00:00")
        wait = datetime.datetime.fromisoformat(next_pass).timestamp() - (time.time() - DAY)
        self.assertLess(wait, self.THROTTLED_MAX)

    def test_sync_too_finishes_what_an_earlier_clock_put_off(self):
        self.write_tokens([1])
        self.push()
        self.lose_the_first_create(applies=True)
        self.start_daemon()
        wait_until(lambda: self.creates() == 1, "the create is sent")
        self.daemon.kill()
        self.step(-DAY)
        begun = time.monotonic()
        self.sync(expect=0)
        self.assertLess(time.monotonic() - begun, SOON)
        self.assert_converged([1])

    def test_a_running_daemon_goes_on_after_its_clock_was_set_back(self):
        self.settings["api"]["requests_per_minute"] = 600
        self.write_config()
        self.write_tokens([1])
        self.push()
        self.start_daemon()
        self.await_control()
        self.await_confirmed([1])
        for back, number in ((-HOUR, 2), (-DAY, 3)):
            self.step(back)
            self.write_tokens([number])
            self.push()
            self.run_program("trigger", "--wait", expect=0)
            self.await_confirmed(range(1, number + 1))
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_converged([1, 2, 3])

    def test_a_long_pass_looks_at_the_repository_although_the_clock_was_set_back_before_it(self):
        self.settings["source"]["poll_interval"] = "1s"
        self.settings["api"].update(concurrency=1)
        self.write_config()
        self.write_tokens([1])
        self.push()
        self.start_daemon()
        self.await_control()
        self.await_confirmed([1])
        self.step(-DAY)
        self.faults(latency_ms=100)
        self.write_tokens(range(2, 201))
        self.push()
        wait_until(lambda: self.creates() >= 5, "the long pass is under way")
        self.write_tokens([900])
        self.push()
        wait_until(lambda: "900" in self.held(), "the pushed token is created", 15)
        self.assertLess(len(self.held()), 200)

    def test_a_step_forward_does_not_cut_short_what_a_late_call_needs(self):
        # A settling delay beyond the 5 s for which a pass of the daemon stays with what waits.
        self.settings["api"]["timeout"] = "3s"
        self.write_config()
        self.write_tokens([1])
        self.push()
        self.faults(rules=[{"effect": "apply_late", "method": "CreateToken", "times": 1, "delay_ms": 4500}])
        self.start_daemon()
        self.await_control()
        wait_until(lambda: self.state_of_one() == "uncertain", "the create is lost")
        self.run_program("trigger", "--wait")
        self.step(DAY)
        self.run_program("trigger", "--wait")
        self.await_confirmed([1])
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_converged([1])

    def test_a_step_forward_over_a_restart_does_not_either(self):
        self.settings["api"]["timeout"] = "1s"
        self.write_config()
        self.write_tokens([1])
        self.push()
        # Within the settling delay of 2 s.
        self.faults(rules=[{"effect": "apply_late", "method": "CreateToken", "times": 1, "delay_ms": 1700}])
        self.start_daemon()
        wait_until(lambda: self.state_of_one() == "uncertain", "the create is lost")
        self.daemon.kill()
        self.step(DAY)
        self.start_daemon()
        self.await_confirmed([1])
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_converged([1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
