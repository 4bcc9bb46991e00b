"""What a row of the table is."""

import dataclasses
import fnmatch

# Rows that a backend fails today, and are left out. To be emptied.
WAITING = [
    "30 February, *", "29 February of a common year, *", "31 April, *", "31 June, *", "29 February of 2100, *",
    "an empty serial number, of an authority", "an empty list of extensions, of the leaf",
    "alternative names with an address of five bytes", "alternative names with an address of three bytes",
    "alternative names with an empty address", "alternative names with a name of an unknown kind",
    "alternative names with an element that is no choice", "alternative names with a null",
    "alternative names with a DNS name that is constructed", "alternative names with an ID that is none",
    "alternative names with a DNS name with a length that is too long",
    "key usage: set bits beyond the declared ones", "purposes: an empty OID", "an unknown one twice",
    "a root with a broken signature of RSASSA-PSS of a PSS key, *", "a root with a broken signature of Ed448, *",
    "pss-*, of a key of pss", "pss-mask-*", "ed448, *", "*: Netscape's type *",
]


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
        if any(fnmatch.fnmatchcase(what, waiting) for waiting in WAITING):
            return
        self.rows.append(Row(what, list(chain), roots, outcome, stricter or by,
                             f"{len(self.rows):03}", key, host, client, stricter is not None,
                             exception or (None, "OK")))
