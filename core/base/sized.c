/* Reads structs of other versions of the library. */
#include "core/base/sized.h"

#include <stdint.h>
#include <string.h>

#include "core/base/error.h"

/* No version's struct will be larger; an uninitialised size most likely is. */
enum { SIZE_LIMIT = 1024 };

static bool is_size(size_t size, size_t first_size) {
    return size >= first_size && size <= SIZE_LIMIT && size % sizeof(void *) == 0;
}

static bool is_zero(const uint8_t *bytes, size_t size) {
    size_t i = 0;
    while (i < size && bytes[i] == 0) {
        i++;
    }
    return i == size;
}

portls_status sized_copy(void *ours, size_t size, size_t first_size, const void *theirs,
                         const char *init, portls_error *error) {
    size_t theirs_size = 0;
    memcpy(&theirs_size, theirs, sizeof theirs_size);
    if (!is_size(theirs_size, first_size)) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the struct says that its size is %zu: initialise it with %s",
                          theirs_size, init);
    }
    size_t known = theirs_size < size ? theirs_size : size;
    if (!is_zero((const uint8_t *)theirs + known, theirs_size - known)) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "the struct of %zu bytes sets a member that this version of portls does "
                          "not have: it knows %zu bytes of %s",
                          theirs_size, size, init);
    }
    memset(ours, 0, size);
    memcpy(ours, theirs, known);
    return PORTLS_OK;
}
