/* Socket addresses, by the calls common to POSIX systems and Windows: names to addresses, and
   addresses to text. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/address.h"
#include "core/os/socket.h"

#include <errno.h>
#include <string.h>

#if !defined(_WIN32)
#include <arpa/inet.h>
#include <netdb.h>
#endif

_Static_assert(sizeof(struct sockaddr_storage) >= sizeof(((struct os_address *)0)->storage),
               "an os_address does not fit into a sockaddr_storage");
_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((struct os_address *)0)->storage),
               "os_address needs more room");

/* ---- resolving ---- */

static const char *resolver_reason(int code, int os_errno) {
    (void)os_errno; /* not defined on every system */
    switch (code) {
    case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
#endif
        return "there is no host of that name";
    case EAI_AGAIN:
        return "the name servers do not answer, try again later";
    case EAI_FAIL:
        return "the name servers failed to look the name up";
    case EAI_FAMILY:
#if defined(EAI_ADDRFAMILY) && EAI_ADDRFAMILY != EAI_NONAME
    case EAI_ADDRFAMILY:
#endif
        return "the host has neither an IPv4 nor an IPv6 address";
    case EAI_MEMORY:
        return "the resolver has no memory left";
#if defined(EAI_SYSTEM)
    case EAI_SYSTEM:
        return os_error_text(os_errno);
#endif
    default:
        return "the system's resolver failed";
    }
}

void os_address_set_port(struct os_address *address, int port_no) {
    if (system_address(address)->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)(void *)address->storage)->sin6_port = htons((uint16_t)port_no);
    } else {
        ((struct sockaddr_in *)(void *)address->storage)->sin_port = htons((uint16_t)port_no);
    }
}

/* All local addresses: the IPv6 socket accepts IPv4 too, the other is for machines without IPv6. */
static size_t wildcards(int port_no, struct os_address *addresses, size_t limit) {
    struct sockaddr_in6 six;
    memset(&six, 0, sizeof six);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_any;
    struct sockaddr_in four;
    memset(&four, 0, sizeof four);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_ANY);

    size_t count = 0;
    if (count < limit && sockets_have_ipv6()) {
        memcpy(addresses[count].storage, &six, sizeof six);
        addresses[count].size = sizeof six;
        os_address_set_port(&addresses[count], port_no);
        count++;
    }
    if (count < limit) {
        memcpy(addresses[count].storage, &four, sizeof four);
        addresses[count].size = sizeof four;
        os_address_set_port(&addresses[count], port_no);
        count++;
    }
    return count;
}

/* Returns the first usable address from `info` on that is (or is not) of the family. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family, bool same) {
    while (info != NULL && ((info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
                            info->ai_addrlen > sizeof(((struct os_address *)0)->storage) ||
                            (info->ai_family == family) != same)) {
        info = info->ai_next;
    }
    return info;
}

/* Copies the addresses so that the two families alternate (RFC 8305, section 4): a family that does
   not work costs one attempt before the other is tried. */
static size_t interleave(const struct addrinfo *found, int port_no, struct os_address *addresses,
                         size_t limit) {
    int family = found != NULL ? found->ai_family : AF_INET6;
    const struct addrinfo *turn = next_of(found, family, true);
    const struct addrinfo *other = next_of(found, family, false);
    bool turn_is_same = true;
    size_t count = 0;
    while (count < limit && (turn != NULL || other != NULL)) {
        if (turn != NULL) {
            memcpy(addresses[count].storage, turn->ai_addr, turn->ai_addrlen);
            addresses[count].size = (uint32_t)turn->ai_addrlen;
            os_address_set_port(&addresses[count], port_no);
            count++;
            turn = next_of(turn->ai_next, family, turn_is_same);
        }
        const struct addrinfo *swapped = turn;
        turn = other;
        other = swapped;
        turn_is_same = !turn_is_same;
    }
    return count;
}

static _Atomic(os_resolver *) replacement;

void os_resolver_replace(os_resolver *resolve) {
    atomic_store(&replacement, resolve);
}

os_resolver *os_resolver_current(void) {
    os_resolver *resolve = atomic_load(&replacement);
    return resolve != NULL ? resolve : os_resolve;
}

int os_resolve(const char *host, int port_no, bool passive, struct os_address *addresses,
               size_t limit, size_t *count, const char **reason) {
    sockets_begin();
    *count = 0;
    *reason = "";
    if (port_no < 0 || port_no > 65535) {
        *reason = "a port number lies between 0 and 65535";
        return -1;
    }
    if (host == NULL && passive) {
        *count = wildcards(port_no, addresses, limit);
    } else {
        struct addrinfo hints;
        memset(&hints, 0, sizeof hints);
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = passive ? AI_PASSIVE : 0;
        struct addrinfo *found = NULL;
        /* The resolver requires a service without a host; os_address_set_port replaces it. */
        int cancel = os_hold_cancel();
        int code = getaddrinfo(host, host == NULL ? "0" : NULL, &hints, &found);
        os_restore_cancel(cancel);
        if (code != 0) {
            int failure = -1;
#if defined(EAI_SYSTEM)
            failure = code == EAI_SYSTEM ? errno : -1;
#endif
            *reason = resolver_reason(code, failure);
            return failure;
        }
        *count = interleave(found, port_no, addresses, limit);
        freeaddrinfo(found);
    }
    if (*count == 0) {
        *reason = "the host has neither an IPv4 nor an IPv6 address";
        return -1;
    }
    return 0;
}

/* ---- numeric addresses ---- */

/* Whether an address is an IPv4-mapped one, which is shown as IPv4. */
static bool is_mapped(const struct sockaddr_storage *from, struct sockaddr_in *four) {
    const struct sockaddr_in6 *six = (const void *)from;
    if (from->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        return false;
    }
    memset(four, 0, sizeof *four);
    four->sin_family = AF_INET;
    four->sin_port = six->sin6_port;
    memcpy(&four->sin_addr, six->sin6_addr.s6_addr + 12, sizeof four->sin_addr);
    return true;
}

void os_address_describe(const struct os_address *address, portls_address *text) {
    struct sockaddr_storage from;
    memset(&from, 0, sizeof from);
    memcpy(&from, address->storage, address->size);
    address_describe(&from, text);
}

void address_describe(const struct sockaddr_storage *from, portls_address *address) {
    memset(address, 0, sizeof *address);
    struct sockaddr_in four;
    const struct sockaddr *shown = (const struct sockaddr *)from;
    socklen_t size = sizeof(struct sockaddr_in6);
    if (is_mapped(from, &four)) {
        shown = (const struct sockaddr *)&four;
    }
    if (shown->sa_family == AF_INET) {
        size = sizeof(struct sockaddr_in);
        address->port_no = ntohs(((const struct sockaddr_in *)(const void *)shown)->sin_port);
    } else if (shown->sa_family == AF_INET6) {
        address->port_no = ntohs(((const struct sockaddr_in6 *)(const void *)shown)->sin6_port);
    } else {
        if (shown->sa_family == AF_UNIX) {
            address_describe_path(from, address);
        }
        return;
    }
    if (getnameinfo(shown, size, address->host, sizeof address->host, NULL, 0, NI_NUMERICHOST) !=
        0) {
        memset(address, 0, sizeof *address);
    }
}
