"""Real faults on the real program: whatever the network, the disk or the machine does, every token is created once in
the end, and is what git says."""

import os
import re
import resource
import signal
import threading
import unittest

import fault_proxy
from fault_proxy import FaultProxy
from harness import World, wait_until


class Network(World):
    # A request of this test has some 600 bytes, a reply some 450: every offset of both, and every kind of fault at each
    # `stride`-th.
    STRIDE = int(os.environ.get("TOKENSYNC_FAULT_STRIDE", "29"))
    REQUEST_BYTES = 640
    REPLY_BYTES = 640

    def setUp(self):
        super().setUp()
        self.faults_planned = []
        for kind in (fault_proxy.CUT_REQUEST, fault_proxy.SILENT_REQUEST):
            self.faults_planned += [(kind, offset) for offset in range(0, self.REQUEST_BYTES, self.STRIDE)]
        for kind in (fault_proxy.CUT_REPLY, fault_proxy.SILENT_REPLY, fault_proxy.GARBLE_REPLY):
            self.faults_planned += [(kind, offset) for offset in range(0, self.REPLY_BYTES, self.STRIDE)]

    def proxy(self):
        """Hurts the first create of each odd token, so that good calls lie between the bad ones."""
        lock = threading.Lock()
        seen = set()

        def plan(request):
            number = int(re.search(rb'"tokenId":"(\d+)"', request).group(1))
            with lock:
                if number % 2 == 0 or number in seen:
                    return None
                seen.add(number)
            return self.faults_planned[number // 2]

        proxy = FaultProxy(self.url, plan)
        self.addCleanup(proxy.close)
        return proxy

    def test_a_fault_at_any_byte_of_request_or_reply_never_creates_twice(self):
        tokens = 2 * len(self.faults_planned)
        self.write_tokens(range(1, tokens + 1))
        self.push()
        self.settings["api"].update(endpoint=self.proxy().url, timeout="400ms", concurrency=16)
        self.write_config()
        daemon = self.start_daemon()
        self.await_control()
        wait_until(lambda: self.trigger_is_complete(), "all is confirmed", 600)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.states(), {"confirmed": tokens})
        held = self.held()
        self.assertEqual(len(held), tokens)
        self.assertEqual({t["token"]["name"] for t in held.values()}, {f"Token {n}" for n in range(1, tokens + 1)})
        self.assert_nothing_twice()
        self.run_program("audit", expect=0)
        print(f"network faults: {len(self.faults_planned)} byte offsets hurt (every {self.STRIDE}th of five kinds); "
              f"{tokens} tokens, duplicates 0, losses 0")

    def trigger_is_complete(self):
        return self.run_program("trigger", "--wait").returncode == 0


class Machine(World):
    def test_a_process_that_slept_through_its_time_outs_creates_nothing_twice(self):
        self.write_tokens(range(1, 201))
        self.push()
        self.faults(latency_ms=20, latency_jitter_ms=100)
        self.settings["api"]["timeout"] = "500ms"
        self.write_config()
        daemon = self.start_daemon()
        for goal in (20, 60, 100):
            wait_until(lambda: self.creates() >= goal, "calls are made")
            daemon.popen.send_signal(signal.SIGSTOP)
            # What is in flight ends at the service, and its own time passes: longer than the call's time-out.
            wait_until(lambda: self.service_state()["calls_in_flight"] == 0, "the calls in flight ended")
            threading.Event().wait(1.5)
            daemon.popen.send_signal(signal.SIGCONT)
        wait_until(lambda: self.states() == {"confirmed": 200}, "all is confirmed")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len(self.held()), 200)
        self.assert_nothing_twice()

    def test_out_of_file_descriptors_is_told_and_survived(self):
        self.write_tokens(range(1, 101))
        self.push()
        self.faults(latency_ms=50)
        self.settings["api"]["concurrency"] = 64
        self.write_config()
        daemon = self.start_daemon(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
        wait_until(lambda: len(self.held()) == 100 or not daemon.running(), "the end, one way or the other")
        daemon.stop()
        self.sync(expect=0)
        self.assertEqual(self.states(), {"confirmed": 100})
        self.assertEqual(len(self.held()), 100)
        self.assert_nothing_twice()


if __name__ == "__main__":
    unittest.main(verbosity=2)
