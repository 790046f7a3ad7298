"""Whoever guesses codes of confirmations is refused, and nobody who holds one waits for it.

    .venv/bin/python bench/codes.py http://127.0.0.1:8000 CODE

Against a running platform: how long the check of a real CODE takes alone, while somebody guesses
200 codes a minute, and while four guess as fast as they can; and what those who guess are told.
Only the first 30 wrong codes a minute are answered with 404 (all web processes count together),
so that a second run within the same minute finds them used up.
"""

from __future__ import annotations

import argparse
import http.client
import secrets
import statistics
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
PAUSE_S = 0.05  # between two real checks
GUESSERS = (("200 guesses a minute", 1, 0.3), ("four as fast as they can", 4, 0.0))


def ask(host: str, code: str) -> tuple[int, float]:
    """The answer's code, and how many milliseconds it took."""
    connection = http.client.HTTPConnection(host, timeout=20)
    began = time.perf_counter()
    connection.request("GET", f"/confirm/{code}/")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, (time.perf_counter() - began) * 1000


def guess(host: str, pause: float, told: Counter[int], over: threading.Event) -> None:
    while not over.is_set():
        told[ask(host, "".join(secrets.choice(SIGNS) for _place in range(26)))[0]] += 1
        over.wait(pause)


def checks(host: str, code: str, times: int) -> str:
    """Median and 95th percentile of real checks; each must be answered."""
    took = []
    for _time in range(times):
        status, milliseconds = ask(host, code)
        if status != 200:
            raise SystemExit(f"the real code was answered with {status}")
        took.append(milliseconds)
        time.sleep(PAUSE_S)
    took.sort()
    return f"median {statistics.median(took):6.1f} ms, p95 {took[int(times * 0.95)]:6.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home")
    parser.add_argument("code")
    parser.add_argument("--times", type=int, default=400)
    options = parser.parse_args()
    host = urlsplit(options.home).netloc
    checks(host, options.code, 20)
    print(f"{'alone':26}{checks(host, options.code, options.times)}")
    for name, people, pause in GUESSERS:
        told: Counter[int] = Counter()
        over = threading.Event()
        crowd = [
            threading.Thread(target=guess, args=(host, pause, told, over)) for _one in range(people)
        ]
        for one in crowd:
            one.start()
        print(f"{name:26}{checks(host, options.code, options.times)}, guesses {dict(told)}")
        over.set()
        for one in crowd:
            one.join()


if __name__ == "__main__":
    main()
