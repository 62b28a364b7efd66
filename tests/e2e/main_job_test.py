"""The main job, with real git, the real program and the stand-in service."""

import base64
import json
import os
import resource
import secrets
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import PROGRAM, SOURCE, World, wait_until


class MainJob(World):
    def test_every_declared_token_is_created_once_and_recorded(self):
        self.write_tokens(range(1, 21), description="A long story")
        head = self.push("Bring the first twenty")
        done = self.sync()
        self.assertIn("20 created", done.stdout + done.stderr)
        self.assertEqual(len(self.held()), 20)
        self.assertEqual(self.states(), {"confirmed": 20})
        self.assert_nothing_twice()
        record = self.history("--token", "1/7/3")[-1]
        self.assertEqual(record["commit"], head)
        self.assertEqual(record["author"], "Ada Example <ada@example.com>")
        self.assertEqual(record["subject"], "Bring the first twenty")
        self.assertEqual((record["path"], record["line"]), ("tokens/0/3.yaml", 5))
        self.assertEqual((record["event"], record["state"], record["attempt"], record["http_status"]),
                         ("token-created", "confirmed", 1, 200))

    def test_a_pass_over_an_unchanged_repository_makes_no_call_and_writes_nothing(self):
        self.write_tokens(range(1, 6))
        self.push()
        self.sync()
        calls = self.service_state()["calls"]
        with self.ledger() as ledger:
            before = list(ledger.iterdump())
        self.sync()
        self.sync()
        with self.ledger() as ledger:
            self.assertEqual(before, list(ledger.iterdump()))
        self.assertEqual(self.service_state()["calls"], calls)
        self.assertEqual(self.run_program("plan", expect=0).returncode, 0)

    def test_white_space_comments_and_key_order_make_no_action(self):
        self.write("a.yaml", "projectId: 1\ncollectionId: 7\ntoken:\n  tokenId: 5\n  name: Five\n"
                             "  properties: {a: 1, b: [x, y]}\n")
        self.push()
        self.sync()
        self.write("a.yaml", "# a comment\ncollectionId: 7\nprojectId: 1\n\ntoken:\n    name: \"Five\"\n    tokenId: '5'\n"
                             "    description: ''\n    properties:\n        b:\n        - x\n        - y\n        a: 1.0\n")
        self.push()
        plan = json.loads(self.run_program("plan", "--json", expect=0).stdout)
        self.assertEqual(plan["actions"], [])
        self.sync()
        self.assertEqual(self.creates(), 1)

    def test_changed_and_removed_tokens_are_reported_once_and_left_alone(self):
        self.write_tokens([1, 2, 3])
        self.push()
        self.sync()
        self.write_tokens([1], description="changed")
        os.remove(os.path.join(self.clone, "tokens/0/2.yaml"))
        self.push("Change one, remove two")
        self.assertEqual(self.run_program("plan", expect=0).returncode, 0)
        self.sync(expect=0)
        self.sync(expect=0)
        reports = [r for r in self.history() if r["action"] == "report"]
        self.assertEqual([(r["key"], r["detail"]) for r in reports], [("1/7/1", "changed"), ("1/7/2", "removed")])
        self.assertNotEqual(reports[0]["digest"], reports[0]["other_digest"])
        self.assertEqual(reports[1]["subject"], "Change one, remove two")
        self.assertEqual(self.service_state()["calls"], {"CreateToken": 3, "ListTokens": 1})
        self.assertEqual(set(self.held()), {"1", "2", "3"})

    def test_one_bad_manifest_stops_nobody_else(self):
        self.write_tokens(range(1, 1000))
        self.write("tokens/bad.yaml", "projectId: 1\ncollectionId: 7\ntoken:\n  tokenId: 1000\n  nam: Thousand\n")
        self.push()
        done = self.sync(expect=3)
        self.assertIn("tokens/bad.yaml:5:3", done.stdout + done.stderr)
        self.assertIn("name", done.stdout + done.stderr)
        self.assertEqual(len(self.held()), 999)
        self.write("tokens/bad.yaml", self.manifest(1000))
        self.push("Mend it")
        self.sync(expect=0)
        self.assertEqual(len(self.held()), 1000)
        self.assertEqual(self.creates(), 1000)

    def test_a_token_that_exists_with_another_content_is_a_conflict_and_not_overwritten(self):
        self.ask_service("/standin/tokens", [{"projectId": 1, "collectionId": 7, "token": {"tokenId": "4", "name": "Theirs"}}])
        self.write_tokens([4])
        self.push()
        self.sync(expect=3)
        self.assertEqual(self.held()["4"]["token"]["name"], "Theirs")
        self.assertEqual(self.states(), {"conflicting": 1})
        record = self.history("--token", "1/7/4")[-1]
        self.assertEqual((record["event"], record["state"]), ("read-different", "conflicting"))
        self.assertIn("Theirs", record["detail"])

    def test_a_lost_reply_is_resolved_by_reading_and_not_by_sending_again(self):
        self.write_tokens(range(1, 11))
        self.push()
        self.faults(rules=[{"effect": "cut", "method": "CreateToken", "token_id": "4", "times": 1, "applies": True},
                           {"effect": "cut", "method": "CreateToken", "token_id": "6", "times": 1}])
        self.sync(expect=0)
        self.assertEqual(self.states(), {"confirmed": 10})
        self.assertEqual(len(self.held()), 10)
        self.assert_nothing_twice()
        events = [r["event"] for r in self.history("--token", "1/7/4")]
        self.assertEqual(events, ["create-intended", "create-lost", "read-equal"])
        events = [r["event"] for r in self.history("--token", "1/7/6")]
        self.assertEqual(events[:2] + events[-2:], ["create-intended", "create-lost", "create-intended", "token-created"])
        self.assertGreaterEqual(events.count("read-absent"), 2)

    def test_a_refused_credential_ends_the_pass_with_77_and_the_token_is_nowhere(self):
        self.write_tokens(range(1, 301))
        self.push()
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write("x" + self.bearer[::-1])
        secret = ("x" + self.bearer[::-1]).encode()
        done = self.sync(expect=77)
        self.assertLessEqual(self.creates(), 32)
        self.assertIn("credential", done.stderr)
        daemon = self.start_daemon()
        wait_until(lambda: "credential" in daemon.stderr(), "the daemon tells")
        status = self.run_program("status", expect=0).stdout
        self.assertIn("credential", status)
        with open(f"/proc/{daemon.popen.pid}/limits", encoding="utf-8") as file:
            self.assertRegex(file.read(), r"Max core file size +0 +0 ")
        seen = [done.stdout.encode(), done.stderr.encode(), status.encode()]
        for name in ("cmdline", "environ"):
            with open(f"/proc/{daemon.popen.pid}/{name}", "rb") as file:
                seen.append(file.read())
        self.assertEqual(daemon.stop(), 0)
        for folder, _, files in os.walk(self.folder):
            for name in files:
                if os.path.join(folder, name) != self.token_file:
                    with open(os.path.join(folder, name), "rb") as file:
                        seen.append(file.read())
        for text in seen:
            self.assertNotIn(secret, text)

    def test_rejected_tokens_name_the_services_reason(self):
        self.write_tokens([1, 2])
        self.push()
        self.faults(rules=[{"effect": "error", "error": "ValidationFailed", "cause": "name is not nice", "token_id": "2",
                            "method": "CreateToken"}])
        self.sync(expect=3)
        record = self.history("--token", "1/7/2")[-1]
        self.assertEqual((record["state"], record["error_name"], record["error_code"]), ("rejected", "ValidationFailed", 2004))
        self.sync(expect=3)
        self.assertEqual(self.creates(), 2)
        self.assertIn("1/7/2", self.run_program("status", expect=0).stdout)

    def test_a_service_that_asks_to_wait_is_waited_for(self):
        self.write_tokens(range(1, 31))
        self.push()
        self.faults(rate_limit={"calls": 10, "window_ms": 1000})
        self.sync(expect=0)
        self.assertEqual(len(self.held()), 30)
        self.assert_nothing_twice()

    def test_a_service_token_for_another_project_or_near_its_end_is_warned_of(self):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        claims = {"project": 30957, "account": 1, "exp": int(time.time()) + 3600}
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write(".".join([part({"alg": "none"}), part(claims), secrets.token_urlsafe(16)]))
        self.service.kill()
        self.service = self.start_service()
        self.settings["api"]["endpoint"] = self.url
        self.write_config()
        self.write_tokens([1])
        self.push()
        done = self.sync(expect=0)
        self.assertIn("token_project=30957 key=1/7/1", done.stderr)
        self.assertIn("expires soon", done.stderr)

    def test_two_runners_never_share_a_ledger(self):
        self.write_tokens([1])
        self.push()
        self.start_daemon()
        self.await_control()
        done = self.sync(expect=73)
        self.assertIn("tokensyncd trigger", done.stderr)

    def vendor_body(self, request):
        """What the vendor's own client sends for it."""
        name = self.path("request.json")
        with open(name, "w", encoding="utf-8") as file:
            json.dump(request, file)
        script = os.path.join(SOURCE, "tests/vendor/run.sh")
        return json.loads(self.command(script, os.environ["TOKENSYNC_VENDOR"], "--print-request", name))

    def sent_body(self, manifest):
        """What we send for a manifest that is the request itself, written as JSON."""
        self.write("manifest.json", json.dumps(manifest))
        self.push()
        self.sync()
        [request] = [r for r in self.ask_service("/standin/requests") if r["path"] == "/rpc/Collections/CreateToken"]
        return json.loads(request["body"])

    def test_the_published_example_is_sent_as_the_vendors_client_sends_it(self):
        with open(os.path.join(SOURCE, "tests/vendor/published_example.json"), encoding="utf-8") as file:
            example = json.load(file)
        expected = self.vendor_body(example)
        expected["token"]["attributes"] = []
        self.assertEqual(self.sent_body(example), expected)

    def test_the_four_fields_of_two_spellings_are_sent_in_both(self):
        token = {"tokenId": "5", "name": "Five", "image_data": "<svg/>", "external_url": "https://example.com/5",
                 "background_color": "00ff00", "animation_url": "https://example.com/5.mp4", "decimals": 2,
                 "attributes": [{"trait_type": "Rarity", "value": "Epic"}], "properties": {"n": 1.5, "deep": {"a": [1, None]}}}
        request = {"projectId": 1, "collectionId": 7, "private": True, "token": token}
        expected = self.vendor_body(request)
        expected["token"].update(imageData="<svg/>", externalUrl="https://example.com/5", backgroundColor="00ff00",
                                 animationUrl="https://example.com/5.mp4")
        self.assertEqual(self.sent_body(request), expected)


class Commands(World):
    def test_plan_tells_what_a_pass_would_do_and_does_nothing(self):
        self.write_tokens([1, 2])
        self.push()
        done = self.run_program("plan", expect=2)
        self.assertIn("2 to create", done.stdout)
        self.assertEqual(self.creates(), 0)
        self.assertFalse(os.path.exists(self.settings["ledger"]["path"]))
        plan = json.loads(self.run_program("plan", "--json", expect=2).stdout)
        self.assertEqual([a["key"] for a in plan["actions"]], ["1/7", "1/7/1", "1/7/2"])
        self.assertEqual([a["action"] for a in plan["actions"]], ["survey", "create", "create"])

    def test_plan_diff_shows_what_changed_field_by_field(self):
        self.write_tokens([1], description="old text")
        self.push()
        self.sync()
        self.write_tokens([1], description="new text")
        self.push()
        done = self.run_program("plan", "--diff", expect=0)
        self.assertIn("description", done.stdout)
        self.assertIn("old text", done.stdout)
        self.assertIn("new text", done.stdout)

    def test_sync_takes_a_revision(self):
        self.write_tokens([1])
        first = self.push()
        self.write_tokens([2])
        self.push()
        self.run_program("sync", "--revision", first[:12], expect=0)
        self.assertEqual(set(self.held()), {"1"})

    def test_colour_is_for_terminals_only(self):
        self.write_tokens([1])
        self.push()
        self.assertNotIn("\x1b", self.run_program("plan", expect=2).stdout)
        self.sync()
        self.assertNotIn("\x1b", self.run_program("history", expect=0).stdout)

    def test_bad_configuration_is_one_error_with_line_and_column(self):
        self.settings["api"]["concurency"] = 3
        self.write_config()
        done = self.run_program("sync", expect=78)
        self.assertRegex(done.stderr, r"tokensyncd\.yaml:\d+:\d+")
        self.assertIn("concurrency", done.stderr)

    def test_usage_errors_give_64(self):
        self.run_program("history", "--limit", "many", expect=64)
        self.run_program("frobnicate", expect=64)

    def test_every_command_has_help(self):
        for command in ("run", "sync", "plan", "validate", "status", "history", "trigger", "audit", "backup"):
            self.assertIn("Usage", self.run_program(command, "--help", expect=0).stdout)

    def test_trigger_without_a_daemon_says_so(self):
        done = self.run_program("trigger", expect=75)
        self.assertIn("control.sock", done.stderr)

    def test_audit_holds_after_a_sync_and_names_the_record_that_was_changed(self):
        self.write_tokens([1, 2, 3])
        self.push()
        self.sync()
        self.run_program("audit", expect=0)
        ledger = sqlite3.connect(self.settings["ledger"]["path"])
        for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            ledger.execute(f'DROP TRIGGER "{name}"')
        ledger.execute("UPDATE log SET attempt = 9 WHERE seq = 3")
        ledger.commit()
        ledger.close()
        done = self.run_program("audit", expect=65)
        self.assertIn("3", done.stdout + done.stderr)


class Trouble(World):
    def test_a_service_that_answers_html_is_told_and_nothing_is_lost(self):
        self.write_tokens(range(1, 4))
        self.push()
        self.faults(rules=[{"effect": "raw", "status": 404, "content_type": "text/html", "body": "<html>nginx</html>"}])
        done = self.sync(expect=78)
        self.assertIn("api.endpoint", done.stderr)
        self.faults(rules=[{"effect": "garbage", "kind": "html", "times": 1}])
        self.sync(expect=0)
        self.assertEqual(len(self.held()), 3)
        self.assert_nothing_twice()

    def test_an_unreachable_service_gives_75_and_a_later_sync_finishes(self):
        self.write_tokens(range(1, 4))
        self.push()
        self.service.kill()
        done = self.sync(expect=75)
        self.assertIn("cannot be reached", done.stderr)
        self.service = self.start_service()
        self.settings["api"]["endpoint"] = self.url
        self.write_config()
        done = self.sync(expect=73)
        self.assertIn("endpoint", done.stderr)

    def test_an_unreachable_repository_gives_75(self):
        self.settings["source"]["url"] = self.path("nowhere.git")
        self.write_config()
        done = self.sync(expect=75)
        self.assertIn("nowhere.git", done.stderr)

    def test_an_empty_repository_and_a_missing_branch_are_errors_and_not_an_empty_state(self):
        done = self.sync(expect=75)
        self.write_tokens([1])
        self.push()
        self.sync(expect=0)
        self.settings["source"]["branch"] = "release"
        self.write_config()
        done = self.sync(expect=75)
        self.assertIn("release", done.stderr)
        self.assertEqual([r for r in self.history() if r["action"] == "report"], [])

    def test_a_ledger_that_is_not_ours_is_refused_untouched(self):
        path = self.settings["ledger"]["path"]
        with open(path, "w", encoding="utf-8") as file:
            file.write("not a database, but somebody's notes\n" * 100)
        self.write_tokens([1])
        self.push()
        done = self.sync(expect=73)
        self.assertIn("ledger", done.stderr)
        with open(path, encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("not a database"))

    def test_a_full_disk_ends_the_pass_before_the_calls_that_cannot_be_recorded(self):
        self.write_tokens(range(1, 2001), description="x" * 500)
        self.push()
        self.sync_under_limit()
        self.sync(expect=0)
        self.assertEqual(len(self.held()), 2000)
        self.assertEqual(self.states(), {"confirmed": 2000})
        self.assert_nothing_twice()

    def sync_under_limit(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        done = subprocess.run([PROGRAM, "--config", self.config, "sync"], env=self.env, capture_output=True, text=True,
                              preexec_fn=limit, timeout=120, check=False)
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assertRegex(done.stderr, "the disk")


if __name__ == "__main__":
    unittest.main(verbosity=2)
