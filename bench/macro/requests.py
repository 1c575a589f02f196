# SPDX-License-Identifier: Apache-2.0
"""Requests for wrk, by name: what a load looks like matters as soon as a server remembers something of it."""

import contextlib
import tempfile

BROWSER = """
wrk.headers["Connection"] = "keep-alive"
wrk.headers["Cache-Control"] = "max-age=0"
wrk.headers["Upgrade-Insecure-Requests"] = "1"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " ..
  "Chrome/119.0.0.0 Safari/537.36"
wrk.headers["Accept"] = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
wrk.headers["Sec-Fetch-Site"] = "none"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
wrk.headers["Accept-Language"] = "en-US,en;q=0.9"
wrk.headers["Cookie"] = "session=5f2b8abc; theme=dark"
"""
COUNTED = """
local n = 10000000
function request()
  n = n + 1
  return wrk.format("GET", "/?n=" .. n)
end
"""
STRANGERS = """
local n = 10000000
function request()
  n = n + 1
  wrk.headers["Cookie"] = "session=" .. n .. "; theme=dark"
  return wrk.format("GET", "/?n=" .. n)
end
"""

SCRIPTS = {
    "hello": "",  # the same short request each time
    "counted": COUNTED,  # its target differs each time
    "browser": BROWSER + COUNTED,  # that, with the header lines of a browser
    "strangers": BROWSER + STRANGERS,  # one of which differs each time, too
}


@contextlib.contextmanager
def script(name):
    """The path of wrk's script for these requests; None for wrk's own."""
    if not SCRIPTS[name]:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(SCRIPTS[name])
        file.flush()
        yield file.name
