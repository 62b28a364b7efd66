"""Push webhooks as the forges send them, signed by Python's hmac."""

import dataclasses
import hashlib
import hmac
import json
import urllib.error
import urllib.request
import uuid


@dataclasses.dataclass
class Delivery:
    path: str
    headers: dict
    body: bytes


def signed(secret, body):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _body(event):
    return json.dumps(event, separators=(",", ":")).encode()


def _push(repository, ref, commit):
    """What GitHub, Gitea and Forgejo say alike."""
    return {"ref": ref, "before": "0" * 40, "after": commit,
            "repository": {"full_name": repository, "name": repository.split("/")[-1],
                           "clone_url": f"https://git.example.com/{repository}.git"},
            "pusher": {"name": "ada", "login": "ada"},
            "commits": [{"id": commit, "message": "Bring tokens", "author": {"name": "Ada Example"}}]}


def github(secret, repository, ref, commit, event="push"):
    body = _body({"zen": "Keep it logically awesome.", "hook_id": 1, "repository": {"full_name": repository}}
                 if event == "ping" else _push(repository, ref, commit))
    return Delivery("/webhook/github", {"X-GitHub-Event": event, "X-GitHub-Delivery": str(uuid.uuid4()),
                                        "X-Hub-Signature-256": "sha256=" + signed(secret, body)}, body)


def gitlab(secret, repository, ref, commit):
    tag = ref.startswith("refs/tags/")
    body = _body({"object_kind": "tag_push" if tag else "push", "event_name": "tag_push" if tag else "push", "ref": ref,
                  "before": "0" * 40, "after": commit, "checkout_sha": commit,
                  "project": {"path_with_namespace": repository,
                              "git_http_url": f"https://git.example.com/{repository}.git"}})
    return Delivery("/webhook/gitlab", {"X-Gitlab-Event": "Tag Push Hook" if tag else "Push Hook",
                                        "X-Gitlab-Token": secret}, body)


def gitea(secret, repository, ref, commit):
    body = _body(_push(repository, ref, commit))
    return Delivery("/webhook/gitea", {"X-Gitea-Event": "push", "X-Gitea-Delivery": str(uuid.uuid4()),
                                       "X-Gitea-Signature": signed(secret, body)}, body)


def forgejo(secret, repository, ref, commit):
    body = _body(_push(repository, ref, commit))
    return Delivery("/webhook/forgejo", {"X-Forgejo-Event": "push", "X-Gitea-Event": "push",
                                         "X-Forgejo-Signature": signed(secret, body),
                                         "X-Gitea-Signature": signed(secret, body)}, body)


def bitbucket(secret, repository, ref, commit):
    kind, name = ("tag", ref.removeprefix("refs/tags/")) if ref.startswith("refs/tags/") else (
        "branch", ref.removeprefix("refs/heads/"))
    body = _body({"push": {"changes": [{"old": None, "new": {"type": kind, "name": name, "target": {"hash": commit}}}]},
                  "repository": {"full_name": repository}})
    return Delivery("/webhook/bitbucket", {"X-Event-Key": "repo:push", "X-Request-UUID": str(uuid.uuid4()),
                                           "X-Hub-Signature": "sha256=" + signed(secret, body)}, body)


def generic(secret, repository, ref, commit):
    body = _body({"ref": ref, "after": commit, "repository": repository})
    return Delivery("/webhook/generic", {"X-Tokensync-Signature-256": "sha256=" + signed(secret, body)}, body)


FORGES = (github, gitlab, gitea, forgejo, bitbucket, generic)


def send(address, delivery, context=None):
    """Delivers it to HOST:PORT; gives the status and what was answered."""
    scheme = "https" if context else "http"
    request = urllib.request.Request(f"{scheme}://{address}{delivery.path}", data=delivery.body,
                                     headers={"Content-Type": "application/json", **delivery.headers})
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
