/* Socket addresses, for the files that make sockets. */
#ifndef CORE_OS_ADDRESS_H
#define CORE_OS_ADDRESS_H

#if defined(_WIN32)
#include "core/os/win32/win32.h"

#include <ws2tcpip.h>
#else
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include "core/os/socket.h"

static inline const struct sockaddr *system_address(const struct os_address *address) {
    return (const struct sockaddr *)(const void *)address->storage;
}

/* Writes a numeric address, or the path of a Unix socket; sockets of other families have none. */
void address_describe(const struct sockaddr_storage *from, portls_address *address);

/* Implemented per system: writes the path of a Unix socket into a zeroed `address`. */
void address_describe_path(const struct sockaddr_storage *from, portls_address *address);

/* Implemented per system: what must precede the first call, and whether IPv6 exists. */
void sockets_begin(void);
bool sockets_have_ipv6(void);

#endif
