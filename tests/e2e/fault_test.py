"""Faults of the network on the real program: whatever becomes of a call at whichever byte, every token is created once in
the end, and is what git says. TOKENSYNC_FAULT_STRIDE=1 hurts every byte."""

import itertools
import os
import re
import signal
import threading
import unittest

from fault_proxy import CUT, DELAY, GARBLE, REPLY, REQUEST, SILENT, Fault, FaultProxy
from harness import UncheckedWorld, wait_until

STRIDE = int(os.environ.get("TOKENSYNC_FAULT_STRIDE", "61"))
TIMEOUT = 0.4  # of a call; a lost one settles for twice as long
GARBLE_STRIDE = max(1, STRIDE // 6)
# A delay that is only slow, and one that brings a request when it was given up, and before it is settled.
SLOW, LATE = 0.1, TIMEOUT * 1.5
CREATE, READ = "CreateToken", "GetToken"


class Network(UncheckedWorld):
    """A proxy between the program and the service."""

    def setUp(self):
        super().setUp()
        self.settings["api"].update(timeout=f"{TIMEOUT * 1000:.0f}ms", concurrency=16)

    def start_proxy(self, plan, struck=None):
        proxy = FaultProxy(self.url, plan, struck)
        self.addCleanup(proxy.close)
        self.settings["api"]["endpoint"] = proxy.url
        self.write_config()
        return proxy

    @staticmethod
    def number_in(request):
        found = re.search(rb'"tokenId":"(\d+)"', request)
        return int(found.group(1)) if found else None

    def lengths(self):
        """The bytes of a request and of a reply, of both calls."""
        self.write_tokens([3333])
        self.push()
        proxy = self.start_proxy(lambda method, _: Fault(REPLY, CUT, 0) if method == CREATE else None)
        ledger = self.settings["ledger"]["path"]
        self.settings["ledger"]["path"] = self.path("state/lengths.db")
        self.write_config()
        self.sync(expect=0)
        self.settings["ledger"]["path"] = ledger
        os.remove(self.path("state/lengths.db"))
        self.reset_service()
        self.command("rm", "-r", self.path("clone/tokens"))
        return {method: dict(zip((REQUEST, REPLY), proxy.longest[method])) for method in (CREATE, READ)}

    @staticmethod
    def every(length, stride, side, kind, seconds=0.0):
        return [Fault(side, kind, offset, seconds) for offset in range(0, length, stride)]

    def converge(self, deadline=900):
        daemon = self.start_daemon()
        self.await_control()
        wait_until(self.trigger_is_complete, "all is confirmed", deadline)
        self.assertEqual(daemon.stop(), 0)

    @staticmethod
    def tell(what, faults):
        print(f"{what}: {len(faults)} calls hurt, at every {STRIDE}th byte; duplicates 0, losses 0")


class Hurt(Network):
    def hurt_creates(self, faults):
        """Hurts the first create of each odd token, so that good calls lie between the bad ones."""
        seen = set()

        def plan(method, request):
            number = self.number_in(request)
            if method != CREATE or number % 2 == 0 or number in seen:
                return None
            seen.add(number)
            return faults[number // 2]

        self.start_proxy(plan)
        numbers = range(1, 2 * len(faults) + 1)
        self.write_tokens(numbers)
        self.push()
        self.converge()
        self.assertEqual(len(seen), len(faults))
        self.assert_converged(numbers)

    def hurt_readings(self, faults, applied):
        """Loses the first create of each odd token, and hurts its first reading back."""
        seen = {CREATE: set(), READ: set()}

        def plan(method, request):
            number = self.number_in(request)
            if method not in seen or number % 2 == 0 or number in seen[method]:
                return None
            seen[method].add(number)
            if method == CREATE:
                return Fault(REPLY if applied else REQUEST, CUT, 0 if applied else 100)
            return faults[number // 2]

        self.start_proxy(plan)
        numbers = range(1, 2 * len(faults) + 1)
        self.write_tokens(numbers)
        self.push()
        self.converge()
        self.assertEqual(len(seen[READ]), len(faults))
        return numbers

    def test_a_create_hurt_at_any_byte_is_done_once(self):
        length = self.lengths()[CREATE]
        faults = self.every(length[REPLY], STRIDE, REPLY, GARBLE)
        for side, (kind, seconds) in itertools.product((REQUEST, REPLY),
                                                       ((CUT, 0), (SILENT, 0), (DELAY, SLOW), (DELAY, LATE))):
            faults += self.every(length[side], STRIDE, side, kind, seconds)
        self.hurt_creates(faults)
        self.tell("creates cut, silenced, delayed, made late or garbled in the reply", faults)

    def test_a_reading_hurt_at_any_byte_decides_nothing_wrongly(self):
        length = self.lengths()[READ]
        faults = []
        for side, (kind, seconds) in itertools.product((REQUEST, REPLY),
                                                       ((CUT, 0), (SILENT, 0), (DELAY, SLOW), (DELAY, LATE))):
            faults += self.every(length[side], STRIDE, side, kind, seconds)
        half = len(faults) // 2
        self.assert_converged(self.hurt_readings(faults[:half], applied=True))
        self.reset_service()
        self.settings["ledger"]["path"] = self.path("state/second.db")
        self.assert_converged(self.hurt_readings(faults[half:], applied=False))
        self.tell("readings cut, silenced, delayed or made late", faults)


class Garbled(Network):
    """A bit that turned in a request is a request for something else, and one in a reading is news of something else.
    Whatever the program then believes, it must not be wrong in silence."""

    # Another digit makes another token; these digits become 4 to 7 or none at all, so that it is never a declared one.
    NUMBERS = [int("".join(digits)) for digits in itertools.product("12389", "01238", "01238", "01238", "01238")]

    def garble(self, method, side):
        length = self.lengths()[method][side]
        faults = self.every(length, GARBLE_STRIDE, side, GARBLE)
        # Every second call is left as it is: a service that answers nothing rightly is another story.
        self.numbers = numbers = self.NUMBERS[:2 * len(faults)]
        fault_of = dict(zip(numbers[1::2], faults))
        seen = {CREATE: set(), READ: set()}
        requests = {}

        def plan(called, request):
            number = self.number_in(request)
            if called not in seen or number not in numbers or number in seen[called]:
                return None
            seen[called].add(number)
            if called == method and number in fault_of:
                requests[number] = request
                return fault_of[number]
            return Fault(REPLY, CUT, 0) if (called, method) == (CREATE, READ) else None

        self.start_proxy(plan)
        self.write_tokens(numbers)
        self.push()
        self.start_daemon()
        self.await_control()
        wait_until(lambda: self.run_program("trigger", "--wait") and self.decided(numbers), "all is decided", 900)
        self.assert_nothing_twice()
        self.assertEqual(len(requests), len(faults))
        return fault_of, requests

    def decided(self, numbers):
        states = self.entry_states()
        return len(states) == len(numbers) and set(states.values()) <= {"confirmed", "rejected", "conflicting"}

    def test_a_request_garbled_at_any_byte_is_never_wrong_in_silence(self):
        fault_of, requests = self.garble(CREATE, REQUEST)
        held, states = self.held(), self.entry_states()
        counts = {"right": 0, "rejected": 0, "conflicting": 0, "elsewhere": 0}
        for number, fault in fault_of.items():
            state = states[str(number)]
            text = "; ".join(str(record[member]) for record in self.history("--token", f"1/7/{number}")
                             for member in ("detail", "cause", "message") if record[member])
            token = held.get(str(number), {}).get("token")
            if state == "rejected":
                self.assertIsNone(token, f"{fault}: rejected, and yet created")
                self.assertNotEqual(text, "")
                counts["rejected"] += 1
            elif self.asks_for_another_collection(requests[number], fault):
                # The request is a right one for another collection, and no reply ever names the collection.
                counts["elsewhere"] += 1
            elif token is not None and token["name"] == f"Token {number}":
                self.assertEqual(state, "confirmed", f"{fault}: {text}")
                counts["right"] += 1
            else:
                self.assertEqual(state, "conflicting", f"{fault}: the service holds {token}; {text}")
                self.assertIn("name", text)
                counts["conflicting"] += 1
        strays = set(held) - {str(n) for n in self.numbers}
        print(f"requests garbled at every {GARBLE_STRIDE}th byte: {len(fault_of)}; in the end {counts}; "
              f"{len(strays)} tokens with another id created by them; duplicates 0, silent differences 0")
        self.assertEqual(self.daemon.stop(), 0)

    @staticmethod
    def asks_for_another_collection(request, fault):
        return any(re.match(rb'.*"%s": ?$' % name, request[:fault.offset], re.S) for name in
                   (b"projectId", b"collectionId"))

    def garble_readings(self, side):
        fault_of, _ = self.garble(READ, side)
        states = self.entry_states()
        conflicts = [n for n in fault_of if states[str(n)] == "conflicting"]
        self.assertEqual(set(states.values()) - {"conflicting"}, {"confirmed"})
        for number in conflicts:
            last = self.history("--token", f"1/7/{number}")[-1]
            self.assertEqual(last["event"], "read-different")
            self.assertTrue(last["detail"], f"{fault_of[number]}")
        self.see_to(conflicts)
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_converged(self.numbers)
        print(f"readings garbled in the {side} at every {GARBLE_STRIDE}th byte: {len(fault_of)}; "
              f"told as conflicts that were none: {len(conflicts)}; duplicates 0, losses 0")

    def see_to(self, numbers):
        """What a person does about a conflict: changes git, and here back again."""
        for description in ("seen to", ""):
            self.write_tokens(numbers, description=description)
            self.push()
            self.trigger_is_complete()

    def test_a_reading_whose_request_is_garbled_is_never_wrong_in_silence(self):
        self.garble_readings(REQUEST)

    def test_a_reading_whose_reply_is_garbled_is_never_wrong_in_silence(self):
        self.garble_readings(REPLY)


class KilledInMidCall(Network):
    """kill -9 when a call is at a certain byte of its request or its reply."""

    STRIDE = int(os.environ.get("TOKENSYNC_KILL_STRIDE", "199"))

    def test_kill_nine_at_a_byte_of_a_create_or_of_its_reading(self):
        lengths = self.lengths()
        faults = []
        for method, side, kind in itertools.product((CREATE, READ), (REQUEST, REPLY), (CUT, DELAY)):
            faults += [(method, fault) for fault in self.every(lengths[method][side], self.STRIDE, side, kind, SLOW)]
        # Each fault strikes once, whichever call comes along for it.
        left = {method: [fault for m, fault in faults if m == method] for method in (CREATE, READ)}
        struck = threading.Event()
        lock = threading.Lock()

        def plan(method, _):
            with lock:
                if struck.is_set() or not left.get(method) or not self.daemon.running():
                    return None
                return left[method][-1]

        def kill(fault):
            with lock:
                # Two calls may be on their way to the same byte.
                if struck.is_set():
                    return
                for faults_left in left.values():
                    if faults_left and faults_left[-1] is fault:
                        faults_left.pop()
                        struck.set()
                        self.daemon.popen.send_signal(signal.SIGKILL)
                        return

        self.settings["api"]["concurrency"] = 4
        self.start_proxy(plan, kill)
        numbers = range(1, 20 * len(faults) + 1)
        self.write_tokens(numbers)
        self.push()
        kills = 0
        while any(left.values()):
            struck.clear()
            self.start_daemon()
            wait_until(lambda: not self.daemon.running() or self.all_done(numbers), "the daemon is killed")
            self.daemon.kill()
            if not struck.is_set():
                break
            kills += 1
        self.assertEqual(left, {CREATE: [], READ: []}, "there were too few tokens for all faults")
        self.converge()
        self.assert_converged(numbers)
        print(f"kill -9 in mid-call: {kills} times, at every {self.STRIDE}th byte of creates and readings; "
              f"{len(numbers)} tokens, duplicates 0, losses 0")

    def all_done(self, numbers):
        return self.states() == {"confirmed": len(numbers)}


if __name__ == "__main__":
    unittest.main(verbosity=2)
