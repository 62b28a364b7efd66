"""kill -9 of the program, and of the service, at random moments. TOKENSYNC_KILLS: how often in each of these tests."""

import os
import random
import shutil
import threading
import unittest

from fault_proxy import FaultProxy
from harness import UncheckedWorld, wait_until

KILLS = int(os.environ.get("TOKENSYNC_KILLS", "6"))


class Killed(UncheckedWorld):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("TOKENSYNC_SEED", random.SystemRandom().randrange(1 << 32)))
        self.chance = random.Random(self.seed)
        self.settings["api"]["timeout"] = "500ms"
        self.write_config()

    def declare(self, count):
        # Each start reads them all.
        count = min(count, 5000)
        self.numbers = range(1, count + 1)
        self.write_tokens(self.numbers)
        self.push()

    def tokens_held(self):
        return self.service_state()["tokens"]

    def converge(self):
        daemon = self.start_daemon()
        self.await_control()
        wait_until(lambda: self.states() == {"confirmed": len(self.numbers)},
                   f"all is confirmed (TOKENSYNC_SEED={self.seed})", 180)
        self.assertEqual(daemon.stop(), 0)

    def tell(self, what, kills):
        print(f"{what}: {kills} times; {len(self.numbers)} tokens, duplicates 0, losses 0 (TOKENSYNC_SEED={self.seed})")

    def some_creates_later(self):
        return self.creates() + self.chance.randrange(1, 1 + max(1, 3 * len(self.numbers) // (2 * KILLS)))

    def kill_under_load(self):
        """Kills the program after a random number of creates, until the kills or the tokens are used up."""
        kills = 0
        for _ in range(KILLS):
            if self.tokens_held() == len(self.numbers):
                break
            goal = self.some_creates_later()
            daemon = self.start_daemon()
            wait_until(lambda: self.creates() >= goal or self.tokens_held() == len(self.numbers) or not daemon.running(),
                       "calls are made")
            daemon.kill()
            kills += 1
        return kills

    def test_kill_nine_under_load(self):
        self.declare(100 * KILLS)
        self.faults(latency_ms=2, latency_jitter_ms=20)
        kills = self.kill_under_load()
        self.converge()
        self.assert_converged(self.numbers)
        self.tell("kill -9 under load", kills)

    def test_kill_nine_while_requests_and_replies_are_lost(self):
        self.declare(60 * KILLS)
        self.faults(latency_ms=2, latency_jitter_ms=20, rules=[
            {"effect": "cut", "probability": 0.03, "applies": True},
            {"effect": "cut", "probability": 0.03, "reset": True},
            {"effect": "cut_reply", "bytes": 60, "probability": 0.03, "applies": True},
            {"effect": "apply_late", "probability": 0.03, "delay_ms": 300},
            {"effect": "error", "error": "WebrpcServerPanic", "probability": 0.02, "applies": True},
            {"effect": "nothing", "probability": 0.01}])
        kills = self.kill_under_load()
        self.faults(rules=[])
        self.converge()
        self.assert_converged(self.numbers)
        self.tell("kill -9 while requests and replies are lost", kills)

    def test_kill_nine_at_a_start(self):
        """Within the first moments: making the ledger, the first fetch, the first plan, the first calls."""
        self.declare(40)
        kills = worlds = 0
        while kills < 2 * KILLS:
            worlds += 1
            for _ in range(self.chance.randrange(1, 9)):
                daemon = self.start_daemon()
                threading.Event().wait(self.chance.uniform(0, 0.09))
                daemon.kill()
                kills += 1
            self.converge()
            self.assert_converged(self.numbers)
            self.reset_service()
            shutil.rmtree(self.path("state"))
            os.mkdir(self.path("state"))
        self.tell(f"kill -9 within 90 ms of a start, {worlds} new ledgers", kills)

    def test_kill_nine_of_the_service(self):
        """The service keeps what it has applied; the calls in flight are cut off."""
        self.declare(100 * KILLS)
        load = {"latency_ms": 2, "latency_jitter_ms": 30}
        self.faults(**load)
        proxy = FaultProxy(self.url, lambda method, request: None)
        self.addCleanup(proxy.close)
        self.settings["api"].update(endpoint=proxy.url, concurrency=8)
        self.settings["source"]["poll_interval"] = "1s"
        self.write_config()
        daemon = self.start_daemon()
        self.await_control()
        kills = applied = 0
        while kills < KILLS and self.tokens_held() < len(self.numbers):
            goal = self.some_creates_later()
            wait_until(lambda: self.creates() >= goal or self.tokens_held() == len(self.numbers), "calls are made")
            proxy.vanish()
            wait_until(lambda: self.service_state()["calls_in_flight"] == 0, "what arrived is applied")
            kept = list(self.held().values())
            applied += self.service_state()["creates_applied"]
            self.service.kill()
            kills += 1
            if self.chance.random() < 0.3:
                daemon.kill()
            self.service = self.start_service()
            self.ask_service("/standin/tokens", kept)
            self.faults(**load)
            proxy.appear(self.url)
            if not daemon.running():
                daemon = self.start_daemon()
                self.await_control()
            self.run_program("trigger", expect=0)
        self.faults(latency_ms=0, latency_jitter_ms=0)
        wait_until(self.trigger_is_complete, f"all is confirmed (TOKENSYNC_SEED={self.seed})", 180)
        self.assertEqual(daemon.stop(), 0)
        applied += self.service_state()["creates_applied"]
        self.assertEqual(set(self.held()), {str(n) for n in self.numbers})
        self.assertEqual(applied, len(self.numbers), "creates that the service applied")
        self.assertEqual(self.states(), {"confirmed": len(self.numbers)})
        self.run_program("audit", expect=0)
        self.tell("kill -9 of the service", kills)


if __name__ == "__main__":
    unittest.main(verbosity=2)
