/* core/os/os.h: text, time, threads, waiting, files and modules. */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/os/file.h"
#include "core/os/os.h"
#include "core/os/poll.h"

TestSuite(os, .timeout = 20);

/* ---- a directory for each test ---- */

static char place[64];

static void make_place(void) {
    (void)snprintf(place, sizeof place, "/tmp/portls-os-test-XXXXXX");
    cr_assert_not_null(mkdtemp(place));
}

static void remove_place(void) {
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", place);
    cr_assert_eq(system(command), 0);
}

static const char *in_place(const char *name) {
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(in_place(name), "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

TestSuite(os_file, .timeout = 20, .init = make_place, .fini = remove_place);

/* ---- memory, text, environment ---- */

Test(os, wipe_clears_every_byte) {
    uint8_t secret[100];
    memset(secret, 0x5a, sizeof secret);
    os_wipe(secret + 1, sizeof secret - 2);
    cr_assert_eq(secret[0], 0x5a);
    cr_assert_eq(secret[99], 0x5a);
    for (size_t i = 1; i < 99; i++) {
        cr_assert_eq(secret[i], 0);
    }
    os_wipe(NULL, 0);
}

Test(os, error_text_is_our_own_and_never_empty) {
    cr_assert_str_eq(os_error_text(ENOENT), "there is no such file or directory");
    cr_assert_str_eq(os_error_text(EWOULDBLOCK), os_error_text(EAGAIN));
    cr_assert_str_eq(os_error_text(54321), "system error 54321");
    cr_assert_str_eq(os_error_text(-7), "system error -7");
    for (int number = 0; number < 200; number++) {
        const char *text = os_error_text(number);
        size_t length = strlen(text);
        cr_assert_gt(length, 0);
        cr_assert_null(strchr(text, '\n'));
        cr_assert_neq(text[length - 1], '.');
    }
}

Test(os, environment_tells_what_is_set) {
    cr_assert_eq(setenv("PORTLS_OS_TEST", "value", 1), 0);
    cr_assert_str_eq(os_environment("PORTLS_OS_TEST"), "value");
    cr_assert_eq(unsetenv("PORTLS_OS_TEST"), 0);
    cr_assert_null(os_environment("PORTLS_OS_TEST"));
}

/* ---- threads ---- */

static os_mutex counter_mutex;
static int counter;

static void *count_up(void *argument) {
    for (int i = 0; i < 20000; i++) {
        os_mutex_lock(&counter_mutex);
        counter = counter + 1;
        os_mutex_unlock(&counter_mutex);
    }
    return argument;
}

Test(os, mutex_lets_one_thread_in_at_a_time) {
    pthread_t threads[3];
    cr_assert(os_mutex_init(&counter_mutex));
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    }
    os_mutex_destroy(&counter_mutex);
    cr_assert_eq(counter, 60000);
}

static os_once_flag outer_flag = OS_ONCE_INIT;
static os_once_flag inner_flag = OS_ONCE_INIT;
static atomic_int outer_runs, inner_runs, seen_too_early;
static atomic_bool outer_done;

static void run_inner(void) {
    atomic_fetch_add(&inner_runs, 1);
}

static void run_outer(void) {
    os_once(&inner_flag, run_inner);
    (void)usleep(50000);
    atomic_fetch_add(&outer_runs, 1);
    atomic_store(&outer_done, true);
}

static void *run_once(void *argument) {
    os_once(&outer_flag, run_outer);
    if (!atomic_load(&outer_done)) {
        atomic_fetch_add(&seen_too_early, 1);
    }
    return argument;
}

Test(os, once_runs_once_and_everybody_waits_for_it) {
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, run_once, NULL), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    }
    os_once(&outer_flag, run_outer);
    cr_assert_eq(outer_runs, 1);
    cr_assert_eq(inner_runs, 1);
    cr_assert_eq(seen_too_early, 0);
}

/* ---- processes ---- */

/* Forks `depth` times, one child inside the other. Returns 0, or the depth at which a child had a
   number of one of its ancestors, or did not keep its own. */
static int check_generations(int depth, const uint32_t *ancestors, size_t count) {
    uint32_t own = os_process_generation();
    for (size_t i = 0; i < count; i++) {
        if (own == ancestors[i]) {
            return depth + 1;
        }
    }
    if (depth == 0) {
        return 0;
    }
    uint32_t known[8] = {0};
    memcpy(known, ancestors, count * sizeof known[0]);
    known[count] = own;
    pid_t child = fork();
    if (child == 0) {
        _exit(check_generations(depth - 1, known, count + 1));
    }
    int result = 0;
    if (child < 0 || waitpid(child, &result, 0) != child || !WIFEXITED(result)) {
        return 100;
    }
    return own != os_process_generation() ? 101 : WEXITSTATUS(result);
}

Test(os, process_generation_differs_from_that_of_every_ancestor) {
    uint32_t none[1] = {0};
    cr_assert_eq(check_generations(3, none, 0), 0);
    cr_assert_eq(check_generations(1, none, 0), 0);
}

/* ---- waiting ---- */

static bool is_readable(portls_descriptor descriptor) {
    struct os_poll_item item = {descriptor, OS_READABLE, 0};
    size_t ready = 0;
    cr_assert_eq(os_poll(&item, 1, 0, &ready), 0);
    cr_assert_eq(ready, item.got == OS_READABLE ? 1 : 0);
    return ready == 1;
}

Test(os, wakeup_stays_set_until_it_is_cleared) {
    os_wakeup wakeup;
    cr_assert_eq(os_wakeup_init(&wakeup), 0);
    cr_assert_neq(fcntl((int)wakeup.readable, F_GETFD) & FD_CLOEXEC, 0);
    cr_assert_neq(fcntl((int)wakeup.signal, F_GETFD) & FD_CLOEXEC, 0);
    cr_assert_not(is_readable(wakeup.readable));
    os_wakeup_clear(&wakeup);
    /* More often than a pipe holds: it must neither block nor be lost. */
    errno = 77;
    for (int i = 0; i < 20000; i++) {
        os_wakeup_set(&wakeup);
    }
    cr_assert_eq(errno, 77);
    cr_assert(is_readable(wakeup.readable));
    cr_assert(is_readable(wakeup.readable));
    os_wakeup_clear(&wakeup);
    cr_assert_eq(errno, 77);
    cr_assert_not(is_readable(wakeup.readable));
    int number = (int)wakeup.readable;
    os_wakeup_destroy(&wakeup);
    cr_assert_eq(fcntl(number, F_GETFD), -1);
}

Test(os, wakeup_without_descriptors_left_is_an_error) {
    struct rlimit before;
    os_wakeup wakeup;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {3, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = os_wakeup_init(&wakeup);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(result, EMFILE);
}

Test(os, poll_waits_for_the_deadline_and_not_longer) {
    int ends[2];
    size_t ready = 9;
    cr_assert_eq(pipe(ends), 0);
    struct os_poll_item item = {ends[0], OS_READABLE, 0};
    int64_t before = os_now();
    cr_assert_eq(os_poll(&item, 1, before + 30000000, &ready), 0);
    int64_t after = os_now();
    cr_assert_eq(ready, 0);
    cr_assert_geq(after, before + 30000000);
    cr_assert_lt(after, before + 5000000000);
    cr_assert_eq(os_poll(&item, 1, INT64_MIN, &ready), 0);
    cr_assert_eq(ready, 0);
    cr_assert_eq(os_poll(NULL, 0, os_now() + 1000000, &ready), 0);
    cr_assert_eq(ready, 0);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number) {
    (void)number;
    alarms = alarms + 1;
}

Test(os, poll_goes_on_after_a_signal) {
    struct sigaction action = {.sa_handler = count_alarm};
    struct itimerval often = {{0, 5000}, {0, 5000}};
    struct itimerval never = {{0, 0}, {0, 0}};
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    size_t ready = 9;
    int64_t until = os_now() + 60000000;
    cr_assert_eq(os_poll(NULL, 0, until, &ready), 0);
    cr_assert_geq(os_now(), until);
    cr_assert_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    cr_assert_gt((int)alarms, 0);
}

Test(os, poll_tells_what_each_of_many_items_has_got) {
    enum { COUNT = 40 };
    int ends[COUNT][2];
    struct os_poll_item items[COUNT];
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(pipe(ends[i]), 0);
        items[i] = (struct os_poll_item){ends[i][0], OS_READABLE, 9};
    }
    cr_assert_eq((int)write(ends[7][1], "x", 1), 1);
    (void)close(ends[30][1]);
    items[20] = (struct os_poll_item){ends[20][1], OS_READABLE | OS_WRITABLE, 9};
    size_t ready = 0;
    cr_assert_eq(os_poll(items, COUNT, NO_DEADLINE, &ready), 0);
    cr_assert_eq(ready, 3);
    for (int i = 0; i < COUNT; i++) {
        uint8_t expected = i == 7 || i == 30 ? OS_READABLE : i == 20 ? OS_WRITABLE : 0;
        cr_assert_eq(items[i].got, expected);
    }
}

Test(os, poll_counts_a_descriptor_that_is_not_open_as_ready) {
    int ends[2];
    size_t ready = 0;
    cr_assert_eq(pipe(ends), 0);
    (void)close(ends[0]);
    struct os_poll_item items[2] = {{ends[0], OS_READABLE, 0},
                                    {PORTLS_NO_DESCRIPTOR, OS_WRITABLE, 0}};
    cr_assert_eq(os_poll(items, 2, NO_DEADLINE, &ready), 0);
    cr_assert_eq(ready, 2);
    cr_assert_eq(items[1].got, OS_WRITABLE);
}

Test(os, poll_does_not_look_at_an_item_of_which_nothing_is_wanted) {
    int ends[2];
    size_t ready = 9;
    cr_assert_eq(pipe(ends), 0);
    (void)close(ends[1]);
    struct os_poll_item item = {ends[0], 0, 9};
    cr_assert_eq(os_poll(&item, 1, os_now() + 1000000, &ready), 0);
    cr_assert_eq(ready, 0);
    cr_assert_eq(item.got, 0);
}

/* ---- files ---- */

static int read_error(const char *path, size_t limit) {
    uint8_t *bytes = (uint8_t *)place;
    size_t size = 9;
    int result = os_read_file(path, limit, &bytes, &size);
    if (result == 0) {
        free(bytes);
    } else {
        cr_assert_null(bytes);
        cr_assert_eq(size, 0);
    }
    return result;
}

Test(os_file, read_file_gives_all_of_it) {
    static uint8_t written[100000];
    for (size_t i = 0; i < sizeof written; i++) {
        written[i] = (uint8_t)(i * 7 + i / 251);
    }
    write_file("large", written, sizeof written);
    uint8_t *bytes = NULL;
    size_t size = 0;
    cr_assert_eq(os_read_file(in_place("large"), sizeof written, &bytes, &size), 0);
    cr_assert_eq(size, sizeof written);
    cr_assert_eq(memcmp(bytes, written, size), 0);
    free(bytes);
}

Test(os_file, read_file_of_nothing_gives_a_pointer_to_free) {
    write_file("empty", "", 0);
    uint8_t *bytes = NULL;
    size_t size = 9;
    cr_assert_eq(os_read_file(in_place("empty"), 0, &bytes, &size), 0);
    cr_assert_eq(size, 0);
    cr_assert_not_null(bytes);
    free(bytes);
}

Test(os_file, read_file_keeps_to_its_limit) {
    write_file("ten", "0123456789", 10);
    cr_assert_eq(read_error(in_place("ten"), 10), 0);
    cr_assert_eq(read_error(in_place("ten"), SIZE_MAX), 0);
    cr_assert_eq(read_error(in_place("ten"), 9), OS_TOO_LARGE);
    cr_assert_eq(read_error(in_place("ten"), 0), OS_TOO_LARGE);
    cr_assert_eq(read_error("/dev/zero", 50000), OS_TOO_LARGE);
}

Test(os_file, read_file_tells_each_error) {
    write_file("file", "x", 1);
    cr_assert_eq(read_error(place, 100), OS_IS_DIRECTORY);
    cr_assert_eq(read_error(in_place("missing"), 100), ENOENT);
    cr_assert_eq(read_error(in_place("file/below"), 100), ENOTDIR);
    cr_assert_eq(symlink("loop", in_place("loop")), 0);
    cr_assert_eq(read_error(in_place("loop"), 100), ELOOP);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_assert_eq(read_error(name, 100), ENAMETOOLONG);
    cr_assert_eq(read_error("", 100), ENOENT);
}

Test(os_file, read_file_tells_that_permission_is_missing) {
    write_file("closed", "x", 1);
    cr_assert_eq(chmod(in_place("closed"), 0), 0);
    cr_assert_eq(chmod(place, 0755), 0);
    bool is_root = geteuid() == 0;
    if (is_root) {
        cr_assert_eq(seteuid(65534), 0);
    }
    int result = read_error(in_place("closed"), 100);
    if (is_root) {
        cr_assert_eq(seteuid(0), 0);
    }
    cr_assert_eq(result, EACCES);
}

Test(os_file, read_file_tells_that_no_descriptor_is_left) {
    write_file("file", "x", 1);
    struct rlimit before, none = {3, 0};
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none.rlim_max = before.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = read_error(in_place("file"), 100);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(result, EMFILE);
}

static void *feed_fifo(void *path) {
    FILE *fifo = fopen(path, "wb");
    for (int i = 0; fifo != NULL && i < 3; i++) {
        (void)fprintf(fifo, "part %d;", i);
        (void)fflush(fifo);
        (void)usleep(10000);
    }
    return fifo == NULL || fclose(fifo) != 0 ? path : NULL;
}

Test(os_file, read_file_reads_what_a_process_passes_on) {
    pthread_t thread;
    char path[256];
    (void)snprintf(path, sizeof path, "%s", in_place("fifo"));
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(pthread_create(&thread, NULL, feed_fifo, path), 0);
    uint8_t *bytes = NULL;
    size_t size = 0;
    cr_assert_eq(os_read_file(path, 100, &bytes, &size), 0);
    void *failed = NULL;
    cr_assert_eq(pthread_join(thread, &failed), 0);
    cr_assert_null(failed);
    cr_assert_eq(size, 21);
    cr_assert_eq(memcmp(bytes, "part 0;part 1;part 2;", 21), 0);
    free(bytes);
}

static void note_file(void *argument, const char *path) {
    char *seen = argument;
    const char *name = strrchr(path, '/') + 1;
    cr_assert_eq(strncmp(path, place, strlen(place)), 0);
    seen[name[0] == 'a' ? 0 : name[0] == 'b' ? 1 : 2]++;
}

Test(os_file, each_file_visits_regular_files_and_links_to_them) {
    char seen[3] = {0};
    write_file("a-file", "x", 1);
    cr_assert_eq(symlink("a-file", in_place("b-link")), 0);
    cr_assert_eq(symlink("nothing", in_place("dangling")), 0);
    cr_assert_eq(mkdir(in_place("directory"), 0700), 0);
    cr_assert_eq(mkfifo(in_place("fifo"), 0600), 0);
    cr_assert_eq(os_each_file(place, note_file, seen), 0);
    cr_assert_eq(seen[0], 1);
    cr_assert_eq(seen[1], 1);
    cr_assert_eq(seen[2], 0);
}

Test(os_file, each_file_tells_why_there_is_no_directory) {
    write_file("file", "x", 1);
    cr_assert_eq(os_each_file(in_place("missing"), note_file, NULL), ENOENT);
    cr_assert_eq(os_each_file(in_place("file"), note_file, NULL), ENOTDIR);
}

Test(os, root_bundles_are_absolute_paths) {
    size_t count = 0;
    while (os_root_bundles[count] != NULL) {
        cr_assert_eq(os_root_bundles[count][0], '/');
        count++;
    }
    cr_assert_gt(count, 3);
}

/* ---- modules ---- */

/* What is linked statically against musl has no loader, for itself as little as for a module. */
static bool has_loader(void) {
    void *itself = dlopen(NULL, RTLD_NOW);
    return itself != NULL && dlclose(itself) == 0;
}

Test(os_file, module_that_is_missing_or_no_module_is_named) {
    char reason[400];
    write_file("text.so", "this is no shared object\n", 25);
    cr_assert_null(os_module_open(in_place("missing.so"), reason, sizeof reason));
    cr_assert_not_null(strstr(reason, in_place("missing.so")));
    cr_assert_not_null(strstr(reason, "there is no such file"));
    cr_assert_null(os_module_open(in_place("text.so"), reason, sizeof reason));
    cr_assert_not_null(strstr(reason, in_place("text.so")));
    cr_assert_null(strchr(reason, '\n'));
    cr_assert_null(os_module_open("libportls-none.so", reason, sizeof reason));
    cr_assert_str_eq(reason,
                     has_loader()
                         ? "libportls-none.so was not found or cannot be read"
                         : "libportls-none.so could not be loaded: Dynamic loading not supported");
    char little[8];
    cr_assert_null(os_module_open("libportls-none.so", little, sizeof little));
    cr_assert_str_eq(little, "libport");
}

Test(os, module_gives_its_symbols) {
    char reason[400];
    void *module = os_module_open("libm.so.6", reason, sizeof reason);
    if (!has_loader()) {
        cr_assert_null(module);
        cr_assert_str_eq(reason, "libm.so.6 could not be loaded: Dynamic loading not supported");
        return;
    }
    cr_assert_not_null(module);
    cr_assert_not_null(os_module_symbol(module, "cos"));
    cr_assert_null(os_module_symbol(module, "portls_no_such_symbol"));
    os_module_close(module);
}

Test(os, own_directory_is_where_the_program_lies) {
    char directory[4096];
    char path[4200];
    char program[4096] = {0};
    cr_assert_gt((int)readlink("/proc/self/exe", program, sizeof program - 1), 0);
    cr_assert_eq(chdir("/"), 0);
    cr_assert(os_own_directory(directory, sizeof directory));
    (void)snprintf(path, sizeof path, "%s/%s", directory, strrchr(program, '/') + 1);
    cr_assert_str_eq(path, program);
    cr_assert_not(os_own_directory(directory, strlen(directory)));
}
