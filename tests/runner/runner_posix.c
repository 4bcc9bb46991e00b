/* Each test in a child of its own, as Criterion does it: a crash fails one test, and nothing that a
   test leaves behind reaches the next. */
#include "runner.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool runner_apart(bool (*work)(void *argument), void *argument) {
    pid_t child = fork();
    if (child == 0) {
        bool passed = work(argument);
        fflush(stdout);
        _exit(passed ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("runner");
        return false;
    }
    if (WIFSIGNALED(status)) {
        printf("died of signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void runner_end_test(void) {
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

bool runner_matches(const char *pattern, const char *name) {
    return fnmatch(pattern, name, 0) == 0;
}
