/* Descriptors, sockets and name resolution. Hosted builds only. */
#ifndef CORE_OS_SOCKET_H
#define CORE_OS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/os.h"
#include "portls/break.h"
#include "portls/port.h"
#include "portls/tcp.h"

/* ---- descriptors ---- */

enum os_descriptor_kind { OS_SOCKET, OS_PIPE, OS_TERMINAL, OS_FILE };

/* Finds the kind of a descriptor. Returns 0, or the system's error when it is not open. Windows has
   sockets only, and this call makes them non-blocking. */
int os_descriptor_kind(portls_descriptor descriptor, enum os_descriptor_kind *kind);

/*
 * Reads what is there, without waiting and without changing the descriptor's flags, whether or not
 * it is blocking. Returns 0 with *got ≥ 1, or with *got == 0 at the end of file; OS_WOULD_BLOCK;
 * the system's error.
 */
enum { OS_WOULD_BLOCK = -3 };
int os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer, size_t size,
            size_t *got);

/* Reads from a socket as os_read does, but blocks when the socket is blocking. May return
   OS_WOULD_BLOCK when it is not, or when it has a receive timeout. */
int os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);

/* Ends an os_receive that blocks in another thread, which then returns the end of the data, as do
   all later ones. */
void os_socket_stop_receiving(portls_descriptor socket);

/* Whether a socket is a stream socket, so that a short read has taken everything. */
bool os_socket_is_stream(portls_descriptor socket);

/* Writes what fits, without waiting and without SIGPIPE. Returns 0 with *put ≥ 1, OS_WOULD_BLOCK or
   the system's error. */
int os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
             size_t size, size_t *put);

/* Writes two pieces to a socket in one call, as os_write does. */
int os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put);

/*
 * Acknowledges what was read from a TCP socket, when the system delays that to have it carried by
 * an answer and none follows: a peer without TCP_NODELAY holds its next bytes back until then (RFC
 * 1122, 4.2.3.4). Does so on Linux only, where the delay is 40 ms.
 */
void os_socket_acknowledge(portls_descriptor socket);

/* Closes a descriptor. Returns 0 or the system's error. */
int os_close(portls_descriptor descriptor);

/* The close of a connected socket, before the descriptor is closed. */
struct os_delivery {
    enum os_peer peer;
    bool has_written; /* there is something that a reset could destroy */
    size_t drained;   /* bytes that were thrown away; begins as 0 */
};

/* No more of the peer's bytes are drained: it sends without an end, and reads nothing. */
enum { OS_DRAIN_MAX = 16 * 1024 * 1024, OS_TICKETS_MAX = 4096 };

/* Notes that bytes were drained: a peer that may send more becomes OS_PEER_SENDING. */
static inline void os_delivery_note_drained(struct os_delivery *delivery) {
    size_t expected = delivery->peer == OS_PEER_SERVER ? OS_TICKETS_MAX : 0;
    if (delivery->has_written && delivery->drained > expected) {
        delivery->peer = OS_PEER_SENDING;
    }
}

/*
 * Delivers what was written: sends FIN and drains what has arrived, without waiting, since a byte
 * that arrives at a closed socket, or is left unread in it, resets the connection and destroys what
 * the peer has not read. A peer whose bytes are drained becomes OS_PEER_SENDING, if anything was
 * written; an OS_PEER_SERVER only with more bytes than tickets have (OS_TICKETS_MAX). Returns 0
 * when the close destroys nothing: the peer has closed; or it is silent, and all that was written
 * is acknowledged; or it is done, and the system delivers the rest; or the socket is local; or
 * OS_DRAIN_MAX is reached. OS_WOULD_BLOCK: call again when the socket is readable, and unless the
 * peer is OS_PEER_SENDING in a little while, since no poll reports an acknowledgement. Else the
 * system's error.
 */
int os_socket_deliver(portls_descriptor socket, struct os_delivery *delivery);

/* Has the close of a TCP socket reset the connection: what was written and has not arrived is lost,
   and the system keeps nothing of it. Does nothing to other sockets. */
void os_socket_reset_by_close(portls_descriptor socket);

/* ---- sockets ---- */

/* A socket address: IPv4, IPv6, or the path of a Unix socket. */
struct os_address {
    _Alignas(8) unsigned char storage[128];
    uint32_t size;
};

/*
 * Resolves a host (NULL with `passive`: all local addresses) and a port number to at most `limit`
 * addresses, in the order in which to try them; for all local addresses the one for both IPv6 and
 * IPv4 comes first. Blocks. Returns 0 with *count ≥ 1; else the system's error or -1, with an
 * English text in *reason.
 */
int os_resolve(const char *host, int port_no, bool passive, struct os_address *addresses,
               size_t limit, size_t *count, const char **reason);

/* For tests: a function in the place of os_resolve, or (NULL) os_resolve again. */
typedef int os_resolver(const char *host, int port_no, bool passive, struct os_address *addresses,
                        size_t limit, size_t *count, const char **reason);
void os_resolver_replace(os_resolver *resolve);

/* Returns os_resolve or its replacement. */
os_resolver *os_resolver_current(void);

/* Writes a numeric address and its port number, or a path; nothing for another family. */
void os_address_describe(const struct os_address *address, portls_address *text);

/* Changes the port number of an IPv4 or IPv6 address. */
void os_address_set_port(struct os_address *address, int port_no);

/*
 * A resolution that can be abandoned. getaddrinfo cannot be interrupted, so it runs in its own
 * thread, which frees everything itself once the caller has abandoned it. Numeric addresses are
 * resolved at once, without a thread.
 */
struct os_resolution;

/* Starts a resolution. Returns 0, or the system's error without memory or a thread. */
int os_resolution_begin(const char *host, int port_no, struct os_resolution **resolution);

/* Returns the descriptor that is readable when the resolution is done; PORTLS_NO_DESCRIPTOR when it
   was done at once. */
portls_descriptor os_resolution_descriptor(const struct os_resolution *resolution);

/* Returns OS_WOULD_BLOCK, or the result of os_resolve. */
int os_resolution_result(struct os_resolution *resolution, struct os_address *addresses,
                         size_t limit, size_t *count, const char **reason);

/* Abandons a resolution, or frees it when it is done. */
void os_resolution_end(struct os_resolution *resolution);

/*
 * Starts to connect a new close-on-exec, TCP_NODELAY socket, which is non-blocking until it is
 * connected (on Windows: always). Returns 0 when connected; OS_WOULD_BLOCK: wait until it is
 * writable, then call os_socket_connected; OS_QUEUE_FULL: the queue of a Unix socket is full, which
 * no poll reports: try again in a while; else the error. The last two come without a socket.
 */
enum { OS_QUEUE_FULL = -4 };
int os_socket_connect(const struct os_address *address, portls_descriptor *socket);
int os_socket_connected(portls_descriptor socket); /* 0 or the error of the connect */

/* Makes a non-blocking, close-on-exec listening socket. `reuse` sets SO_REUSEADDR; an IPv6 wildcard
   accepts IPv4 too. Returns 0 or the system's error. */
int os_socket_listen(const struct os_address *address, int queue, bool reuse,
                     portls_descriptor *socket);

/* Makes a listening stream socket, which another program may have made, non-blocking and
   close-on-exec. Returns 0; the system's error; -1 when it is none, with an English text in
   *wrong. */
int os_socket_adopt(portls_descriptor listener, const char **wrong);

/* Whether an error of os_socket_listen says that this machine lacks the address or its family. */
bool os_lacks_address(int failure);

/* The file of a Unix socket on which this process listens. */
struct os_socket_file {
    bool exists; /* false: the other members are unset */
    uint32_t process;
    uint64_t device, inode;
    struct os_address address;
};

/* Writes the address of a Unix socket. Returns 0, OS_UNSUPPORTED, or the system's error: the path
   is too long. */
enum { OS_UNSUPPORTED = -5 };
int os_path_address(const char *path, struct os_address *address);

/* Makes a non-blocking, close-on-exec Unix socket that listens on the path `name`. Its file has the
   permissions `mode` before a client can connect. A socket on which no process listens any more is
   replaced. Returns 0, OS_UNSUPPORTED, or the system's error. */
int os_path_listen(const char *name, unsigned int mode, int queue, portls_descriptor *socket,
                   struct os_socket_file *file);

/* Removes the file, if this process made it and another one has not replaced it. */
void os_path_remove(struct os_socket_file *file);

/* Accepts one connection as a blocking (on Windows: non-blocking), close-on-exec, TCP_NODELAY
   socket, and stores the peer's address (`peer` may be NULL). Skips connections that are gone
   already. Returns 0, OS_WOULD_BLOCK or the system's error. */
int os_socket_accept(portls_descriptor listener, portls_descriptor *socket,
                     struct os_address *peer);

/* Finds the addresses of a socket. `remote` is empty when it is not connected. Either may
   be NULL. Returns 0 or the system's error. */
int os_socket_addresses(portls_descriptor socket, portls_address *local, portls_address *remote);

#endif
