/*
 * What every file of the suite uses: the two ways to define a test, checks of a status together
 * with its error, the test certificates, contexts made in one line, and threads.
 *
 * A test is one statement of the manual (spec/, cited by its section) or of the design's pinned
 * behaviour, and is named after it. Each runs in a process of its own and is failed when it leaves
 * a descriptor open (on a board: a byte of the heap in use); the suite's timeout is the watchdog of
 * everything that waits.
 *
 * Where the library has no threads, sockets or files (PORTLS_WITH_...) the suites are the same
 * files; what needs them stands between #if and #endif. docs/porting.md says which suites those
 * are.
 */
#ifndef SPEC_SUPPORT_H
#define SPEC_SUPPORT_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "portls/portls.h"
#include "spec_files.h"

#if PORTLS_HOSTED
#include <pthread.h>
#endif
#if PORTLS_HOSTED
#include <sys/socket.h>
#endif

/* What tests/runner says otherwise in its headers for a system that is no POSIX. */
#if !defined(ENOENT_OF_DIRECTORY)
#define ENOENT_OF_DIRECTORY ENOENT /* the error for a file whose directory is missing */
#endif
#if !defined(LOCAL_SOCKETS_ARE_TCP)
#define LOCAL_SOCKETS_ARE_TCP 0 /* so is a pipe, and a peer's close is not known at once */
#endif
#if !defined(SHOWN_WITHIN_MILLISECONDS)
#define SHOWN_WITHIN_MILLISECONDS 0 /* by a descriptor that stands for many */
#endif

/* ---- tests ---- */

/* Seconds after which a test hangs. Generous: valgrind and a busy machine count too. */
#ifndef SPEC_TIMEOUT
#define SPEC_TIMEOUT 120
#endif

#define SPEC_SUITE(suite) TestSuite(suite, .timeout = SPEC_TIMEOUT)

/* A test that is checked for what it left open. */
#define SPEC(suite, name)                                                                          \
    static void suite##_##name(void);                                                              \
    Test(suite, name) {                                                                            \
        spec_begin();                                                                              \
        suite##_##name();                                                                          \
        spec_end();                                                                                \
    }                                                                                              \
    static void suite##_##name(void)

/* The same, run once for each element of a table; its type must hold no pointers. */
#define SPEC_FOR_EACH(suite, name, type, parameter, table, count)                                  \
    static void suite##_##name(const type *parameter);                                             \
    ParameterizedTestParameters(suite, name) {                                                     \
        return cr_make_param_array(type, (table), (count));                                        \
    }                                                                                              \
    ParameterizedTest(const type *element, suite, name) {                                          \
        spec_begin();                                                                              \
        suite##_##name(element);                                                                   \
        spec_end();                                                                                \
    }                                                                                              \
    static void suite##_##name(const type *parameter)

void spec_begin(void);
void spec_end(void);

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- checks ---- */

/* The error object of the test's own thread. */
extern portls_error problem;

/* The call, whose last argument is &problem or NULL, returns the status wanted, and the error
   object holds it too. */
#define REQUIRE_STATUS(call, wanted)                                                               \
    do {                                                                                           \
        memset(&problem, 0, sizeof problem);                                                       \
        problem.status = UNUSED_ERROR;                                                             \
        portls_status status_ = (call);                                                            \
        cr_assert(status_ == (wanted), "%s returned %s and not %s: %s", #call,                     \
                  portls_status_name(status_), portls_status_name(wanted), problem.message);       \
        cr_assert(problem.status == status_ || problem.status == UNUSED_ERROR,                     \
                  "%s returned %s, but its error holds %s", #call, portls_status_name(status_),    \
                  portls_status_name(problem.status));                                             \
    } while (0)

/* The status of an error object that no call has filled. */
#define UNUSED_ERROR ((portls_status)99)

#define REQUIRE_OK(call) REQUIRE_STATUS(call, PORTLS_OK)

/* A call whose outcome does not matter here. */
static inline void ignore(portls_status status) {
    (void)status;
}

/* The call fails so, and its message begins with the text. */
#define REQUIRE_FAILURE(call, wanted, beginning)                                                   \
    do {                                                                                           \
        REQUIRE_STATUS(call, wanted);                                                              \
        REQUIRE_ERROR(&problem, wanted, beginning);                                                \
    } while (0)

/* The error holds this status and an orderly message that begins with the text. */
#define REQUIRE_ERROR(error, wanted, beginning)                                                    \
    do {                                                                                           \
        const char *fault_ = spec_error_fault((error), (wanted), (beginning));                     \
        cr_assert(fault_ == NULL, "%s: %s: \"%s\" (wanted: \"%s\")", fault_,                       \
                  portls_status_name((error)->status), (error)->message, (beginning));             \
    } while (0)

/* What is wrong with an error object, or NULL. */
const char *spec_error_fault(const portls_error *error, portls_status wanted,
                             const char *beginning);

/* The text contains another. */
#define REQUIRE_TEXT(text, part)                                                                   \
    cr_assert(strstr((text), (part)) != NULL, "\"%s\" does not say \"%s\"", (text), (part))

/* The certificate was refused for this reason; OTHER will do where the backend cannot tell. */
#define REQUIRE_REASON(error, wanted)                                                              \
    cr_assert((error)->verify_reason == (wanted) ||                                                \
                  (!spec_can(PORTLS_CAN_VERIFY_REASON) &&                                          \
                   (error)->verify_reason == PORTLS_VERIFY_OTHER),                                 \
              "refused because \"%s\" and not because \"%s\": %s",                                 \
              portls_verify_reason_text((error)->verify_reason),                                   \
              portls_verify_reason_text(wanted), (error)->message)

bool spec_can(portls_capability capability);

/* ---- certificates: certs/README.md says what each is ---- */

#define CERTS(file) PORTLS_TEST_CERTS "/" file
#define TEST_PEM    CERTS("test.pem")
#define ROOT        CERTS("root.pem")
#define SECOND_ROOT CERTS("second-root.pem")

/* Contexts, to be freed with portls_free_context. `identity` is the stem of a chain and a key
   file ("server-p256"), NULL for none; `roots`, if any, also turns verification on. */
portls_context *client_context(portls_protocol protocol, const char *identity, const char *roots);
portls_context *server_context(portls_protocol protocol, const char *identity, const char *roots);

/* A server context with the manual's test.pem. */
portls_context *test_server_context(void);

/* Loads chain and key of an identity. */
void load_identity(portls_context *context, const char *identity);

/* A whole file in memory, from malloc. */
uint8_t *read_file(const char *path, size_t *size);

/* A file with this content, the test's own; removed by spec_end. */
const char *temporary_file(const void *bytes, size_t size);

/* ---- threads ---- */

#if PORTLS_HOSTED

/* A thread and what it works on. No check may be made in it: it leaves its findings to the test. */
struct task {
    pthread_t thread;
    void (*work)(void *);
    void *argument;
};

void task_start(struct task *task, void (*work)(void *), void *argument);
void task_join(struct task *task);

#endif

/* ---- what is known of a connection ---- */

struct connection_facts {
    const char *protocol, *cipher, *server_name, *peer_subject;
    bool peer_verified;
};

/* All of it; fails the test when the handshake is not done. */
void describe_connection(const portls_input_port *ssl_in, struct connection_facts *facts);

#endif
