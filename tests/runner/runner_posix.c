/* Each test in a child of its own, as Criterion does it: a crash fails one test, and nothing that a
   test leaves behind reaches the next. Or, when told to, as many in one child as pass: the child is
   sent what it is to run, answers that it passed, and ends when it did not. */
#include "runner.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool together;

/* The child that tests share, while there is one, and the pipes to and from it. */
static pid_t shared;
static int to_shared[2];
static int from_shared[2];

/* Reports what it died of; true when it ended well. */
static bool reap(pid_t child) {
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

/* In the child: until a test fails, or no more are sent. */
static _Noreturn void run_what_is_sent(bool (*work)(void *argument), size_t size) {
    char argument[64];
    while (size <= sizeof argument && read(to_shared[0], argument, size) == (ssize_t)size) {
        bool passed = work(argument);
        fflush(stdout);
        if (!passed || write(from_shared[1], "p", 1) != 1) {
            _exit(EXIT_FAILURE);
        }
    }
    _exit(EXIT_SUCCESS);
}

/* Tests count descriptors, and a program that one starts inherits none of these. */
static bool make_pipes(void) {
    bool made = pipe(to_shared) == 0 && pipe(from_shared) == 0;
    for (int i = 0; made && i < 2; i++) {
        made = fcntl(to_shared[i], F_SETFD, FD_CLOEXEC) == 0 &&
               fcntl(from_shared[i], F_SETFD, FD_CLOEXEC) == 0;
    }
    return made;
}

static void begin_shared(bool (*work)(void *argument), size_t size) {
    shared = make_pipes() ? fork() : -1;
    if (shared == 0) {
        close(to_shared[1]);
        close(from_shared[0]);
        run_what_is_sent(work, size);
    }
    close(to_shared[0]);
    close(from_shared[1]);
}

static bool end_shared(void) {
    close(to_shared[1]);
    close(from_shared[0]);
    bool ended_well = reap(shared);
    shared = 0;
    return ended_well;
}

static bool run_in_shared(bool (*work)(void *argument), const void *argument, size_t size) {
    char answer = 0;
    if (shared == 0) {
        begin_shared(work, size);
    }
    if (shared > 0 && write(to_shared[1], argument, size) == (ssize_t)size &&
        read(from_shared[0], &answer, 1) == 1) {
        return true;
    }
    (void)end_shared();
    return false;
}

void runner_keep_together(void) {
    together = true;
}

bool runner_apart(bool (*work)(void *argument), void *argument, size_t size) {
    if (together) {
        return run_in_shared(work, argument, size);
    }
    pid_t child = fork();
    if (child == 0) {
        bool passed = work(argument);
        fflush(stdout);
        _exit(passed ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return reap(child);
}

bool runner_end(void) {
    return shared <= 0 || end_shared();
}

void runner_end_test(void) {
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

bool runner_matches(const char *pattern, const char *name) {
    return fnmatch(pattern, name, 0) == 0;
}
