/* What the Windows files share with each other, and with nobody else. */
#ifndef CORE_OS_WIN32_WIN32_H
#define CORE_OS_WIN32_WIN32_H

/* Windows 10: WSAPoll tells of a connect that failed from its version 2004 on. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif

#include <winsock2.h> /* has to come before windows.h */

#include <windows.h>

#include "core/os/os.h"

/* A descriptor as Winsock takes it; PORTLS_NO_DESCRIPTOR is INVALID_SOCKET. */
static inline SOCKET system_socket(portls_descriptor descriptor) {
    return (SOCKET)descriptor;
}

/* Starts Winsock for this process, once; it is never ended. */
void sockets_begin(void);

/* A new TCP or UDP socket: non-blocking, and no child's. INVALID_SOCKET and WSAGetLastError. */
SOCKET socket_new(int family, int type, int protocol);

/* Makes a socket non-blocking and keeps it from children. 0 or the system's error. */
int socket_prepare(SOCKET socket);

/* What to ask WSAPoll for, and what its answer says of what was wanted. */
WSAPOLLFD poll_question(portls_descriptor descriptor, uint8_t wanted);
uint8_t poll_answer(const WSAPOLLFD *polled, uint8_t wanted);

/* The time until a deadline as WSAPoll takes it, rounded up so that nobody spins before it. */
int poll_timeout(portls_deadline deadline);

/* Waits for a wakeup of os_wakeup_init_inside and sets what the item has got; false when it is
   none, or a wait for it takes its socket. */
bool wakeup_wait_inside(struct os_poll_item *item, portls_deadline deadline);

/* Says before and after WSAPoll (`polled` true, false) that the sockets of such wakeups are polled,
   and so have to be readable when they are set. */
void wakeups_show(const struct os_poll_item *items, size_t count, bool polled);

/* Makes a poller's descriptor say what is true now; does nothing for any other descriptor. */
void poller_look_again(portls_descriptor descriptor);

/* Whether the peer may not have acknowledged everything up to the FIN that was sent; true as well
   where the system does not tell. */
bool is_unacknowledged(SOCKET socket);

#endif
