/* Without an operating system: one test after the other in one program. A test that fails is left
   where it was, and what it held stays held. */
#include "runner.h"

#include <setjmp.h>

static jmp_buf end_of_test;

bool runner_apart(bool (*work)(void *argument), void *argument, size_t size) {
    (void)size;
    return setjmp(end_of_test) == 0 && work(argument);
}

void runner_keep_together(void) {
}

bool runner_end(void) {
    return true;
}

void runner_end_test(void) {
    longjmp(end_of_test, 1);
}

bool runner_matches(const char *pattern, const char *name) {
    for (; *pattern != '*'; pattern++, name++) {
        if (*name == '\0' || (*pattern != '?' && *pattern != *name)) {
            return *pattern == *name;
        }
    }
    do {
        if (runner_matches(pattern + 1, name)) {
            return true;
        }
    } while (*name++ != '\0');
    return false;
}
