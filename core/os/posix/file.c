/* POSIX: files, directories, trusted roots and shared objects. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#define _FILE_OFFSET_BITS 64 /* without it 32-bit systems fail for large sizes and inodes */

#include "core/os/file.h"
#include "core/os/os.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/auxv.h>
#endif
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "core/base/memory.h"

/* ---- files ---- */

/* The content of a file while it is read. It may be a private key, so every copy is wiped. */
struct contents {
    uint8_t *bytes;
    size_t size, capacity;
};

static void contents_drop(struct contents *contents) {
    if (contents->bytes != NULL) {
        os_wipe(contents->bytes, contents->size);
        memory_free(contents->bytes);
    }
}

/* Not realloc, which may leave a copy behind. */
static bool contents_grow(struct contents *contents, size_t capacity) {
    uint8_t *bytes = memory_allocate(capacity);
    if (bytes == NULL) {
        return false;
    }
    if (contents->size > 0) {
        memcpy(bytes, contents->bytes, contents->size);
    }
    contents_drop(contents);
    contents->bytes = bytes;
    contents->capacity = capacity;
    return true;
}

static int read_all(int number, size_t limit, struct contents *contents) {
    for (;;) {
        if (contents->size == contents->capacity) {
            size_t capacity = contents->capacity > SIZE_MAX / 2 ? SIZE_MAX : contents->capacity * 2;
            if (!contents_grow(contents, capacity)) {
                return ENOMEM;
            }
        }
        size_t room = contents->capacity - contents->size;
        room = room > INT_MAX ? INT_MAX : room;
        ssize_t got = read(number, contents->bytes + contents->size, room);
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        if (got == 0) {
            return 0;
        }
        if (got > 0) {
            contents->size += (size_t)got;
            if (contents->size > limit) {
                return OS_TOO_LARGE;
            }
        }
    }
}

static int read_open_file(int number, size_t limit, struct contents *contents) {
    struct stat about;
    if (fstat(number, &about) != 0) {
        return errno;
    }
    if (S_ISDIR(about.st_mode)) {
        return OS_IS_DIRECTORY;
    }
    size_t expected = 4095;
    if (S_ISREG(about.st_mode) && about.st_size > 0) {
        if ((uintmax_t)about.st_size > limit || (uintmax_t)about.st_size >= SIZE_MAX) {
            return OS_TOO_LARGE;
        }
        expected = (size_t)about.st_size;
    }
    /* One byte more than expected, to see the end of the file without growing. */
    if (!contents_grow(contents, expected + 1)) {
        return ENOMEM;
    }
    return read_all(number, limit, contents);
}

static int read_file(const char *path, size_t limit, uint8_t **bytes, size_t *size) {
    *bytes = NULL;
    *size = 0;
    int number = -1;
    do {
        number = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (number < 0 && errno == EINTR);
    if (number < 0) {
        return errno;
    }
    struct contents contents = {NULL, 0, 0};
    int failure = read_open_file(number, limit, &contents);
    (void)close(number);
    if (failure != 0) {
        contents_drop(&contents);
        return failure;
    }
    *bytes = contents.bytes;
    *size = contents.size;
    return 0;
}

int os_read_file(const char *path, size_t limit, uint8_t **bytes, size_t *size) {
    int cancel = os_hold_cancel();
    int result = read_file(path, limit, bytes, size);
    os_restore_cancel(cancel);
    return result;
}

/* Calls the visitor when the path leads to a regular file, also through symbolic links. */
static int visit(const char *directory, const char *name,
                 void (*each)(void *argument, const char *path), void *argument) {
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = memory_allocate(size);
    if (path == NULL) {
        return ENOMEM;
    }
    (void)snprintf(path, size, "%s/%s", directory, name);
    struct stat about;
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode)) {
        each(argument, path);
    }
    memory_free(path);
    return 0;
}

static int each_file(const char *directory, void (*each)(void *argument, const char *path),
                     void *argument) {
    DIR *opened = opendir(directory);
    if (opened == NULL) {
        return errno;
    }
    int failure = 0;
    while (failure == 0) {
        errno = 0;
        /* No other thread reads from this directory stream. */
        const struct dirent *entry = readdir(opened); // NOLINT(concurrency-mt-unsafe)
        if (entry == NULL) {
            failure = errno;
            break;
        }
        failure = visit(directory, entry->d_name, each, argument);
    }
    (void)closedir(opened);
    return failure;
}

int os_each_file(const char *directory, void (*each)(void *argument, const char *path),
                 void *argument) {
    int cancel = os_hold_cancel();
    int result = each_file(directory, each, argument);
    os_restore_cancel(cancel);
    return result;
}

const char *const os_root_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Gentoo, Alpine */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* older Fedora and RHEL */
    "/var/lib/ca-certificates/ca-bundle.pem",            /* openSUSE */
    "/etc/ssl/ca-bundle.pem",                            /* older openSUSE */
    "/etc/ssl/cert.pem",                                 /* macOS, OpenBSD, FreeBSD, Alpine */
    "/usr/local/share/certs/ca-root-nss.crt",            /* FreeBSD's package */
    "/usr/local/etc/ssl/cert.pem",                       /* older FreeBSD */
    "/etc/openssl/certs/ca-certificates.crt",            /* NetBSD */
    "/data/data/com.termux/files/usr/etc/tls/cert.pem",  /* Termux on Android */
    NULL,
};

const char os_path_list_separator = ':';

/* The roots are in the files above. */
int os_each_root(void (*each)(void *argument, const uint8_t *der, size_t size), void *argument) {
    (void)each;
    (void)argument;
    return 0;
}

const char *os_environment(const char *name) {
#if defined(__linux__)
    return secure_getenv(name);
#else
    return issetugid() != 0 ? NULL : getenv(name);
#endif
}

/* ---- modules ---- */

/* Copies the loader's message in the C locale, since it may be translated. */
static void loader_text(char *text, size_t size) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = (locale_t)0;
    if (plain != (locale_t)0) {
        before = uselocale(plain);
    }
    const char *said = dlerror();
    (void)snprintf(text, size, "%s", said != NULL ? said : "the loader gives no reason");
    if (plain != (locale_t)0) {
        (void)uselocale(before);
        freelocale(plain);
    }
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
}

/* Explains the loader's "file: reason" with the name of the module. */
static void explain_loading(const char *path, const char *said, char *reason, size_t size) {
    const char *missing = ": cannot open shared object file";
    const char *end = strstr(said, missing);
    size_t length = end != NULL ? (size_t)(end - said) : 0;
    if (end == NULL) {
        (void)snprintf(reason, size, "%s could not be loaded: %s", path, said);
    } else if (length == strlen(path) && strncmp(path, said, length) == 0) {
        (void)snprintf(reason, size, "%s was not found or cannot be read", path);
    } else {
        (void)snprintf(reason, size, "%.*s, which %s needs, was not found or cannot be read",
                       (int)(length > 1024 ? 1024 : length), said, path);
    }
}

bool os_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

void *os_module_open(const char *path, char *reason, size_t reason_size) {
    if (strchr(path, '/') != NULL && access(path, R_OK) != 0) {
        (void)snprintf(reason, reason_size, "%s: %s", path, os_error_text(errno));
        return NULL;
    }
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        char said[1024];
        loader_text(said, sizeof said);
        explain_loading(path, said, reason, reason_size);
    }
    return module;
}

void *os_module_symbol(void *module, const char *name) {
    return dlsym(module, name);
}

void os_module_close(void *module) {
    (void)dlclose(module);
}

/* A reference to the own module that is never given back. NOLOAD finds what is loaded already; it
   finds nothing in a program, which is never unloaded. */
void os_keep_loaded(void) {
    Dl_info own;
    if (dladdr((const void *)os_root_bundles, &own) != 0 && own.dli_fname != NULL) {
        (void)dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    }
}

/* Copies the directory of an absolute path. Returns false when it is relative or too long. */
static bool copy_directory(const char *path, size_t length, char *directory, size_t size) {
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    if (length == 0 || path[0] != '/') {
        return false;
    }
    /* The root directory becomes the empty text before the next slash. */
    length--;
    if (length >= size) {
        return false;
    }
    memcpy(directory, path, length);
    directory[length] = '\0';
    return true;
}

#if defined(__linux__)

/* The loader knows the program only by the name it was called by: ask the kernel. */
static bool program_directory(char *directory, size_t size) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    return length > 0 && (size_t)length < sizeof path &&
           copy_directory(path, (size_t)length, directory, size);
}

static bool is_in_program(const Dl_info *own) {
    Dl_info program;
    /* The kernel gives the address of the program's headers as a number. */
    const void *headers = (const void *)getauxval(AT_PHDR); // NOLINT(performance-no-int-to-ptr)
    return dladdr(headers, &program) != 0 && program.dli_fbase == own->dli_fbase;
}

#endif

bool os_own_directory(char *directory, size_t size) {
    Dl_info own;
    bool known = dladdr((const void *)os_root_bundles, &own) != 0 && own.dli_fname != NULL;
#if defined(__linux__)
    if (!known || is_in_program(&own)) {
        return program_directory(directory, size);
    }
#endif
    if (!known) {
        return false;
    }
    char path[PATH_MAX];
    return realpath(own.dli_fname, path) != NULL &&
           copy_directory(path, strlen(path), directory, size);
}
