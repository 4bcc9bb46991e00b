/* Shared by the files of this folder. */
#ifndef CORE_OS_WIN32_WIN32_H
#define CORE_OS_WIN32_WIN32_H

/* Windows 10: since version 2004 WSAPoll reports a failed connect. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif

#include <winsock2.h> /* must precede windows.h */

#include <windows.h>

#include "core/os/file.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

/* Converts a descriptor for Winsock; PORTLS_NO_DESCRIPTOR is INVALID_SOCKET. */
static inline SOCKET system_socket(portls_descriptor descriptor) {
    return (SOCKET)descriptor;
}

/* Starts Winsock once per process; never ends it. */
void sockets_begin(void);

/* Makes a non-blocking TCP or UDP socket that children do not inherit. Returns INVALID_SOCKET on
   failure. */
SOCKET socket_new(int family, int type, int protocol);

/* Makes a socket non-blocking and not inherited by children. Returns 0 or the system's error. */
int socket_prepare(SOCKET socket);

/* Translates what is wanted to WSAPoll's events, and the result back. */
WSAPOLLFD poll_question(portls_descriptor descriptor, uint8_t wanted);
uint8_t poll_answer(const WSAPOLLFD *polled, uint8_t wanted);

/* Converts a deadline to a timeout of WSAPoll, rounded up so that no caller spins. */
int poll_timeout(int64_t deadline);

/* Waits for a wakeup of os_wakeup_init_inside and sets the item's result. Returns false for any
   other item, or when the wait needs its socket. */
bool wakeup_wait_inside(struct os_poll_item *item, int64_t deadline);

/* Called before and after WSAPoll (`polled` true, false): meanwhile the sockets of such wakeups
   must be readable when they are set. */
void wakeups_show(const struct os_poll_item *items, size_t count, bool polled);

/* Updates the descriptor of a poller; does nothing for any other descriptor. */
void poller_look_again(portls_descriptor descriptor);

/* Whether the peer may not have acknowledged everything up to our FIN; true when unknown. */
bool is_unacknowledged(SOCKET socket);

#endif
