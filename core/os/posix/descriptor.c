/* POSIX: reads, writes and closes descriptors. They may be blocking and shared with others, so
   nothing here relies on their flags or changes them. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#define _FILE_OFFSET_BITS 64 /* without it 32-bit systems fail for large sizes and inodes */

#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#if defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/filio.h>
#endif

#include "core/os/posix/posix.h"

/* Systems whose send cannot suppress SIGPIPE block the signal meanwhile. */
#if defined(MSG_NOSIGNAL)
#define SEND_FLAGS          (MSG_DONTWAIT | MSG_NOSIGNAL)
#define SEND_RAISES_SIGPIPE 0
#else
#define SEND_FLAGS          MSG_DONTWAIT
#define SEND_RAISES_SIGPIPE 1
#endif

enum {
    /* At most this much is read or written in one call, which takes a bounded time even where the
       other side is as fast, or a file. Some systems refuse more than INT_MAX bytes. */
    TRANSFER_MAX = 1 << 20,
    /* What a writable terminal takes without blocking, on Linux and the BSDs. */
    TERMINAL_PIECE = 64,
    /* What a writable pipe takes without blocking (POSIX). */
    PIPE_PIECE = PIPE_BUF,
};

int os_descriptor_kind(portls_descriptor descriptor, enum os_descriptor_kind *kind) {
    struct stat about;
    int number = system_number(descriptor);
    if (fstat(number, &about) != 0) {
        return errno;
    }
    if (S_ISSOCK(about.st_mode)) {
        *kind = OS_SOCKET;
    } else if (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) || S_ISDIR(about.st_mode)) {
        *kind = OS_FILE;
    } else if (S_ISCHR(about.st_mode) && isatty(number) != 0) {
        *kind = OS_TERMINAL;
    } else {
        /* Pipes, and devices that poll like pipes. */
        *kind = OS_PIPE;
    }
    return 0;
}

/* ---- signals ---- */

/* Changes the signal mask of the thread. */
static int set_mask(int how, const sigset_t *mask, sigset_t *before) {
    return pthread_sigmask(how, mask, before);
}

/* The signals that a write can raise, blocked in this thread. */
struct held_signals {
    sigset_t before;  /* the thread's mask */
    sigset_t pending; /* pending already, so not ours to take */
};

static void hold_signals(struct held_signals *held) {
    sigset_t raised;
    (void)sigemptyset(&raised);
    (void)sigaddset(&raised, SIGPIPE);
    (void)sigaddset(&raised, SIGXFSZ);
    (void)sigpending(&held->pending);
    (void)set_mask(SIG_BLOCK, &raised, &held->before);
}

/* Takes a blocked signal that is pending for this thread. There is none when the program ignores
   it. */
static void take_signal(int number) {
    sigset_t wanted;
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, number);
#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__)
    const struct timespec at_once = {0, 0};
    while (sigtimedwait(&wanted, NULL, &at_once) < 0 && errno == EINTR) {
    }
#else
    sigset_t pending;
    if (sigpending(&pending) == 0 && sigismember(&pending, number) == 1) {
        int taken = 0;
        (void)sigwait(&wanted, &taken);
    }
#endif
}

/* Unblocks the signals, without the one that `failure` has raised. */
static void release_signals(const struct held_signals *held, int failure) {
    int raised = failure == EPIPE ? SIGPIPE : failure == EFBIG ? SIGXFSZ : 0;
    if (raised != 0 && sigismember(&held->pending, raised) == 0) {
        take_signal(raised);
    }
    (void)set_mask(SIG_SETMASK, &held->before, NULL);
}

/* ---- reading ---- */

/* Polls a descriptor once. Returns true for an invalid descriptor too, so that the next call
   reports it. */
static bool is_ready(int number, short events) {
    struct pollfd polled = {number, events, 0};
    return number < 0 || poll(&polled, 1, 0) != 0;
}

/*
 * Returns the result for a descriptor that is not ready: OS_WOULD_BLOCK, or EBADF when it is not
 * open for this direction and never becomes ready. `refused` is the access mode of the other
 * direction.
 */
static int not_ready(int number, int refused) {
    int flags = fcntl(number, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) == refused ? EBADF : OS_WOULD_BLOCK;
}

static size_t at_most(size_t size, size_t limit) {
    return size < limit ? size : limit;
}

static bool would_block(int failure) {
    return failure == EAGAIN || failure == EWOULDBLOCK;
}

static int read_some(int number, enum os_descriptor_kind kind, void *buffer, size_t size,
                     size_t *got) {
    size_t room = at_most(size, TRANSFER_MAX);
    *got = 0;
    for (;;) {
        if ((kind == OS_PIPE || kind == OS_TERMINAL) && !is_ready(number, POLLIN)) {
            return not_ready(number, O_WRONLY);
        }
        ssize_t taken = kind == OS_SOCKET ? recv(number, buffer, room, MSG_DONTWAIT)
                                          : read(number, buffer, room);
        if (taken >= 0) {
            *got = (size_t)taken;
            return 0;
        }
        if (would_block(errno)) {
            return OS_WOULD_BLOCK;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

int os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer, size_t size,
            size_t *got) {
    int cancel = os_hold_cancel();
    int result = read_some(system_number(descriptor), kind, buffer, size, got);
    os_restore_cancel(cancel);
    return result;
}

int os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got) {
    int cancel = os_hold_cancel();
    int number = system_number(socket);
    ssize_t taken = 0;
    do {
        taken = recv(number, buffer, at_most(size, TRANSFER_MAX), 0);
    } while (taken < 0 && errno == EINTR);
    *got = taken > 0 ? (size_t)taken : 0;
    int result = taken >= 0 ? 0 : would_block(errno) ? OS_WOULD_BLOCK : errno;
    os_restore_cancel(cancel);
    return result;
}

void os_socket_stop_receiving(portls_descriptor socket) {
    (void)shutdown(system_number(socket), SHUT_RD);
}

bool os_socket_is_stream(portls_descriptor socket) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(system_number(socket), SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_STREAM;
}

/* ---- writing ---- */

/* Translates the result of a write to that of os_write. */
static int write_result(ssize_t written, size_t *put) {
    if (written > 0) {
        *put += (size_t)written;
        return 0;
    }
    /* Zero bytes written: there is no room. */
    return written == 0 || would_block(errno) ? OS_WOULD_BLOCK : errno;
}

static int write_file(int number, const void *bytes, size_t size, size_t *put) {
    ssize_t written = 0;
    do {
        written = write(number, bytes, size);
    } while (written < 0 && errno == EINTR);
    return write_result(written, put);
}

/* Returns how many of the bytes a writable terminal takes without blocking. One that processes
   output needs new room after each control byte. */
static size_t terminal_piece(const uint8_t *bytes, size_t size, bool processed) {
    size_t limit = at_most(size, TERMINAL_PIECE);
    size_t piece = 0;
    while (piece < limit && (!processed || bytes[piece] >= ' ')) {
        piece++;
    }
    return piece > 0 ? piece : 1;
}

static bool is_processed(int number) {
    struct termios modes;
    return tcgetattr(number, &modes) == 0 && (modes.c_oflag & OPOST) != 0;
}

/* Writes in pieces that fit whenever the descriptor polls writable. */
static int write_pieces(int number, enum os_descriptor_kind kind, const uint8_t *bytes, size_t size,
                        size_t *put) {
    bool processed = kind == OS_TERMINAL && is_processed(number);
    int result = 0;
    while (result == 0 && *put < size) {
        if (!is_ready(number, POLLOUT)) {
            return not_ready(number, O_RDONLY);
        }
        size_t left = size - *put;
        size_t piece = kind == OS_PIPE ? at_most(left, PIPE_PIECE)
                                       : terminal_piece(bytes + *put, left, processed);
        result = write_file(number, bytes + *put, piece, put);
    }
    return result;
}

/* Whether a write raises a signal that has to be held back. */
static bool raises_signal(enum os_descriptor_kind kind) {
    return kind != OS_SOCKET || SEND_RAISES_SIGPIPE;
}

int os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
             size_t size, size_t *put) {
    int number = system_number(descriptor);
    size_t left = at_most(size, TRANSFER_MAX);
    struct held_signals held;
    int cancel = os_hold_cancel();
    if (raises_signal(kind)) {
        hold_signals(&held);
    }
    int result = 0;
    *put = 0;
    if (kind == OS_SOCKET) {
        ssize_t written = 0;
        do {
            written = send(number, bytes, left, SEND_FLAGS);
        } while (written < 0 && errno == EINTR);
        result = write_result(written, put);
    } else if (kind == OS_FILE) {
        result = write_file(number, bytes, left, put);
    } else {
        result = write_pieces(number, kind, bytes, left, put);
    }
    if (raises_signal(kind)) {
        release_signals(&held, result);
    }
    os_restore_cancel(cancel);
    /* A failure after some bytes were taken happens again in the next call. */
    return *put > 0 ? 0 : result;
}

int os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put) {
    int number = system_number(socket);
    /* sendmsg does not write to the pieces; struct iovec lacks the const. */
    struct iovec parts[2] = {{(void *)pieces[0].bytes, pieces[0].size},
                             {(void *)pieces[1].bytes, pieces[1].size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct held_signals held;
    int cancel = os_hold_cancel();
    if (raises_signal(OS_SOCKET)) {
        hold_signals(&held);
    }
    ssize_t written = 0;
    do {
        written = sendmsg(number, &message, SEND_FLAGS);
    } while (written < 0 && errno == EINTR);
    *put = 0;
    int result = write_result(written, put);
    if (raises_signal(OS_SOCKET)) {
        release_signals(&held, result);
    }
    os_restore_cancel(cancel);
    return result;
}

/* ---- closing ---- */

int os_close(portls_descriptor descriptor) {
    int cancel = os_hold_cancel();
    /* After EINTR the descriptor is closed all the same; a second close could close another one. */
    int result = close(system_number(descriptor)) == 0 || errno == EINTR ? 0 : errno;
    os_restore_cancel(cancel);
    return result;
}

/* How many bytes of a TCP socket that was shut down the peer has not acknowledged; 1 where the
   system does not tell. */
static int unacknowledged(int number) {
    int bytes = 1;
#if defined(__linux__)
    /* SIOCOUTQ by the name that needs no header of the kernel. It counts the FIN as one: if that is
       all, everything has arrived, and the FIN is the system's to repeat. */
    if (ioctl(number, TIOCOUTQ, &bytes) != 0) {
        bytes = 1;
    } else if (bytes > 0) {
        bytes--;
    }
#elif defined(FIONWRITE)
    if (ioctl(number, FIONWRITE, &bytes) != 0) {
        bytes = 1;
    }
#elif defined(SO_NWRITE)
    socklen_t size = sizeof bytes;
    if (getsockopt(number, SOL_SOCKET, SO_NWRITE, &bytes, &size) != 0) {
        bytes = 1;
    }
#endif
    return bytes;
}

/* Whether written bytes may still be on their way, and a reset would destroy what has arrived;
   those of a local socket arrive at once, and stay. */
static bool has_way_to_go(int number) {
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    return getsockname(number, (struct sockaddr *)&address, &size) == 0 &&
           (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

static bool has_unread(int number) {
    int bytes = 0;
    return ioctl(number, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* Takes what has arrived and throws it away. OS_WOULD_BLOCK: that was all, or enough for now; 0:
   the peer has closed; the system's error. */
static int drain(portls_descriptor socket, size_t *drained) {
    enum { PIECES = 64 }; /* a receive buffer's worth */
    char ignored[16384];
    for (int i = 0; i < PIECES; i++) {
        size_t got = 0;
        int result = os_read(socket, OS_SOCKET, ignored, sizeof ignored, &got);
        if (result != 0 || got == 0) {
            return result;
        }
        *drained += got;
    }
    return OS_WOULD_BLOCK;
}

int os_socket_deliver(portls_descriptor socket, struct os_delivery *delivery) {
    int number = system_number(socket);
    if (shutdown(number, SHUT_WR) != 0) {
        return 0; /* not connected, or no longer: nothing is on its way */
    }
    if (delivery->peer == OS_PEER_DONE && !has_unread(number)) {
        return 0;
    }
    size_t before = delivery->drained;
    int result = drain(socket, &delivery->drained);
    if (result == ECONNRESET || result == EPIPE || result == ENOTCONN) {
        return 0;
    }
    if (result != OS_WOULD_BLOCK) {
        return result;
    }
    if (!has_way_to_go(number)) {
        return 0;
    }
    if (delivery->drained > before) {
        os_delivery_note_drained(delivery);
    }
    bool enough = delivery->peer == OS_PEER_SENDING ? delivery->drained >= OS_DRAIN_MAX
                                                    : unacknowledged(number) == 0;
    return enough ? 0 : OS_WOULD_BLOCK;
}

void os_socket_reset_by_close(portls_descriptor socket) {
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(system_number(socket), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}
