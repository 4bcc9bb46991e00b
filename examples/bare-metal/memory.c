/* The allocator: malloc, with the size in front of each piece. */
#include "memory.h"

#include <portls/portls.h>
#include <stdlib.h>

union head {
    size_t size;
    max_align_t alignment;
};

static struct memory_use use;

struct memory_use memory_in_use(void) {
    return use;
}

static void *allocate(void *argument, size_t size) {
    (void)argument;
    union head *head = malloc(sizeof *head + size);
    if (head == NULL) {
        return NULL;
    }
    head->size = size;
    use.bytes += size;
    use.pieces++;
    return head + 1;
}

static void *resize(void *argument, void *old, size_t size) {
    (void)argument;
    union head *head = (union head *)old - 1;
    size_t before = head->size;
    head = realloc(head, sizeof *head + size);
    if (head == NULL) {
        return NULL;
    }
    head->size = size;
    use.bytes += size - before;
    return head + 1;
}

static void release(void *argument, void *bytes) {
    (void)argument;
    union head *head = (union head *)bytes - 1;
    use.bytes -= head->size;
    use.pieces--;
    free(head);
}

void memory_install(void) {
    portls_allocator allocator = PORTLS_ALLOCATOR_INIT;
    allocator.allocate = allocate;
    allocator.resize = resize;
    allocator.release = release;
    if (portls_set_allocator(&allocator, NULL) != PORTLS_OK) {
        abort();
    }
}
