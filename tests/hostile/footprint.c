/* What the process holds on to. */
#include "footprint.h"

#include <dirent.h>
#include <malloc.h>
#include <stdbool.h>

#include "fail.h"

static unsigned int count_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        fail("/proc/self/fd cannot be read");
    }
    unsigned int count = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(folder);
    return count;
}

struct footprint footprint_now(void) {
    struct mallinfo2 info = mallinfo2();
    return (struct footprint){count_descriptors(), info.uordblks + info.hblkhd};
}

void footprint_compare(const struct footprint *before) {
    struct footprint now = footprint_now();
    (void)printf("descriptors: %u before, %u after; memory: %zu KB before, %zu KB after (%zu KB "
                 "more are allowed)\n",
                 before->descriptors, now.descriptors, before->bytes / 1024, now.bytes / 1024,
                 (size_t)FOOTPRINT_TOLERANCE / 1024);
    if (now.descriptors != before->descriptors) {
        fail("there are %u descriptors, and there were %u", now.descriptors, before->descriptors);
    }
    if (now.bytes > before->bytes + FOOTPRINT_TOLERANCE) {
        fail("%zu bytes more are allocated than before", now.bytes - before->bytes);
    }
}
