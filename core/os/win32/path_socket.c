/* Windows: no Unix sockets. Its AF_UNIX lacks what the core needs of a socket: WSAPoll does not
   report a connect, and files have no modes. */
#include "core/os/address.h"

void address_describe_path(const struct sockaddr_storage *from, portls_address *address) {
    (void)from;
    (void)address;
}

int os_path_address(const char *path, struct os_address *address) {
    (void)path;
    (void)address;
    return OS_UNSUPPORTED;
}

int os_path_listen(const char *name, unsigned int mode, int queue, portls_descriptor *socket,
                   struct os_socket_file *file) {
    (void)name;
    (void)mode;
    (void)queue;
    *socket = PORTLS_NO_DESCRIPTOR;
    file->exists = false;
    return OS_UNSUPPORTED;
}

void os_path_remove(struct os_socket_file *file) {
    file->exists = false;
}
