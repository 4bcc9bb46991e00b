/* The suite on a POSIX system: see spec_place.h. And its threads. */
#include "spec_support.h"

#include "spec_place.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *const place_holds = "descriptors";

static char directory_name[64];
static unsigned files;

void place_begin(void) {
    /* What the TLS library opens once for the process is not the test's. */
    (void)portls_available();
}

/* The descriptor for counting left out. */
long place_count(void) {
    DIR *directory = opendir("/proc/self/fd");
    cr_assert(directory != NULL, "/proc/self/fd is needed to count open descriptors");
    long count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

const char *place_file(const void *bytes, size_t size) {
    static char path[128];
    if (directory_name[0] == '\0') {
        snprintf(directory_name, sizeof directory_name, "/tmp/portls-spec-XXXXXX");
        cr_assert(mkdtemp(directory_name) != NULL, "no temporary directory could be made");
    }
    snprintf(path, sizeof path, "%s/%u", directory_name, files++);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL, "%s could not be made", path);
    cr_assert(fwrite(bytes, 1, size, file) == size, "%s could not be written", path);
    fclose(file);
    return path;
}

void place_end(void) {
    char path[128];
    for (unsigned number = 0; number < files; number++) {
        snprintf(path, sizeof path, "%s/%u", directory_name, number);
        unlink(path);
    }
    if (directory_name[0] != '\0') {
        rmdir(directory_name);
    }
}

void place_yield(void) {
    sched_yield();
}

#if PORTLS_HOSTED

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

#endif
