/* The common ground of the suite: see spec_support.h. */
#include "spec_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

portls_error problem;

static int open_at_begin;
static char temporary_directory[64];
static unsigned temporary_files;

/* How many descriptors this process has open, the one for counting left out. */
static int count_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    cr_assert(directory != NULL, "/proc/self/fd is needed to count open descriptors");
    int count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

void spec_begin(void) {
    /* What the TLS library opens once for the process is not the test's. */
    (void)portls_available();
    open_at_begin = count_descriptors();
}

static void remove_temporary_files(void) {
    char path[128];
    for (unsigned number = 0; number < temporary_files; number++) {
        snprintf(path, sizeof path, "%s/%u", temporary_directory, number);
        unlink(path);
    }
    if (temporary_directory[0] != '\0') {
        rmdir(temporary_directory);
    }
}

void spec_end(void) {
    remove_temporary_files();
    int open_at_end = count_descriptors();
    cr_assert(open_at_end == open_at_begin, "%d descriptors were open before the test, %d after it",
              open_at_begin, open_at_end);
}

const char *spec_error_fault(const portls_error *error, portls_status wanted,
                             const char *beginning) {
    size_t length = strlen(error->message);
    if (error->status != wanted) {
        return "the error holds another status";
    }
    if (error->error_class == PORTLS_CLASS_NONE) {
        return "the error has no class";
    }
    if (length == 0) {
        return "the error has no message";
    }
    if (strchr(error->message, '\n') != NULL) {
        return "the message has a newline";
    }
    if (error->message[length - 1] == '.') {
        return "the message has a full stop";
    }
    if (strncmp(error->message, beginning, strlen(beginning)) != 0) {
        return "the message begins otherwise";
    }
    return NULL;
}

bool spec_can(portls_capability capability) {
    return (portls_capabilities() & (uint32_t)capability) != 0;
}

void load_identity(portls_context *context, const char *identity) {
    char path[512];
    snprintf(path, sizeof path, CERTS("%s.chain.pem"), identity);
    REQUIRE_OK(portls_load_certificate_chain(context, path, &problem));
    snprintf(path, sizeof path, CERTS("%s.key"), identity);
    REQUIRE_OK(portls_load_private_key(context, path, PORTLS_KEY_ANY, PORTLS_PEM, &problem));
}

static void load_roots(portls_context *context, const char *roots) {
    REQUIRE_OK(portls_load_verify_root_certificates(context, roots, &problem));
    REQUIRE_OK(portls_set_verify(context, true, &problem));
}

static void fill_context(portls_context *context, const char *identity, const char *roots) {
    if (identity != NULL) {
        load_identity(context, identity);
    }
    if (roots != NULL) {
        load_roots(context, roots);
    }
}

portls_context *client_context(portls_protocol protocol, const char *identity, const char *roots) {
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_client_context(protocol, &context, &problem));
    fill_context(context, identity, roots);
    return context;
}

portls_context *server_context(portls_protocol protocol, const char *identity, const char *roots) {
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_server_context(protocol, &context, &problem));
    fill_context(context, identity, roots);
    return context;
}

portls_context *test_server_context(void) {
    portls_context *context = server_context(PORTLS_SSLV2_OR_V3, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(context, TEST_PEM, &problem));
    REQUIRE_OK(portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    return context;
}

uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s could not be opened", path);
    const size_t room = 65536;
    uint8_t *bytes = malloc(room);
    cr_assert(bytes != NULL, "no memory");
    *size = fread(bytes, 1, room, file);
    cr_assert(*size < room, "%s is larger than the suite thought", path);
    fclose(file);
    return bytes;
}

const char *temporary_file(const void *bytes, size_t size) {
    static char path[128];
    if (temporary_directory[0] == '\0') {
        snprintf(temporary_directory, sizeof temporary_directory, "/tmp/portls-spec-XXXXXX");
        cr_assert(mkdtemp(temporary_directory) != NULL, "no temporary directory could be made");
    }
    snprintf(path, sizeof path, "%s/%u", temporary_directory, temporary_files++);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL, "%s could not be made", path);
    cr_assert(fwrite(bytes, 1, size, file) == size, "%s could not be written", path);
    fclose(file);
    return path;
}

static void *task_main(void *argument) {
    struct task *task = argument;
    task->work(task->argument);
    return NULL;
}

void task_start(struct task *task, void (*work)(void *), void *argument) {
    task->work = work;
    task->argument = argument;
    cr_assert(pthread_create(&task->thread, NULL, task_main, task) == 0, "no thread");
}

void task_join(struct task *task) {
    cr_assert(pthread_join(task->thread, NULL) == 0, "no such thread");
}
