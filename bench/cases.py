"""What is measured, and what it shall come to: the one list that bench.py runs through."""

from dataclasses import dataclass, field

BACKENDS = ("openssl", "libtls", "wolfssl")
BUSY_POLL = ("--busy-poll", "60")  # microseconds; portls alone, and off in every other case


@dataclass(frozen=True)
class Case:
    """One row of a table."""

    name: str
    work: str
    text: str
    options: tuple = ()
    # cpu: seconds of both sides per run; calls, socket-calls: system calls of a separate, traced
    # run; instructions: of a separate run under valgrind; heap, resident: bytes per connection; wall: the
    # client's seconds; threads: how much faster portls is with two threads than with one.
    figure: str = "cpu"
    # At most this ratio to the library by hand, per backend in the order of BACKENDS; for
    # socket-calls and instructions a plain number; for threads at least this ratio.
    target: tuple = ()
    # How often the work repeats, for OpenSSL and libtls, and for wolfSSL, which Debian builds
    # without the processor's AES.
    count: tuple = (1, 1)
    floor: bool = True
    # What only the portls side is told.
    portls_options: tuple = ()
    system_roots: bool = False
    tags: tuple = field(default=())

    def target_of(self, backend):
        return self.target[BACKENDS.index(backend)] if self.target else None

    def count_of(self, backend):
        return self.count[1] if backend == "wolfssl" else self.count[0]


def bulk(name, text, size, megabytes, **more):
    """A bulk case of so many MB in writes of `size`."""
    counts = tuple(max(1, megabyte * 1048576 // size) for megabyte in megabytes)
    return Case(name, "bulk", text, ("--size", str(size)), count=counts, **more)


def many(connections):
    return Case(
        f"many-{connections}",
        "many",
        f"{connections} connections served by one thread, 1 KB there and back",
        ("--connections", str(connections), "--size", "1024"),
        count=(20000, 6000),
    )


CASES = [
    bulk("bulk-1k", "bulk, 1 KB writes, each flushed", 1024, (64, 16)),
    bulk("bulk-16k", "bulk, 16 KB writes, each flushed", 16384, (256, 24), target=(0.95, 0.97, 0.99)),
    bulk("bulk-64k", "bulk, 64 KB writes", 65536, (512, 24), target=(0.76, 0.78, 0.99)),
    bulk("bulk-1m", "bulk, 1 MB writes", 1048576, (512, 24), target=(0.76, 0.78, 0.99)),
    bulk(
        "block-1k",
        "bulk, 1 KB writes, portls in block mode",
        1024,
        (64, 16),
        target=(0.35, 0.40, 0.99),
        portls_options=("--gather",),
    ),
    bulk(
        "block-16k",
        "bulk, 16 KB writes, portls in block mode",
        16384,
        (256, 24),
        target=(0.78, 0.80, 0.99),
        portls_options=("--gather",),
    ),
    Case(
        "duplex",
        "duplex",
        "both ways at once, 16 KB writes",
        ("--size", "16384"),
        count=(8192, 768),
    ),
    Case(
        "handshake",
        "handshake",
        "full handshake, ECDSA P-256",
        target=(0.97, 0.98, 1.00),
        count=(300, 150),
    ),
    Case(
        "handshake-wrap",
        "handshake",
        "full handshake, ECDSA P-256, portls wraps a socket",
        count=(300, 150),
        portls_options=("--wrap",),
    ),
    Case(
        "handshake-rsa",
        "handshake",
        "full handshake, RSA-2048",
        ("--certificate", "server-rsa2048"),
        count=(300, 100),
    ),
    Case(
        "system-roots",
        "handshake",
        "full handshake, the client trusts the system's roots",
        target=(1.00, 0.30, 1.00),
        count=(100, 100),
        system_roots=True,
    ),
    Case(
        "connection",
        "connection",
        "a new connection that sends 100 bytes and closes",
        ("--size", "100"),
        count=(300, 150),
    ),
    Case(
        "first-answer",
        "answer",
        "the first answer to a client by hand without TCP_NODELAY",
        ("--size", "100", "--hand-client"),
        figure="wall",
        target=(1.00, 1.00, 1.00),
        count=(200, 100),
        floor=False,
    ),
    Case(
        "accept-2-threads",
        "accept",
        "handshake, RSA-4096: two accepting threads, beside it one, and how many times as fast",
        ("--certificate", "server-rsa4096"),
        figure="threads",
        target=(1.60, 1.60, 1.60),
        count=(600, 150),
        floor=False,
    ),
    Case(
        "pingpong-1",
        "pingpong",
        "1 byte there and back",
        ("--size", "1"),
        target=(0.92, 0.94, 0.96),
        count=(20000, 20000),
    ),
    Case(
        "pingpong-1-busy",
        "pingpong",
        "1 byte there and back, portls with a busy poll of 60 µs",
        ("--size", "1"),
        count=(20000, 20000),
        portls_options=BUSY_POLL,
    ),
    Case(
        "pingpong-1k",
        "pingpong",
        "1 KB there and back",
        ("--size", "1024"),
        count=(20000, 6000),
    ),
    Case(
        "pingpong-1k-busy",
        "pingpong",
        "1 KB there and back, portls with a busy poll of 60 µs",
        ("--size", "1024"),
        count=(20000, 6000),
        portls_options=BUSY_POLL,
    ),
    many(1),
    many(10),
    many(100),
    many(1000),
    Case(
        "idle",
        "idle",
        "server's heap per idle connection after a byte each way",
        ("--connections", "10000"),
        figure="heap",
        target=(0.33, 1.03, 0.60),
        floor=False,
    ),
    Case(
        "idle-used",
        "idle",
        "server's resident memory per idle connection after 16 KB each way",
        ("--connections", "10000", "--size", "16384"),
        figure="resident",
        floor=False,
    ),
    Case(
        "calls-64k",
        "bulk",
        "system calls per MB, 64 KB writes",
        ("--size", "65536"),
        figure="calls",
        target=(0.35, 0.35, 0.35),
        count=(512, 512),
    ),
    Case(
        "calls-handshake",
        "handshake",
        "sends and receives of a handshake, 1 byte, close_notify each way: client, server",
        ("--settle",),
        figure="socket-calls",
        target=((3, 2, 4, 3), (3, 2, 3, 3), (3, 2, 4, 3)),  # libtls sends no ticket
        count=(20, 20),
        floor=False,
    ),
    Case(
        "instructions",
        "pipe",
        "instructions per 1 KB write and read through memory",
        ("--size", "1024"),
        figure="instructions",
        target=(600, 600, 600),
        count=(200, 200),
        floor=False,
    ),
]
