/* Windows: whether the peer has acknowledged everything up to the FIN. Since Windows 10 version
   1703 the socket tells; before, and under Wine, the system's table of connections has its state.
   */
#include "core/os/win32/win32.h"

#include <mstcpip.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <string.h>

#include "core/base/memory.h"

/* Both ends of a connection. IPv4 addresses are mapped to IPv6, and scopes are ignored. */
struct ends {
    struct in6_addr local, remote;
    DWORD local_port, remote_port; /* in network byte order, as in the tables */
};

static struct in6_addr mapped(DWORD address) {
    static const unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct in6_addr made;
    memcpy(made.s6_addr, prefix, sizeof prefix);
    memcpy(made.s6_addr + sizeof prefix, &address, sizeof address);
    return made;
}

static void describe(const struct sockaddr_storage *name, struct in6_addr *address, DWORD *port) {
    if (name->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)name;
        *address = six->sin6_addr;
        *port = six->sin6_port;
    } else {
        const struct sockaddr_in *four = (const void *)name;
        *address = mapped(four->sin_addr.s_addr);
        *port = four->sin_port;
    }
}

static bool find_ends(SOCKET socket, struct ends *ends) {
    struct sockaddr_storage local, remote;
    int local_size = sizeof local;
    int remote_size = sizeof remote;
    if (getsockname(socket, (struct sockaddr *)&local, &local_size) != 0 ||
        getpeername(socket, (struct sockaddr *)&remote, &remote_size) != 0) {
        return false;
    }
    describe(&local, &ends->local, &ends->local_port);
    describe(&remote, &ends->remote, &ends->remote_port);
    return true;
}

static bool same_ends(const struct ends *left, const struct ends *right) {
    return left->local_port == right->local_port && left->remote_port == right->remote_port &&
           memcmp(&left->local, &right->local, sizeof left->local) == 0 &&
           memcmp(&left->remote, &right->remote, sizeof left->remote) == 0;
}

/* ---- the system's tables ---- */

typedef ULONG table_call(void *table, ULONG *size);

static ULONG four_table(void *table, ULONG *size) {
    return GetTcpTable(table, size, FALSE);
}

static ULONG six_table(void *table, ULONG *size) {
    return GetTcp6Table(table, size, FALSE);
}

/* Returns a table from memory_allocate, or NULL. */
static void *table_of(table_call *call) {
    enum { TRIES = 5, NEW_CONNECTIONS = 2048 };
    void *table = NULL;
    ULONG size = 0;
    for (int i = 0; i < TRIES; i++) {
        ULONG result = call(table, &size);
        if (result == NO_ERROR) {
            return table;
        }
        memory_free(table);
        if (result != ERROR_INSUFFICIENT_BUFFER) {
            return NULL;
        }
        size += NEW_CONNECTIONS; /* room for connections that begin before the next call */
        table = memory_allocate(size);
        if (table == NULL) {
            return NULL;
        }
    }
    memory_free(table);
    return NULL;
}

enum { NOT_FOUND = 0 }; /* not a state */

static DWORD state_among_four(const struct ends *ends) {
    MIB_TCPTABLE *table = table_of(four_table);
    DWORD state = NOT_FOUND;
    for (DWORD i = 0; table != NULL && state == NOT_FOUND && i < table->dwNumEntries; i++) {
        const MIB_TCPROW *row = &table->table[i];
        struct ends other = {mapped(row->dwLocalAddr), mapped(row->dwRemoteAddr),
                             row->dwLocalPort & 0xffff, row->dwRemotePort & 0xffff};
        if (same_ends(ends, &other)) {
            state = row->dwState;
        }
    }
    memory_free(table);
    return state;
}

static DWORD state_among_six(const struct ends *ends) {
    MIB_TCP6TABLE *table = table_of(six_table);
    DWORD state = NOT_FOUND;
    for (DWORD i = 0; table != NULL && state == NOT_FOUND && i < table->dwNumEntries; i++) {
        const MIB_TCP6ROW *row = &table->table[i];
        struct ends other = {row->LocalAddr, row->RemoteAddr, row->dwLocalPort & 0xffff,
                             row->dwRemotePort & 0xffff};
        if (same_ends(ends, &other)) {
            state = (DWORD)row->State;
        }
    }
    memory_free(table);
    return state;
}

/* ---- the result ---- */

bool is_unacknowledged(SOCKET socket) {
#if defined(SIO_TCP_INFO)
    TCP_INFO_v0 about;
    DWORD version = 0;
    DWORD size = 0;
    if (WSAIoctl(socket, SIO_TCP_INFO, &version, sizeof version, &about, sizeof about, &size, NULL,
                 NULL) == 0) {
        return about.State != TCPSTATE_FIN_WAIT_2 && about.State != TCPSTATE_TIME_WAIT &&
               about.State != TCPSTATE_CLOSED;
    }
#endif
    struct ends ends;
    if (!find_ends(socket, &ends)) {
        return true;
    }
    /* A mapped address is in one of the two tables. */
    DWORD state = NOT_FOUND;
    if (IN6_IS_ADDR_V4MAPPED(&ends.local)) {
        state = state_among_four(&ends);
    }
    if (state == NOT_FOUND) {
        state = state_among_six(&ends);
    }
    return state != MIB_TCP_STATE_FIN_WAIT2 && state != MIB_TCP_STATE_TIME_WAIT;
}
