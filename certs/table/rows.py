"""What a row of the table is."""

import dataclasses
import pathlib

# Rows that a backend still fails, by name, one a line. They are left out.
WAITING = set((pathlib.Path(__file__).parent / "waiting.txt").read_text().splitlines())


@dataclasses.dataclass
class Row:
    what: str
    chain: list
    roots: list
    outcome: str  # OK, OTHER (refused, for any reason), or a reason of portls_verify_reason
    by: str
    number: str
    key: str
    host: str
    client: bool
    stricter: bool
    exception: tuple  # libraries, with commas between, and their own outcome


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, chain, root, outcome="OK", *, by="openssl verify", stricter=None, host=None,
            client=False, key="p256-row", exception=None):
        """Adds a row. `root`: an authority, or a list of certificates; `by`: what says so beside
        openssl verify; `stricter`: what says so where openssl verify accepts."""
        roots = root if isinstance(root, list) else [root.root]
        assert not exception or exception[1] == "OTHER"  # no library accepts what others refuse
        assert key == "p256-row" or outcome != "OTHER"  # which a wrong signature looks like
        if what in WAITING:
            return
        self.rows.append(Row(what, list(chain), roots, outcome, stricter or by,
                             f"{len(self.rows):03}", key, host, client, stricter is not None,
                             exception or (None, "OK")))
