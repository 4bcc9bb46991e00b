/* POSIX: Unix sockets, and the files by which they are found. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/os/address.h"
#include "core/os/posix/posix.h"

_Static_assert(sizeof(struct sockaddr_un) <= sizeof(((struct os_address *)0)->storage),
               "os_address needs more room");
_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) < sizeof(((portls_address *)0)->host),
               "portls_address needs more room");

int os_path_address(const char *path, struct os_address *address) {
    struct sockaddr_un name;
    size_t length = strlen(path);
    if (length >= sizeof name.sun_path) {
        return ENAMETOOLONG;
    }
    memset(&name, 0, sizeof name);
    name.sun_family = AF_UNIX;
    memcpy(name.sun_path, path, length + 1);
    memset(address, 0, sizeof *address);
    memcpy(address->storage, &name, sizeof name);
    address->size = sizeof name;
    return 0;
}

void address_describe_path(const struct sockaddr_storage *from, portls_address *address) {
    const struct sockaddr_un *name = (const void *)from;
    if (name->sun_path[0] != '\0') {
        memcpy(address->host, name->sun_path, sizeof name->sun_path);
    } else if (name->sun_path[1] != '\0') { /* Linux: in the abstract namespace */
        memcpy(address->host, name->sun_path, sizeof name->sun_path);
        address->host[0] = '@';
    }
}

static const char *path_of(const struct os_address *address) {
    return ((const struct sockaddr_un *)(const void *)address->storage)->sun_path;
}

static bool is_same_file(const struct stat *one, const struct stat *other) {
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/*
 * Whether no process listens on the socket: a connect is refused, and does not wait. The process
 * that listens, if there is one, sees a connection that ends at once.
 */
static bool is_stale(const struct os_address *address) {
    portls_descriptor probe = PORTLS_NO_DESCRIPTOR;
    int failure = os_socket_connect(address, &probe);
    if (probe != PORTLS_NO_DESCRIPTOR) {
        (void)os_close(probe);
    }
    return failure == ECONNREFUSED;
}

/* Removes a socket that an earlier process has left behind. Returns 0 or why the path is taken. */
static int remove_stale(const struct os_address *address) {
    struct stat before;
    struct stat now;
    if (lstat(path_of(address), &before) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISSOCK(before.st_mode)) {
        return EEXIST;
    }
    if (!is_stale(address)) {
        return EADDRINUSE;
    }
    /* Another process may have replaced it meanwhile. */
    if (lstat(path_of(address), &now) != 0 || !is_same_file(&before, &now)) {
        return EADDRINUSE;
    }
    return unlink(path_of(address)) == 0 ? 0 : errno;
}

/*
 * Takes the lock of the directory that a path is in. A server holds it from bind to listen: another
 * one that starts meanwhile would take the socket for a stale one and remove it. Returns a
 * descriptor for unlock, or a negative number: there is no lock where the directory cannot be
 * opened, or where another program keeps it locked.
 */
static int lock_directory(const char *path) {
    enum { TRIES = 100, PAUSE_MILLISECONDS = 10 };
    char directory[sizeof(((struct sockaddr_un *)0)->sun_path)] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t length = slash == path ? 1 : (size_t)(slash - path);
        memcpy(directory, path, length);
        directory[length] = '\0';
    }
    int number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; number >= 0 && i < TRIES; i++) {
        if (flock(number, LOCK_EX | LOCK_NB) == 0) {
            return number;
        }
        (void)poll(NULL, 0, PAUSE_MILLISECONDS);
    }
    if (number >= 0) {
        (void)close(number);
    }
    return -1;
}

/* A process that was forked meanwhile has a copy of the descriptor, so closing it is not enough. */
static void unlock(int number) {
    if (number >= 0) {
        (void)flock(number, LOCK_UN);
        (void)close(number);
    }
}

static int bind_path(int number, const struct os_address *address) {
    const struct sockaddr *name = system_address(address);
    if (bind(number, name, (socklen_t)address->size) == 0) {
        return 0;
    }
    int failure = errno == EADDRINUSE ? remove_stale(address) : errno;
    if (failure != 0) {
        return failure;
    }
    return bind(number, name, (socklen_t)address->size) == 0 ? 0 : errno;
}

/* Between bind and listen no client can connect, so none gets in by the permissions that bind gives
   the file. */
static int begin_listening(int number, unsigned int mode, int queue, struct os_socket_file *file) {
    struct stat about;
    if (chmod(path_of(&file->address), (mode_t)mode) != 0 ||
        lstat(path_of(&file->address), &about) != 0 || listen(number, queue) != 0) {
        int failure = errno;
        (void)unlink(path_of(&file->address));
        return failure;
    }
    file->device = (uint64_t)about.st_dev;
    file->inode = (uint64_t)about.st_ino;
    file->process = os_process_generation();
    file->exists = true;
    return 0;
}

static int listen_at(const char *name, unsigned int mode, int queue, portls_descriptor *socket,
                     struct os_socket_file *file) {
    *socket = PORTLS_NO_DESCRIPTOR;
    file->exists = false;
    int failure = os_path_address(name, &file->address);
    if (failure != 0) {
        return failure;
    }
    int number = socket_new(AF_UNIX);
    if (number < 0) {
        return errno;
    }
    int lock = lock_directory(name);
    failure = bind_path(number, &file->address);
    if (failure == 0) {
        failure = begin_listening(number, mode, queue, file);
    }
    unlock(lock);
    if (failure != 0) {
        (void)close(number);
        return failure;
    }
    *socket = number;
    return 0;
}

int os_path_listen(const char *name, unsigned int mode, int queue, portls_descriptor *socket,
                   struct os_socket_file *file) {
    int cancel = os_hold_cancel();
    int failure = listen_at(name, mode, queue, socket, file);
    os_restore_cancel(cancel);
    return failure;
}

void os_path_remove(struct os_socket_file *file) {
    struct stat now;
    if (file->exists && file->process == os_process_generation() &&
        lstat(path_of(&file->address), &now) == 0 && (uint64_t)now.st_dev == file->device &&
        (uint64_t)now.st_ino == file->inode) {
        (void)unlink(path_of(&file->address));
    }
    file->exists = false;
}
