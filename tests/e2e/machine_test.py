"""A machine that gives too little: no time, no descriptors, no threads, no processes, no memory. The program says so with
one clear error and a documented exit status, and leaves nothing half done."""

import os
import random
import resource
import signal
import threading
import unittest

from harness import UncheckedWorld, wait_until

DONE, TRY_LATER, LEDGER_UNUSABLE = 0, 75, 73


class Machine(UncheckedWorld):
    def declare(self, count):
        self.numbers = range(1, count + 1)
        self.write_tokens(self.numbers)
        self.push()

    def finish(self):
        self.faults(rules=[], latency_ms=0, latency_jitter_ms=0)
        self.sync(expect=0)
        self.assert_converged(self.numbers)


class Asleep(Machine):
    """SIGSTOP for longer than a call's time-out and the settling delay of a lost one."""

    def setUp(self):
        super().setUp()
        self.settings["api"]["timeout"] = "400ms"
        self.write_config()
        self.declare(200)

    def sleep_through(self, process, goals):
        for goal in goals:
            wait_until(lambda: self.creates() >= goal, "calls are made")
            process.send_signal(signal.SIGSTOP)
            # Not a wait for something: this is how long the process is asleep.
            threading.Event().wait(1.3)
            process.send_signal(signal.SIGCONT)

    def end(self, daemon):
        wait_until(lambda: self.states() == {"confirmed": len(self.numbers)}, "all is confirmed")
        self.assertEqual(daemon.stop(), 0)
        self.assert_converged(self.numbers)

    def test_the_program_asleep(self):
        self.faults(latency_ms=20, latency_jitter_ms=100, rules=[
            {"effect": "cut", "method": "CreateToken", "probability": 0.1, "applies": True},
            {"effect": "apply_late", "method": "CreateToken", "probability": 0.1, "delay_ms": 600}])
        daemon = self.start_daemon()
        self.sleep_through(daemon.popen, (20, 80))
        self.end(daemon)

    def test_the_service_asleep(self):
        self.settings["source"]["poll_interval"] = "1s"
        self.write_config()
        self.faults(latency_ms=20, latency_jitter_ms=100)
        daemon = self.start_daemon()
        self.await_control()
        self.sleep_through(self.service.popen, (20, 80))
        wait_until(self.trigger_is_complete, "all is confirmed")
        self.end(daemon)


class Starved(Machine):
    def assert_told(self, done, statuses):
        """One error, or none and all is done."""
        self.assertIn(done.returncode, statuses, done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("tokensyncd: ")]
        self.assertLessEqual(len(errors), 1, done.stderr)
        if done.returncode != DONE:
            self.assertRegex(done.stderr, self.what)

    def test_out_of_file_descriptors_is_told_and_survived(self):
        self.declare(100)
        self.faults(latency_ms=50)
        self.settings["api"]["concurrency"] = 64
        self.write_config()
        daemon = self.start_daemon(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
        wait_until(lambda: self.service_state()["tokens"] == 100 or not daemon.running(), "the end, one way or the other")
        daemon.stop()
        self.finish()

    def test_every_number_of_threads_that_is_too_few_is_one_error(self):
        self.declare(20)
        self.settings["api"]["concurrency"] = 4
        self.write_config()
        self.what = "thread"
        for threads in range(5):
            done = self.run_program("sync", env={**self.shim(), "SHIM_THREADS": str(threads)})
            self.assert_told(done, [TRY_LATER])
            self.assertEqual(self.creates(), 0)
        for threads in range(6):
            daemon = self.start_daemon(env={**self.shim(), "SHIM_THREADS": str(threads)})
            wait_until(lambda: not daemon.running(), f"the daemon ends with {threads} threads")
            self.assertEqual(daemon.popen.returncode, TRY_LATER, daemon.stderr())
        self.assertEqual(len(daemon.stderr().splitlines()), 6, daemon.stderr())
        self.assertFalse(os.path.exists(self.settings["control"]["socket"]))
        self.finish()

    def test_without_a_process_for_fetching_the_daemon_waits_and_says_so(self):
        self.declare(5)
        done = self.run_program("sync", expect=TRY_LATER, env={**self.shim(), "SHIM_NO_SPAWN": "1"})
        self.assertRegex(done.stderr, "starting the fetching program .*Resource temporarily unavailable")
        daemon = self.start_daemon(env={**self.shim(), "SHIM_NO_SPAWN": "1"})
        wait_until(lambda: "starting the fetching program" in daemon.stderr(), "the daemon tells")
        self.assertEqual(self.status()["failures_in_a_row"], 2)
        self.assertEqual(daemon.stop(), 0)
        self.finish()

    def test_memory_that_ends_at_any_moment_ends_the_program_and_loses_nothing(self):
        seed = int(os.environ.get("TOKENSYNC_SEED", random.SystemRandom().randrange(1 << 32)))
        chance = random.Random(seed)
        ends = int(os.environ.get("TOKENSYNC_MEMORY_ENDS", "20"))
        self.declare(10 * ends)
        self.faults(latency_ms=1)
        self.settings["api"]["timeout"] = "200ms"
        self.write_config()
        self.what = "memory"
        statuses = {}
        for _ in range(ends):
            allocations = int(10 ** chance.uniform(3.4, 4.6))
            done = self.run_program("sync", env={**self.shim(), "SHIM_MEMORY": str(allocations)})
            # libgit2 1.5 reports that memory is out by asking for memory, without end: that is as good as kill -9.
            if done.returncode != -signal.SIGSEGV:
                self.assert_told(done, [DONE, TRY_LATER, LEDGER_UNUSABLE])
            statuses[done.returncode] = statuses.get(done.returncode, 0) + 1
        self.assertGreaterEqual(statuses[TRY_LATER], ends // 2, statuses)
        self.finish()
        print(f"out of memory: {ends} times, ended with {statuses}; {len(self.numbers)} tokens, duplicates 0, losses 0 "
              f"(TOKENSYNC_SEED={seed})")

    def test_an_address_space_that_is_too_small_is_one_error(self):
        self.declare(200)
        self.what = "memory|thread|Cannot allocate"
        statuses = {}
        # From hardly more than the program itself, to enough for it and all its threads.
        for mebibytes in range(60, 400, 20):
            limit = mebibytes << 20
            done = self.run_program("sync", preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS,
                                                                                              (limit, limit)))
            self.assert_told(done, [DONE, TRY_LATER, LEDGER_UNUSABLE])
            statuses[done.returncode] = statuses.get(done.returncode, 0) + 1
        self.assertIn(TRY_LATER, statuses)
        self.finish()
        print(f"address space from 60 MiB on: ended with {statuses}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
