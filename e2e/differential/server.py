"""Runs many commands of the verifier in one process. A line of JSON, {args, stdin}, is answered by a line {code, stdout, stderr}."""

import base64
import contextlib
import functools
import io
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent"))

import ed25519  # noqa: E402
from verify import main  # noqa: E402

# Most mutants have the checkpoints of the file that they were made from.
ed25519.verify = functools.lru_cache(10_000)(ed25519.verify)


def run(args, stdin):
    stdout, stderr, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = main(args)
    except SystemExit as stop:
        code = stop.code
    except Exception as error:
        code = f"{type(error).__name__}: {error}"
    finally:
        sys.stdin = before
    return {"code": code, "stdout": stdout.getvalue(), "stderr": stderr.getvalue()}


for line in sys.stdin:
    request = json.loads(line)
    answer = run(request["args"], base64.b64decode(request["stdin"]))
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
